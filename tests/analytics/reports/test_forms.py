"""Page, workbook and PDF say what the rows say, to the yen, and hold nothing that a name could smuggle in."""

import base64
import csv
import html
import io
import json
import re
import zipfile
from dataclasses import replace
from functools import partial
from typing import Any
from unicodedata import category

import openpyxl
import pypdf
import pytest
from openpyxl.chart import ScatterChart
from openpyxl.utils.datetime import to_excel

import locales
from analytics.charts.data import Kind
from analytics.charts.names import Shape
from analytics.charts.render import GETA, svg
from analytics.charts.theme import Look
from analytics.reports import council
from analytics.reports.council import ReportFontMissing, ReportSignsUnshown, council_pdf, shortened
from analytics.reports.gathered import Gathered
from analytics.reports.html import report_page
from analytics.reports.workbook import workbook
from tests.analytics.reports.samples import SAMPLE

JA = partial(locales.text, "ja")
HEADINGS = 5
"""The row of a sheet's headings, from 1."""


def only(*names: str) -> Gathered:
    return replace(SAMPLE, figures=tuple(SAMPLE.figure(name) for name in names))


@pytest.fixture(scope="module")
def page() -> str:
    return report_page(only("circulation", "flows"), JA, "ja")


@pytest.fixture(scope="module")
def book() -> bytes:
    return workbook(SAMPLE, JA)


@pytest.fixture(scope="module")
def paper() -> bytes:
    return council_pdf(only("circulation", "flows", "ranking"), JA, "ja")


def test_the_page_holds_the_rows_as_table_csv_and_data_of_the_chart(page: str) -> None:
    for name in ("circulation", "flows"):
        figure = SAMPLE.figure(name)
        yen = next(field.name for field in figure.kind.fields if field.kind is Kind.YEN)
        wanted = figure.data[yen].to_list()
        section = page[page.index(f'<section id="{name}"') :].partition("</section>")[0]
        (rows,) = re.findall(rf'<script type="application/json" id="rows-{name}">(.*?)</script>', section)
        assert [row[yen] for row in json.loads(rows)] == wanted
        cells = [html.unescape(cell) for cell in re.findall(r"<td [^>]*>(.*?)</td>", section)]
        width, at = len(figure.kind.fields), [field.name for field in figure.kind.fields].index(yen)
        assert [int(cell.replace(",", "")) for cell in cells[at::width]] == wanted
        (address,) = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', section)
        read = list(csv.reader(io.StringIO(base64.b64decode(address).decode("utf-8-sig"))))
        assert [int(row[at]) for row in read[1:]] == wanted


def test_the_page_asks_nobody_for_anything(page: str) -> None:
    outside = page.partition("<script>")[0]
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', outside) == []
    assert "default-src 'none'" in outside
    assert "@import" not in outside


def test_a_workbook_bears_the_time_of_its_figures_and_none_of_the_machine(book: bytes) -> None:
    said = zipfile.ZipFile(io.BytesIO(book)).read("docProps/core.xml").decode()
    assert re.findall(r"<dcterms:\w+ [^>]*>([^<]*)<", said) == ["2027-02-01T03:00:00Z"] * 2
    undated = openpyxl.load_workbook(io.BytesIO(workbook(replace(only(), refreshed_at=None), JA)))
    assert f"{undated.properties.created:%Y-%m-%d %H:%M}" == "2027-01-31 00:00"


def test_the_page_is_marked_up_for_those_who_listen(page: str) -> None:
    assert '<html lang="ja">' in page
    assert page.count("<h1>") == 1
    assert len(re.findall(r"<h2 ", page)) == len(re.findall(r"<caption>", page)) == 2
    assert len(re.findall(r'<figure [^>]*role="img" aria-label="[^"]+"', page)) == 2
    assert '<th scope="col"' in page
    identities = re.findall(r' id="([^"]+)"', page.partition("<script>(")[0])
    assert len(identities) == len(set(identities))


def test_a_name_never_becomes_markup(page: str) -> None:
    assert "星まつり &lt;2026&gt;" in page
    assert "<2026>" not in page


