"""Who joined when, and what they sold week by week: a city's own CSV, for comparison where there was no draw.

A unit is a store or a district, and its sales are all of a week by every means of payment, also of the weeks before it
joined: only stores can tell them. A line that cannot be is not mended but left out, and told with its reason.
docs/algorithms/evaluation.md, "Staggered".
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

import pandas as pd

from analytics.evaluation.csv_file import SURPLUS, amount_fault, lines_of
from services.kit.errors import Refusal

COLUMNS: Final = ("unit", "week", "sales_yen", "joined_week")
DISTRICT: Final = "district"
SINCE: Final = "_since_"
"""Between the name of an estimate and the weeks since joining, in the name of a line of its own."""
BEFORE: Final = "_before_"
"""The same for weeks before joining."""
MOST_YEN: Final = 100_000_000_000
"""No district of any city sells more in a week."""


class JoinedUnreadable(Refusal):
    """The file as a whole tells of nobody.

    `problem` is `size`, `encoding`, `header` (with `column`), `rows` or `format`.
    """

    code: ClassVar[str] = "joined_unreadable"


@dataclass(frozen=True)
class Joined:
    """`sales`: unit, week, sales_yen, joined_week (NaT: never), district. `rejected`: line, column, reason, value."""

    sales: pd.DataFrame
    rejected: pd.DataFrame


def read_joined(content: bytes) -> Joined:
    """A CSV in UTF-8 with a header: unit, week, sales_yen, joined_week, perhaps district.

    Weeks are their Mondays (2026-04-06); joined_week is empty for a unit that never joined. Sales are whole yen of
    ASCII digits. district: units of one are taken for alike; the unit itself where the column is not there. Lines
    count from 1, the header's. A unit joined when its first line says. Raises JoinedUnreadable.
    """
    sales: list[dict[str, object]] = []
    rejected: list[dict[str, object]] = []
    seen: set[tuple[str, str]] = set()
    known: dict[str, tuple[str, str]] = {}
    for line, row in lines_of(content, COLUMNS, DISTRICT, JoinedUnreadable):
        fault = _fault(row, seen, known)
        if fault is not None:
            column, reason = fault
            rejected.append({"line": line, "column": column, "reason": reason, "value": row.get(column, "")[:60]})
            continue
        unit, week, joined = row["unit"], row["week"], row["joined_week"]
        seen.add((unit, week))
        known[unit] = joined, row.get(DISTRICT, unit)
        told = {"unit": unit, "week": week, "sales_yen": int(row["sales_yen"]), "joined_week": joined or None}
        sales.append(told | {DISTRICT: row.get(DISTRICT, unit)})
    days = {"week": "datetime64[us]", "joined_week": "datetime64[us]"}
    return Joined(
        pd.DataFrame(sales, columns=[*COLUMNS, DISTRICT]).astype({"sales_yen": "int64"} | days),
        pd.DataFrame(rejected, columns=["line", "column", "reason", "value"]).astype({"line": "int64"}),
    )


def _fault(
    row: dict[str, str], seen: set[tuple[str, str]], known: dict[str, tuple[str, str]]
) -> tuple[str, str] | None:
    """The first column that is at fault and why: empty, no_monday, no_number, negative, too_large, twice, otherwise."""
    if SURPLUS in row:
        return SURPLUS, "cells"
    empty = [name for name in ("unit", "week", DISTRICT) if name in row and not row[name]]
    if empty:
        return empty[0], "empty"
    for name in ("week", "joined_week"):
        if row[name] and not _is_monday(row[name]):
            return name, "no_monday"
    fault = amount_fault(row["sales_yen"], MOST_YEN)
    return ("sales_yen", fault) if fault is not None else _contradiction(row, seen, known)


def _contradiction(
    row: dict[str, str], seen: set[tuple[str, str]], known: dict[str, tuple[str, str]]
) -> tuple[str, str] | None:
    """What the line says otherwise than one before it."""
    unit = row["unit"]
    if (unit, row["week"]) in seen:
        return "week", "twice"
    said = row["joined_week"], row.get(DISTRICT, unit)
    before = known.get(unit, said)
    changed = [name for name, now, then in zip(("joined_week", DISTRICT), said, before, strict=True) if now != then]
    return (changed[0], "otherwise") if changed else None


def _is_monday(text: str) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day.isoformat() == text and day.weekday() == 0 and 2000 <= day.year < 2200
