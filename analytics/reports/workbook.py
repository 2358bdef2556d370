"""The report as an Excel workbook that an official uses as it is: a sheet a chart, native charts, notes, no macros.

Cells hold the rows of the chart, numbers as numbers; a total above a column follows the sheet's filter. Text is
written as text whatever it begins with, and marked so that it stays text when somebody edits the cell.
"""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Final

import pandas as pd

from analytics.charts.data import Field, Kind, Say, Table
from analytics.charts.figure import Figure
from analytics.charts.theme import FIRST, PALETTE, SHADES
from analytics.reports.cells import FONT, HEAD, Cells, columns_of
from analytics.reports.did import TITLE
from analytics.reports.did_sheet import SHEET, did_sheet
from analytics.reports.gathered import Gathered

_FORMATS: Final = {
    Kind.YEN: "#,##0",
    Kind.COUNT: "#,##0",
    Kind.HOUR: "0",
    Kind.SHARE: "0.0%",
    Kind.DAY: "yyyy-mm-dd",
    Kind.MONTH: "yyyy-mm",
}
_TOP: Final = 4
"""Row of the headings, from 0; above them title, how to read it, and totals."""
_MOST_COLUMN: Final = 34


@dataclass(frozen=True)
class Native:
    """How Excel draws a chart: a series for each value of `series`, or else one; `across` and `value` are columns.

    Days are drawn as `scatter`: Excel's bars and lines stand where the first series stands, whatever their rows say.
    """

    type: str
    across: str
    value: str
    series: str | None = None
    subtype: str | None = None


@dataclass(frozen=True)
class Grid:
    """A table of rows by columns beside the list, shaded by its values, where Excel has no such chart."""

    down: tuple[str, ...]
    across: str
    value: str


VIEWS: Final[dict[str, Native | Grid]] = {
    "circulation": Native("bar", "purse", "points_yen", "state", "stacked"),
    "redemption": Native("scatter", "day", "used_yen", "known", "straight"),
    "hours": Grid(("district", "category"), "hour", "sales_yen"),
    "flows": Grid(("home",), "place", "sales_yen"),
    "cohorts": Grid(("cohort",), "months_later", "share"),
    "ranking": Native("bar", "store", "sales_yen"),
    "before_after": Native("scatter", "week", "mean_yen", "group", "straight"),
}


def workbook(gathered: Gathered, say: Say) -> bytes:
    """The workbook in one language; the same figures make the same bytes."""
    import xlsxwriter  # noqa: PLC0415

    into = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(into, options) as book:
        book.formats[0].set_font_name(FONT)
        made = gathered.refreshed_at or datetime.combine(gathered.last, time(), UTC)  # not when somebody asked for it
        title = say("insight.report.title", programme=gathered.called)
        book.set_properties({"title": title, "created": made.astimezone(UTC)})
        writer = _Writer(book, say)
        writer.contents(gathered)
        if gathered.did is not None:
            did_sheet(writer, gathered.did)
        for figure in gathered.figures:
            writer.sheet(figure)
        writer.notes(gathered)
    return into.getvalue()