def test_the_workbook_holds_the_rows_of_every_chart(book: bytes) -> None:
    read = openpyxl.load_workbook(io.BytesIO(book), data_only=True)
    for figure in SAMPLE.figures:
        sheet = read[JA(f"insight.sheet.{figure.name}")]
        for column, field in enumerate(figure.kind.fields, start=1):
            assert sheet.cell(HEADINGS, column).value == field.head(JA)
            if not field.kind.is_number:
                continue
            cells = [sheet.cell(HEADINGS + row, column).value for row in range(1, len(figure.data) + 1)]
            wanted = sorted(figure.data[field.name])
            assert sorted(cells) == (pytest.approx(wanted) if field.kind is Kind.SHARE else wanted)
            if field.adds:
                assert sheet.cell(HEADINGS - 1, column).value == figure.data[field.name].sum()


def test_the_grid_beside_a_list_has_the_same_sum(book: bytes) -> None:
    read = openpyxl.load_workbook(io.BytesIO(book), data_only=True)
    for name in ("hours", "flows"):
        figure, sheet = SAMPLE.figure(name), read[JA(f"insight.sheet.{name}")]
        first = len(figure.kind.fields) + 1 + (2 if name == "hours" else 1)
        grid = sheet.iter_rows(min_row=HEADINGS + 1, min_col=first + 1, values_only=True)
        assert sum(cell for row in grid for cell in row if isinstance(cell, int)) == figure.data["sales_yen"].sum()


def test_the_workbook_has_charts_and_notes_and_no_macro(book: bytes) -> None:
    names = zipfile.ZipFile(io.BytesIO(book)).namelist()
    assert sum(name.startswith("xl/charts/chart") for name in names) == 4
    assert not [name for name in names if "vba" in name.lower() or "external" in name.lower()]
    notes = openpyxl.load_workbook(io.BytesIO(book))[JA("insight.sheet.notes")]
    assert JA("insight.note.source") in {row[0].value for row in notes.iter_rows()}


def test_what_is_expected_is_drawn_after_what_was_counted_and_not_over_it(book: bytes) -> None:
    """Excel draws all series of a line chart at the first one's days; in a scatter chart each has days of its own."""
    read = openpyxl.load_workbook(io.BytesIO(book))
    for name, series in (("redemption", "known"), ("before_after", "group")):
        figure, sheet = SAMPLE.figure(name), read[JA(f"insight.sheet.{name}")]
        (chart,) = sheet._charts
        assert isinstance(chart, ScatterChart)
        at = [field.name for field in figure.kind.fields].index(series)
        drawn = []
        for each in chart.series:
            days, amounts = (cells_of(sheet, ref.numRef.f) for ref in (each.xVal, each.yVal))
            assert [cell.row for cell in days] == [cell.row for cell in amounts]
            assert all(cell.is_date for cell in days)
            assert {sheet.cell(cell.row, at + 1).value for cell in days} == {each.tx.v}
            drawn += [cell.row for cell in days]
        assert drawn == list(range(HEADINGS + 1, HEADINGS + 1 + len(figure.data)))
        edges = [to_excel(day) for day in figure.data[figure.kind.key[0]].agg(["min", "max"])]
        assert [chart.x_axis.scaling.min, chart.x_axis.scaling.max] == edges


def cells_of(sheet: Any, reference: str) -> list[Any]:
    """The cells of a column that a chart refers to."""
    return [cell for (cell,) in sheet[reference.rpartition("!")[2].replace("$", "")]]


def test_only_totals_are_formulas_and_text_stays_text(book: bytes) -> None:
    read = openpyxl.load_workbook(io.BytesIO(book))
    formulas = {cell.value for sheet in read for row in sheet.iter_rows() for cell in row if cell.data_type == "f"}
    assert formulas
    assert all(str(formula).startswith("=SUBTOTAL(109,") for formula in formulas)
    named = [
        cell
        for row in read[JA("insight.sheet.circulation")].iter_rows(max_col=1)
        for cell in row
        if cell.value == "=granted"
    ]
    assert len(named) == 3
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in named)


