"""The report for the council: an A4 PDF that a screen reader can read (PDF/UA-1), set by Typst.

All that it says is passed as JSON and never becomes markup. Long tables are shortened to rows that can be read
aloud: sums over the first column where rows add up, else rows in even steps with the last one; the workbook has all.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import resources
from typing import Any, ClassVar, Final
from unicodedata import category

import pandas as pd

from analytics.charts.data import Say, Table
from analytics.charts.figure import Figure
from analytics.charts.names import Shape
from analytics.charts.render import GETA, svg
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

_UNSHOWN: Final = re.compile(r'the text `"([^`"]*)"` could not be displayed')
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-f]+)\}")
_MOST_ATTEMPTS: Final = 10
"""Each sets a geta for all signs that the one before named; where a mark comes to stand on one, one more is needed."""


class ReportSignsUnshown(Refusal):
    """The report is written in signs that no font of this machine has, and that could not be left out."""

    code: ClassVar[str] = "report_signs_unshown"


class ReportFontMissing(Refusal):
    """No font with Japanese signs is installed: `packages` that bring one."""

    code: ClassVar[str] = "report_font_missing"


def council_pdf(gathered: Gathered, say: Say, language: str) -> bytes:
    """The PDF in one language; the same figures make the same bytes. Raises ReportFontMissing, ReportSignsUnshown.

    A name may hold signs that no font here has (an emoji, a word in Arabic): they are set as `GETA`, since a PDF for
    screen readers with signs that cannot be shown is none.
    """
    import typst  # noqa: PLC0415

    family = japanese_font()
    if family is None:
        raise ReportFontMissing(packages=", ".join(PACKAGES))
    content = _content(gathered, say, language) | {"fonts": [family]}
    source = resources.files("analytics.reports").joinpath("council.typ").read_bytes()
    content = _printable(content)
    for _ in range(_MOST_ATTEMPTS):
        report = json.dumps(content, ensure_ascii=False)
        try:
            made: bytes = typst.compile(source, sys_inputs={"report": report}, pdf_standards=STANDARD, timestamp=0)
        except typst.TypstError as error:
            unshown = _unshown(error.diagnostic)
            if not unshown:
                raise
            fewer = _without(content, unshown)
            content = _markless(content) if fewer == content else fewer
        else:
            return made
    raise ReportSignsUnshown


def _printable(content: Any) -> Any:
    """The content without signs that are none to the eye (of control, of direction), which no font has."""
    return _changed(
        content,
        lambda words: "".join(sign for sign in " ".join(words.splitlines()) if not category(sign).startswith("C")),
    )


def _changed(content: Any, change: Callable[[str], str]) -> Any:
    """The content with every text in it changed; its keys are ours and stay."""
    if isinstance(content, dict):
        return {key: _changed(value, change) for key, value in content.items()}
    if isinstance(content, list):
        return [_changed(value, change) for value in content]
    return change(content) if isinstance(content, str) else content


def _unshown(diagnostic: str) -> set[str]:
    """The texts that a compiler's diagnostic calls impossible to display; it writes some signs as `\\u{10a01}`."""
    return {_ESCAPED.sub(lambda sign: chr(int(sign[1], 16)), text) for text in _UNSHOWN.findall(diagnostic)}


def _without(content: Any, texts: Iterable[str]) -> Any:
    """The content with a geta, as Japanese printers set it, for every sign that no font here has."""
    found = sorted(filter(None, texts), key=lambda text: (-len(text), text))
    if not found:
        return content
    any_of = re.compile("|".join(map(re.escape, found)))
    return _changed(content, lambda words: any_of.sub(GETA, words))


def _markless(content: Any) -> Any:
    """The content without marks that combine: heaps of them cannot be set, and the compiler does not say which."""
    return _changed(content, lambda words: "".join(sign for sign in words if not category(sign).startswith("M")))


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
        return replace(figure, kind=replace(figure.kind, fields=fields, key=(first.name,)), data=sums)
    step = -(-len(data) // (MOST_ROWS - 1))
    places = sorted({*range(0, len(data), step), len(data) - 1})
    return replace(figure, data=data.iloc[places])


def _content(gathered: Gathered, say: Say, language: str) -> dict[str, Any]:
    return {
        "title": say("insight.report.title", programme=gathered.called),
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