class _Writer(Cells):
    """The sheets of one book in one language."""

    def contents(self, gathered: Gathered) -> None:
        say, sheet = self.say, self.book.add_worksheet(self.say("insight.sheet.contents"))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 40)
        self.text(sheet, 0, 0, say("insight.report.title", programme=gathered.called), bold=True, font_size=16)
        row = 2
        for head, text in gathered.heads(say):
            self.text(sheet, row, 0, head)
            self.text(sheet, row, 1, text)
            row += 1
        row += 1
        for fact in gathered.facts:
            self.text(sheet, row, 0, fact.head(say))
            sheet.write_number(row, 1, fact.value, self.form(num_format=_FORMATS[fact.kind], align="left"))
            row += 1
        linked = [(self._name(figure), figure.title(say)) for figure in gathered.figures]
        if gathered.did is not None:
            linked.insert(0, (say(SHEET), say(TITLE)))
        for place, (name, title) in enumerate(linked, start=row + 1):
            sheet.write_url(place, 0, f"internal:'{name}'!A1", self.form(font_color=FIRST, underline=1), title)

    def sheet(self, figure: Figure) -> None:
        say, table = self.say, figure.table(self.say)
        sheet = self.book.add_worksheet(self._name(figure))
        self.text(sheet, 0, 0, figure.title(say), bold=True, font_size=14)
        self.text(sheet, 1, 0, figure.says(say), font_color="#595959")
        view = VIEWS[figure.name]
        rows = _in_series(table, view)
        head = self.form(**HEAD)
        for column, field in enumerate(table.fields):
            sheet.write_string(_TOP, column, table.heads[column], head)
            sheet.set_column(column, column, _width(table, column))
            self._total(sheet, rows, column, field)
            for at, cells in enumerate(rows, start=_TOP + 1):
                self._cell(sheet, at, column, field, cells[column])
        sheet.freeze_panes(_TOP + 1, 0)
        sheet.autofilter(_TOP, 0, _TOP + max(len(rows), 1), len(table.fields) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_TOP)
        beside = len(table.fields) + 1
        if isinstance(view, Grid):
            self._grid(sheet, table, view, beside)
        elif rows:
            sheet.insert_chart(_TOP, beside, self._chart(figure, table, rows, view))

    def notes(self, gathered: Gathered) -> None:
        say, sheet = self.say, self.book.add_worksheet(self.say("insight.sheet.notes"))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 110)
        notes = [say(f"insight.note.{name}") for name in ("source", "yen", "net", "days", "total", "people")]
        if gathered.did is not None:
            notes += [say(f"evaluation.note.{name}") for name in ("interval", "lacking", "cost", "administration")]
        kept = "insight.report.internal" if gathered.hidden is None else "insight.report.protected"
        for row, note in enumerate([say("insight.sheet.notes"), say(kept, hidden=gathered.hidden or 0), *notes]):
            self.text(sheet, row * 2, 0, note, text_wrap=True, bold=row == 0)

    def _name(self, figure: Figure) -> str:
        return self.say(f"insight.sheet.{figure.name}")

    def _cell(self, sheet: Any, row: int, column: int, field: Field, cell: Any, **properties: Any) -> None:
        if isinstance(cell, str):
            self.text(sheet, row, column, cell, **properties)
            return
        form = self.form(num_format=_FORMATS[field.kind], **properties)
        if isinstance(cell, pd.Timestamp):
            sheet.write_datetime(row, column, cell.to_pydatetime(), form)
        else:
            sheet.write_number(row, column, cell, form)

    def _total(self, sheet: Any, rows: list[Any], column: int, field: Field) -> None:
        """Above a column that adds up: its total over the rows that the filter shows."""
        if not field.adds or not rows:
            return
        from xlsxwriter.utility import xl_range  # noqa: PLC0415

        formula = f"=SUBTOTAL(109,{xl_range(_TOP + 1, column, _TOP + len(rows), column)})"
        form = self.form(num_format=_FORMATS[field.kind], bold=True, top=1)
        sheet.write_formula(_TOP - 1, column, formula, form, sum(cells[column] for cells in rows))
        if column:
            self.text(sheet, _TOP - 1, 0, self.say("insight.sheet.total"), bold=True)

    def _chart(self, figure: Figure, table: Table, rows: list[Any], view: Native) -> Any:
        names = [field.name for field in table.fields]
        across, value = names.index(view.across), names.index(view.value)
        chart = self.book.add_chart({"type": view.type} | ({"subtype": view.subtype} if view.subtype else {}))
        sheet = self._name(figure)
        for number, (label, first, last) in enumerate(_runs(figure, table, rows, view)):
            colour = {"color": PALETTE[number % len(PALETTE)]}
            dash = {"dash_type": "dash"} if number else {}
            line = {"line": {**colour, **dash, "width": 2.25}}
            if first == last:  # one day is no line
                line["marker"] = {"type": "circle", "size": 6, "fill": colour, "border": colour}
            styled = line if view.type == "scatter" else {"fill": colour, "gap": 40}
            chart.add_series(
                {
                    "name": label,
                    "categories": [sheet, first, across, last, across],
                    "values": [sheet, first, value, last, value],
                    **styled,
                }
            )
        chart.set_title({"name": figure.title(self.say), "name_font": {"name": FONT, "size": 12}})
        chart.set_size({"width": 720, "height": max(380, 24 * len(rows)) if view.type == "bar" else 380})
        chart.set_legend({"none": True} if view.series is None else {"position": "bottom"})
        amounts = {"num_format": "#,##0", "name": table.heads[value], "name_font": {"bold": False}}
        if view.type == "bar":  # the first row on top, as in the list, and the amounts below
            chart.set_x_axis(amounts)
            chart.set_y_axis({"reverse": True, "crossing": "max"})
        else:
            days = [_serial(row[across]) for row in rows]
            chart.set_x_axis({"num_format": "m/d", "min": min(days), "max": max(*days, min(days) + 1)})
            chart.set_y_axis(amounts)
        return chart

    def _grid(self, sheet: Any, table: Table, view: Grid, at: int) -> None:
        """The same cells once more as a grid; what has no row stays empty."""
        names = [field.name for field in table.fields]
        down, across = [names.index(name) for name in view.down], names.index(view.across)
        value = names.index(view.value)
        rows = list(dict.fromkeys(tuple(cells[i] for i in down) for cells in table.rows))
        keys: Any = dict.fromkeys(cells[across] for cells in table.rows)
        columns = list(keys) if table.fields[across].kind.dtype == "str" else sorted(keys)
        head = {"bold": True, "bg_color": "#f1f1f1"}
        left = at + len(down)
        for number, label in enumerate(columns):
            self._cell(sheet, _TOP, left + number, table.fields[across], label, **head)
        for number, labels in enumerate(rows, start=_TOP + 1):
            for offset, label in enumerate(labels):
                self._cell(sheet, number, at + offset, table.fields[down[offset]], label, **head)
        for cells in table.rows:
            row = _TOP + 1 + rows.index(tuple(cells[i] for i in down))
            self._cell(sheet, row, left + columns.index(cells[across]), table.fields[value], cells[value])
        if not rows:
            return
        sheet.set_column(at, left - 1, 14)
        sheet.set_column(left, left + len(columns) - 1, 12)
        last = (_TOP + len(rows), left + len(columns) - 1)
        shade = {"type": "2_color_scale", "min_color": SHADES[0], "max_color": SHADES[3]}
        sheet.conditional_format(_TOP + 1, left, *last, shade)


