"""What the programme did: page, paper and workbook say the same figures, and the same of what is missing."""

import html
import io
import math
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import openpyxl
import pandas as pd
import pypdf
import pytest

import locales
from analytics.evaluation.summary import COLUMNS, HIRATSUKA_SHARE, PAPER_SHARE
from analytics.reports.council import council_pdf
from analytics.reports.did import lines, written
from analytics.reports.did_sheet import FORMATS, SHEET
from analytics.reports.html import report_page
from analytics.reports.workbook import workbook
from tests.analytics.reports.samples import SAMPLE

HEADINGS = 5
"""The row of the sheet's headings, from 1."""
NONE = math.nan
LOTTERY = "lottery, outcomes from survey, 1200 people, 20 weeks"


def _row(item: str, value: float = NONE, low: float = NONE, high: float = NONE, **more: str) -> dict[str, Any]:
    blank = {"store_class": "all", "unit": "yen", "basis": "lots", "state": "known", "reason": ""}
    return {"item": item, "value": value, "low": low, "high": high, **blank, **more}


KNOWN = pd.DataFrame(
    [
        _row("issued", 867_123_457),
        _row("redeemed", 845_678_901),
        _row("redeemed", 500_000_001, store_class="small"),
        _row("surveyed_extra", 311_222_333.4, 250_000_000.6, 372_444_666.2, basis="survey of 312 households"),
        _row("surveyed_extra_per_redeemed", 0.368, 0.2956, 0.4404, unit="share", basis="survey of 312 households"),
        _row("causal_extra", 7_345.6, -1_200.4, 15_891.6, unit="yen per winner", basis=LOTTERY),
        _row("causal_extra_per_unit", 3_672.8, -600.2, 7_945.8, unit="yen per unit", basis=LOTTERY),
        _row("causal_extra_total", 122_333_444.5, -19_987_654.3, 264_654_543.3, basis=LOTTERY),
        _row("cost_per_extra_yen", low=0.9321, high=math.inf, unit="yen per yen", basis="premium redeemed"),
        _row("administration_share", 0.0412, unit="share", basis="administration over issue"),
        _row("administration_share_hiratsuka", HIRATSUKA_SHARE, unit="share", basis="Hiratsuka, electronic"),
        _row("administration_share_paper", PAPER_SHARE, unit="share", basis="Hiratsuka, paper"),
        _row("bound_none", low=0, high=845_678_901, basis="bounds"),
        _row("followed_months", 2, unit="months", basis="outcomes", state="not_met"),
    ],
    columns=COLUMNS,
)
LACKING = pd.DataFrame(
    [
        _row("issued", 867_123_457),
        _row("redeemed", 845_678_901),
        _row("surveyed_extra", basis="", state="not_given", reason="no_survey"),
        _row("causal_extra_total", basis="", state="not_given", reason="no_draw"),
        _row("cost_per_extra_yen", unit="yen per yen", basis="", state="not_given", reason="no_administration"),
        _row("administration_share", unit="share", basis="", state="not_given", reason="no_administration"),
        _row("administration_share_hiratsuka", HIRATSUKA_SHARE, unit="share", basis="Hiratsuka, electronic"),
        _row("administration_share_paper", PAPER_SHARE, unit="share", basis="Hiratsuka, paper"),
    ],
    columns=COLUMNS,
)


def _book(rows: pd.DataFrame, say: Any) -> bytes:
    return workbook(replace(SAMPLE, figures=(), did=rows), say)


def _cells(book: bytes, say: Any, rows: int) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(book), data_only=True)[say(SHEET)]
    assert sheet.cell(HEADINGS + rows + 1, 1).value is None, "no line more than there are rows"
    return list(sheet.iter_rows(HEADINGS + 1, HEADINGS + rows, 1, 6, values_only=True))


def _spoken(cells: tuple[Any, ...], unit: str, say: Any) -> tuple[str, str, str, str]:
    """A line of the sheet as the page would write it: head, value, interval, how."""
    head, *numbers, _, how = cells
    value, low, high = (
        "" if cell is None else cell if isinstance(cell, str) else written(cell, unit, say) for cell in numbers
    )
    between = say("evaluation.between", low=low, high=high) if low or high else ""
    return head, value, between, how


@pytest.mark.parametrize("language", ["ja", "en", "ja-simple"])
@pytest.mark.parametrize("rows", [KNOWN, LACKING], ids=["known", "lacking"])
def test_page_paper_and_workbook_say_the_same_lines(rows: pd.DataFrame, language: str) -> None:
    say = partial(locales.text, language)
    office = replace(SAMPLE, figures=(), did=rows)
    wanted = lines(rows, say)

    found = _cells(_book(rows, say), say, len(rows))
    assert [_spoken(cells, unit, say) for cells, unit in zip(found, rows["unit"], strict=True)] == wanted

    section = report_page(office, say, language).partition('<section id="did"')[2].partition("</section>")[0]
    body = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", section.partition("<tbody>")[2])
    assert [html.unescape(cell) for cell in body] == [cell for line in wanted for cell in line]

    read = pypdf.PdfReader(io.BytesIO(council_pdf(office, say, language)))
    paper = re.sub(r"\s", "", "".join(page.extract_text() for page in read.pages))
    assert [cell for line in wanted for cell in line if re.sub(r"\s", "", cell) not in paper] == []


