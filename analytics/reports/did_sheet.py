"""The workbook's sheet of what the programme did: the lines of the page with numbers as numbers, and two charts.

Law: the same lines in the same order as on the page and on paper. What is not known is an empty cell, never a zero, and
the words beside it say why. A chart compares what may stand on one scale, leaves out what is not known, and is
not drawn of one number alone.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from analytics.charts.theme import PALETTE
from analytics.reports.cells import FONT, HEAD, Cells, columns_of
from analytics.reports.did import SAYS, TITLE, lines

FORMATS: Final = {
    "yen": "#,##0",
    "yen per winner": "#,##0",
    "yen per unit": "#,##0",
    "yen per unit and week": "#,##0",
    "yen per yen": "#,##0.00",
    "share": "0.0%",
    "months": "0",
    "weeks": "#,##0",
    "p": "0.000",
}
"""By a row's unit; its words are under `evaluation.unit`, with `_` for a blank."""

SHEET: Final = "insight.sheet.did"
TOP: Final = 4
"""Row of the headings, from 0, as on the other sheets."""
NUMBERS: Final = ("value", "low", "high")
COMPARED: Final = {
    "extra": ("redeemed", "surveyed_extra", "causal_extra_total"),
    "administration": ("administration_share", "administration_share_hiratsuka", "administration_share_paper"),
}
"""The two charts, `evaluation.chart.<name>`, and the items that each sets side by side."""

_HEADS: Final = ("item", "value", "low", "high", "unit", "how")
_BESIDE: Final = len(_HEADS) + 1
_CHART_ROWS: Final = 18


def did_sheet(cells: Cells, rows: pd.DataFrame) -> None:
    """Add the sheet; `rows` are those of `what_it_did`."""
    say, sheet = cells.say, cells.book.add_worksheet(cells.say(SHEET))
    cells.text(sheet, 0, 0, say(TITLE), bold=True, font_size=14)
    cells.text(sheet, 1, 0, say(SAYS), font_color="#595959")
    for column, head in enumerate(_HEADS):
        sheet.write_string(TOP, column, say(f"evaluation.head.{head}"), cells.form(**HEAD))
    told = lines(rows, say)
    for at, (row, line) in enumerate(zip(rows.to_dict("records"), told, strict=True), start=TOP + 1):
        unit = str(row["unit"])
        cells.text(sheet, at, 0, line[0])
        for column, name in enumerate(NUMBERS, start=1):
            _number(cells, sheet, (at, column), float(row[name]), unit)
        cells.text(sheet, at, 4, say(f"evaluation.unit.{unit.replace(' ', '_')}"), indent=1)
        cells.text(sheet, at, 5, line[3])
    sheet.set_column(0, 0, min(max(columns_of(line[0]) for line in told) + 3, 60))
    sheet.set_column(1, 3, 16)
    sheet.set_column(4, 4, 18)
    sheet.set_column(5, 5, min(max(columns_of(line[3]) for line in told) + 3, 60))
    titles = [columns_of(say(f"evaluation.chart.{name}")) for name in COMPARED]
    sheet.set_column(_BESIDE, _BESIDE, max(titles) + 3)
    sheet.set_column(_BESIDE + 1, _BESIDE + 3, 16)
    sheet.freeze_panes(TOP + 1, 0)
    sheet.autofilter(TOP, 0, TOP + len(told), len(_HEADS) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    at = TOP
    for number, (name, items) in enumerate(COMPARED.items()):
        known = [row for row in rows.to_dict("records") if row["item"] in items and _known(row)]
        at = _compared(cells, sheet, at, name, known, PALETTE[number]) if len(known) > 1 else at


def _known(row: Any) -> bool:
    return row["store_class"] == "all" and row["state"] == "known" and math.isfinite(row["value"])


def _number(cells: Cells, sheet: Any, place: tuple[int, int], value: float, unit: str) -> None:
    if math.isinf(value):
        cells.text(sheet, *place, cells.say("evaluation.no_limit"), align="right")
    elif not math.isnan(value):
        sheet.write_number(*place, value, cells.form(num_format=FORMATS[unit]))


def _compared(cells: Cells, sheet: Any, at: int, name: str, rows: Sequence[Any], colour: str) -> int:
    """The rows once more beside the list, with a chart below them; returns the row from which there is room again."""
    from xlsxwriter.utility import xl_range_abs  # noqa: PLC0415

    say, title, unit = cells.say, cells.say(f"evaluation.chart.{name}"), str(rows[0]["unit"])
    estimated = any(_reach(row) is not None for row in rows)
    heads = ("value", "below", "above") if estimated else ("value",)
    for offset, head in enumerate((title, *(say(f"evaluation.head.{head}") for head in heads))):
        sheet.write_string(at, _BESIDE + offset, head, cells.form(**HEAD))
    for place, row in enumerate(rows, start=at + 1):
        cells.text(sheet, place, _BESIDE, lines(pd.DataFrame([row]), say)[0][0])
        for offset, number in enumerate((float(row["value"]), *(_reach(row) or ())), start=1):
            _number(cells, sheet, (place, _BESIDE + offset), number, unit)
    own = "'" + say(SHEET).replace("'", "''") + "'"
    of = [f"={own}!{xl_range_abs(at + 1, column, at + len(rows), column)}" for column in range(_BESIDE, _BESIDE + 4)]
    chart = cells.book.add_chart({"type": "bar"})
    drawn = {"name": title, "categories": of[0], "values": of[1], "fill": {"color": colour}, "gap": 60}
    if estimated:
        drawn["x_error_bars"] = {"type": "custom", "minus_values": of[2], "plus_values": of[3], "line": {"width": 1.5}}
    chart.add_series(drawn)
    chart.set_title({"name": title, "name_font": {"name": FONT, "size": 12}})
    chart.set_size({"width": 720, "height": 340})
    chart.set_legend({"none": True})
    chart.set_x_axis({"num_format": FORMATS[unit], **_scale(rows)})
    chart.set_y_axis({"reverse": True, "crossing": "max", "label_position": "low"})
    sheet.insert_chart(at + len(rows) + 2, _BESIDE, chart)
    return at + len(rows) + 2 + _CHART_ROWS


def _reach(row: Any) -> tuple[float, float] | None:
    """How far the interval goes below the value and above it; None where there is none."""
    low, value, high = (float(row[name]) for name in ("low", "value", "high"))
    return (value - low, high - value) if math.isfinite(low) and math.isfinite(high) else None


def _scale(rows: Sequence[Any]) -> dict[str, float]:
    """An axis with room for the intervals, on which zero is a mark."""
    reaches = [(float(row["value"]), *(_reach(row) or (0.0, 0.0))) for row in rows]
    ends = [(value - below, value + above) for value, below, above in reaches]
    low, high = min(0.0, *(end for end, _ in ends)), max(end for _, end in ends)
    if high <= 0:
        return {}
    step = 10.0 ** math.floor(math.log10(high))
    step = next(part * step for part in (0.2, 0.5, 1.0, 2.0) if high <= 6 * part * step)
    return {"min": step * math.floor(low / step), "max": step * math.ceil(high / step), "major_unit": step}