def _serial(day: pd.Timestamp) -> int:
    """A day as Excel counts it on an axis."""
    return (day - pd.Timestamp(1899, 12, 30)).days


def _in_series(table: Table, view: Native | Grid) -> list[Any]:
    """The rows in an order in which each series of a native chart is one run of cells."""
    if isinstance(view, Grid) or view.series is None:
        return list(table.rows)
    column = [field.name for field in table.fields].index(view.series)
    order = list(dict.fromkeys(cells[column] for cells in table.rows))
    return sorted(table.rows, key=lambda cells: order.index(cells[column]))


def _runs(figure: Figure, table: Table, rows: list[Any], view: Native) -> list[tuple[str, int, int]]:
    """The series: a name, and the sheet's first and last row of each."""
    names = [field.name for field in table.fields]
    if view.series is None:
        named = [row for row in rows if row[names.index("stores")] == 1] if "stores" in names else rows
        return [(table.heads[names.index(view.value)], _TOP + 1, _TOP + max(len(named), 1))]
    column = names.index(view.series)
    found: dict[str, list[int]] = {}
    for at, cells in enumerate(rows, start=_TOP + 1):
        found.setdefault(cells[column], []).append(at)
    return [(label, places[0], places[-1]) for label, places in found.items()]


def _width(table: Table, column: int) -> float:
    """Room for the longest cell: a full-width sign takes two columns."""
    kind = table.fields[column].kind
    texts = [str(row[column]) if not kind.is_number else f"{row[column]:,}" for row in table.rows[:200]]
    if kind in {Kind.DAY, Kind.MONTH, Kind.SHARE}:
        texts = ["2026-04-01"]
    widest = max((columns_of(text) for text in [table.heads[column], *texts]), default=8)
    return min(widest + 3, _MOST_COLUMN)
