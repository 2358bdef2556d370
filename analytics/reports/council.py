"""The report for the council: an A4 PDF that a screen reader can read (PDF/UA-1), set by Typst.

All that it says is passed as JSON and never becomes markup. Long tables are shortened to rows that can be read
aloud: sums over the first column where rows add up, else rows in even steps with the last one; the workbook has all.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from typing import Any, ClassVar, Final
from unicodedata import category

import pandas as pd

from analytics.charts.data import Say, Table
from analytics.charts.figure import Figure
from analytics.charts.names import Shape
from analytics.charts.render import svg
from analytics.charts.theme import Look
from analytics.reports.did import HEADS, SAYS, TITLE, lines
from analytics.reports.fonts import japanese_font
from analytics.reports.gathered import Gathered
from services.kit.errors import Refusal

_TALL: Final = 1.2
"""Heights to a width beyond which a chart is made narrower, so that it ends on its page."""
STANDARD: Final = "ua-1"
MOST_ROWS: Final = 26
"""Of a table on paper."""
PACKAGES: Final = ("fonts-noto-cjk", "fonts-morisawa-bizud-gothic")


GETA: Final = "〓"
_UNSHOWN: Final = re.compile(r'the text `"([^"`]+)"` could not be displayed')
_MOST_UNSHOWN: Final = 100
"""Texts of signs that no font has, each of which costs another attempt."""


class TooManySigns(Exception):
    """The report is written in signs that no font of this machine has."""


class ReportFontMissing(Refusal):
    """No font with Japanese signs is installed: `packages` that bring one."""

    code: ClassVar[str] = "report_font_missing"


def council_pdf(gathered: Gathered, say: Say, language: str) -> bytes:
    """The PDF in one language; the same figures make the same bytes. Raises ReportFontMissing, TooManySigns.

    A name may hold signs that no font here has (an emoji, a word in Arabic): they are set as `GETA`, since a PDF for
    screen readers with signs that cannot be shown is none.
    """
    import typst  # noqa: PLC0415

    family = japanese_font()
    if family is None:
        raise ReportFontMissing(packages=", ".join(PACKAGES))
    content = _content(gathered, say, language) | {"fonts": [family]}
    source = resources.files("analytics.reports").joinpath("council.typ").read_bytes()
    report = json.dumps(_printable(content), ensure_ascii=False)
    for _ in range(_MOST_UNSHOWN):
        try:
            made: bytes = typst.compile(source, sys_inputs={"report": report}, pdf_standards=STANDARD, timestamp=0)
        except typst.TypstError as error:
            without = _without(report, _UNSHOWN.findall(str(error)))
            if without == report:
                raise
            report = without
        else:
            return made
    raise TooManySigns


def _printable(content: Any) -> Any:
    """The content without signs that are none to the eye (of control, of direction), which no font has."""
    if isinstance(content, dict):
        return {key: _printable(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_printable(value) for value in content]
    if isinstance(content, str):
        return "".join(sign for sign in " ".join(content.splitlines()) if not category(sign).startswith("C"))
    return content


def _without(report: str, texts: Iterable[str]) -> str:
    """The content with a geta, as Japanese printers set it, for every sign that no font here has."""
    for text in texts:
        report = report.replace(text, GETA)
    return report


def shortened(figure: Figure) -> Figure:
    """The figure with at most MOST_ROWS rows (more only where its first column has more values)."""
    data = figure.data
    if len(data) <= MOST_ROWS:
        return figure
    adding = [field.name for field in figure.kind.fields if field.adds]
    if adding:
        first = figure.kind.fields[0]
        fields = (first, *(field for field in figure.kind.fields if field.adds))
        sums = data.groupby(first.name, sort=False)[adding].sum().reset_index()
        return Figure(replace(figure.kind, fields=fields, key=(first.name,)), sums)
    step = -(-len(data) // (MOST_ROWS - 1))
    places = sorted({*range(0, len(data), step), len(data) - 1})
    return Figure(figure.kind, data.iloc[places])


def _content(gathered: Gathered, say: Say, language: str) -> dict[str, Any]:
    return {
        "title": say("insight.report.title", programme=gathered.programme),
        "lang": language.partition("-")[0],
        "heads": [list(pair) for pair in gathered.heads(say)],
        "note": say("insight.report.internal"),
        "facts_head": [say("insight.report.figure"), say("insight.report.value")],
        "facts": [[fact.head(say), fact.written(say)] for fact in gathered.facts],
        "did": None if gathered.did is None else _did(gathered.did, say),
        "figures": [_figure(figure, say) for figure in gathered.figures],
        "notes_head": say("insight.sheet.notes"),
        "notes": [say(f"insight.note.{name}") for name in ("source", "yen", "net", "days", "people")],
    }


def _did(rows: pd.DataFrame, say: Say) -> dict[str, Any]:
    return {
        "title": say(TITLE),
        "says": say(SAYS),
        "heads": [say(head) for head in HEADS],
        "rows": [list(line) for line in lines(rows, say)],
    }


def _figure(figure: Figure, say: Say) -> dict[str, Any]:
    short = shortened(figure)
    table: Table = short.table(say)
    rows = f"{len(figure.data):,}"
    picture = svg(figure.spec(Look(say, Shape.PRINT)))
    return {
        "title": figure.title(say),
        "says": figure.says(say),
        "picture": picture,
        "tall": _height(picture) > Shape.PRINT.width * _TALL,
        "extract": "" if short is figure else say("insight.report.condensed", rows=rows),
        "heads": list(table.heads),
        "numbers": [field.kind.is_number for field in table.fields],
        "rows": [list(row) for row in table.written(say)],
    }


def _height(picture: str) -> float:
    """Of a picture as Vega writes it, in CSS pixels."""
    found = re.search(r'<svg[^>]* height="([0-9.]+)"', picture)
    if found is None:
        raise ValueError("Vega states the height of every picture")
    return float(found[1])