@pytest.mark.parametrize("language", ["en", "ja-simple"])
def test_a_workbook_is_written_in_every_language(language: str) -> None:
    say = partial(locales.text, language)
    read = openpyxl.load_workbook(io.BytesIO(workbook(SAMPLE, say)))
    assert read.sheetnames[1:-1] == [say(f"insight.sheet.{figure.name}") for figure in SAMPLE.figures]


def test_the_pdf_says_the_figures_to_the_yen_in_japanese(paper: bytes) -> None:
    read = pypdf.PdfReader(io.BytesIO(paper))
    text = "".join(page.extract_text() for page in read.pages)
    plain = re.sub(r"\s", "", text)
    for fact in SAMPLE.facts:
        assert fact.written(JA) in plain
    for name in ("circulation", "flows", "ranking"):
        figure = SAMPLE.figure(name)
        assert re.sub(r"\s", "", figure.title(JA)) in plain
        yen = next(field.name for field in figure.kind.fields if field.kind is Kind.YEN)
        assert [f"{value:,}" for value in shortened(figure).data[yen] if f"{value:,}" not in text] == []


def test_the_pdf_is_accessible_and_always_the_same(paper: bytes) -> None:
    read = pypdf.PdfReader(io.BytesIO(paper))
    assert "pdfuaid:part" in read.xmp_metadata.stream.get_data().decode() if read.xmp_metadata else False
    assert str(read.root_object["/Lang"]) == "ja"
    assert "'/Marked': True" in str(read.root_object["/MarkInfo"])
    assert council_pdf(only("circulation", "flows", "ranking"), JA, "ja") == paper


def test_signs_that_no_font_has_do_not_keep_the_council_from_its_paper() -> None:
    text = set_with("S-1\u202e\u0645\u0631\t", "A\U0001f38b\u200d\U0001f9cbB")
    assert f"A{GETA}{GETA}B" in text


def set_with(*names: str) -> str:
    """The text of the council's paper of two stores that are called so."""
    ranking = SAMPLE.figure("ranking")
    odd = ranking.data.head(2).assign(store=names)
    made = council_pdf(replace(SAMPLE, figures=(replace(ranking, data=odd),)), JA, "ja")
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages)


def test_no_number_of_signs_without_a_font_keeps_the_council_from_its_paper() -> None:
    unknown = [chr(sign) for sign in range(0x10A00, 0x10B00) if category(chr(sign))[0] not in "CM"]
    assert len(unknown) > 100
    assert f"A{GETA}B" in set_with("".join(unknown), f"A{unknown[-1]}B")


def test_marks_without_a_font_do_not_keep_the_council_from_its_paper_either() -> None:
    marks = [chr(sign) for sign in range(0x300, 0x11500) if category(chr(sign)) in {"Mn", "Mc"}]
    assert "〓" in set_with("A\U00010a01B", "".join(marks))


def test_signs_that_cannot_be_left_out_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(council, "GETA", "\U00010a10")
    with pytest.raises(ReportSignsUnshown):
        set_with("A\U00010a11B", "C")


@pytest.mark.parametrize("shape", Shape)
def test_a_name_of_rare_signs_that_has_no_room_is_drawn(shape: Shape) -> None:
    ranking = SAMPLE.figure("ranking")
    figure = replace(ranking, data=ranking.data.head(2).assign(store=["の𠮷" * 20, "𠮷野家"]))
    assert "〓" in svg(figure.spec(Look(JA, shape)))
    short = replace(ranking, data=ranking.data.head(2).assign(store=["𠮷野家", "西友"]))
    assert "𠮷野家" in svg(short.spec(Look(JA, shape)))


def test_a_shortened_table_keeps_its_sums_and_its_last_row() -> None:
    hours, redemption = SAMPLE.figure("hours"), SAMPLE.figure("redemption")
    assert shortened(hours).data["sales_yen"].sum() == hours.data["sales_yen"].sum()
    assert len(shortened(redemption).data) <= council.MOST_ROWS
    assert shortened(redemption).data.iloc[-1].equals(redemption.data.iloc[-1])


def test_without_a_japanese_font_there_is_no_pdf_of_empty_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(council, "japanese_font", lambda: None)
    with pytest.raises(ReportFontMissing):
        council_pdf(SAMPLE, JA, "ja")