def test_the_sheet_holds_the_numbers_themselves_and_no_zero_for_what_is_missing() -> None:
    say = partial(locales.text, "ja")
    for rows in (KNOWN, LACKING):
        book = _book(rows, say)
        sheet = openpyxl.load_workbook(io.BytesIO(book))[say(SHEET)]
        for at, row in enumerate(rows.to_dict("records"), start=HEADINGS + 1):
            for column, name in enumerate(("value", "low", "high"), start=2):
                cell, number = sheet.cell(at, column), row[name]
                if math.isnan(number):
                    assert cell.value is None
                elif math.isinf(number):
                    assert cell.value == say("evaluation.no_limit")
                else:
                    assert cell.value == pytest.approx(number)
                    assert cell.number_format == FORMATS[row["unit"]]
            if row["reason"]:
                assert say(f"evaluation.reason.{row['reason']}") in sheet.cell(at, 6).value


def _charts(book: bytes, read: Callable[[str], Any]) -> list[Any]:
    archive = zipfile.ZipFile(io.BytesIO(book))
    names = sorted(name for name in archive.namelist() if name.startswith("xl/charts/chart"))
    return [read(archive.read(name).decode()) for name in names]


def test_charts_set_side_by_side_what_is_known_with_its_interval_and_leave_out_what_is_not() -> None:
    say = partial(locales.text, "ja")

    def compared(rows: pd.DataFrame) -> list[dict[str, float]]:
        """The block of each chart beside the list: the cells that the chart draws."""
        book = _book(rows, say)
        sheet = openpyxl.load_workbook(io.BytesIO(book), data_only=True)[say(SHEET)]
        places = _charts(book, lambda xml: re.findall(r"!\$H\$(\d+):\$H\$(\d+)</c:f>", xml))
        return [
            {sheet.cell(at, 8).value: sheet.cell(at, 9).value for at in range(int(first), int(last) + 1)}
            for [(first, last)] in places
        ]

    def item(name: str) -> str:
        return say(f"evaluation.item.{name}")

    shares = {item("administration_share_hiratsuka"): 0.036, item("administration_share_paper"): 0.185}
    extra, administration = compared(KNOWN)
    assert extra == pytest.approx(
        {
            item("redeemed"): 845_678_901,
            item("surveyed_extra"): 311_222_333.4,
            item("causal_extra_total"): 122_333_444.5,
        }
    )
    assert administration == pytest.approx({item("administration_share"): 0.0412} | shares)
    assert compared(LACKING) == [pytest.approx(shares)], "what was redeemed is not shown alone"

    book = _book(KNOWN, say)
    ends = _charts(book, lambda xml: re.findall(r"<c:(plus|minus)><c:numRef><c:f>'?[^!]*!\$(.)\$(\d+):\$.\$(\d+)", xml))
    assert [[(which, column) for which, column, *_ in each] for each in ends] == [[("plus", "K"), ("minus", "J")], []]
    sheet = openpyxl.load_workbook(io.BytesIO(book), data_only=True)[say(SHEET)]
    reach = {column: [sheet[f"{column}{at}"].value for at in range(6, 9)] for column in "JK"}
    assert reach == {
        "J": [None, pytest.approx(61_222_332.8), pytest.approx(142_321_098.8)],
        "K": [None, pytest.approx(61_222_332.8), pytest.approx(142_321_098.8)],
    }


def test_the_contents_lead_to_the_sheet_and_the_notes_say_how_to_read_it() -> None:
    say = partial(locales.text, "ja")
    read = openpyxl.load_workbook(io.BytesIO(_book(KNOWN, say)))
    assert read.sheetnames == [say(f"insight.sheet.{name}") for name in ("contents", "did", "notes")]
    links = [
        cell.hyperlink.location for [cell] in read[say("insight.sheet.contents")].iter_rows(max_col=1) if cell.hyperlink
    ]
    assert links == [f"'{say(SHEET)}'!A1"]
    notes = {row[0].value for row in read[say("insight.sheet.notes")].iter_rows()}
    assert {say(f"evaluation.note.{name}") for name in ("interval", "lacking", "cost", "administration")} <= notes
    without = openpyxl.load_workbook(io.BytesIO(workbook(replace(SAMPLE, figures=()), say)))
    assert say(SHEET) not in without.sheetnames
