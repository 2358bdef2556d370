"""What was taken from lots, and whose the lots are, put together: what `spending` tells, by another way."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.frames import FRAMES
from analytics.lake import shape
from analytics.lake.read import FEW_DAYS, Stretch, read_all
from analytics.lake.views import COLUMNS, Days, open_views
from analytics.lake.write import schema_of
from tests.town import Town


async def test_both_ways_tell_the_same_of_payments_from_several_lots_and_of_what_came_back(
    engine: AsyncEngine, uri: str
) -> None:
    town = Town(engine)
    await town.programme()
    people, shop = [await town.resident() for _ in range(2)], await town.shop()
    for who in people:
        await town.buy(who)
        await town.grant(who, 300)
    for who in people:
        receipt = await town.pay(who, shop, 5_200)
        await town.refund(shop, receipt, 700)
        await town.cancel(shop, await town.pay(who, shop, 60))
    every = Days(None, None)

    def both() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        with open_views(uri) as views:
            taken = shape.Purses(views.rows("purses")).told_of(views.rows("taken", every))
            names = COLUMNS["spending"].split(", ")
            found = [
                table.select(names).sort_by([("deed", "ascending"), ("lot", "ascending")]).to_pylist()
                for table in (views.rows("spending", every), taken)
            ]
            return found[0], found[1]

    at_once, in_two = await asyncio.to_thread(both)
    assert at_once == in_two
    assert {row["kind"] for row in at_once} == {"payment", "refund", "cancel"}
    assert len(at_once) > len({row["deed"] for row in at_once}), "a payment took from several lots"
    assert len({row["resident"] for row in at_once}) == len({row["purse"] for row in at_once}) == 2


def test_more_than_a_week_is_read_in_two_and_a_week_is_not(tmp_path: Path) -> None:
    asked: list[str] = []

    class Asked:
        def rows(self, view: str, _days: Days | None = None) -> pa.Table:
            asked.append(view)
            spending = shape.Purses(PURSES).told_of(TAKEN)
            return {"spending": spending, "taken": TAKEN, "purses": PURSES}[view]

    def read(days: int) -> list[str]:
        asked.clear()
        stretch = Stretch("spending", Days(date(2026, 4, 1), date(2026, 4, 1 + days)))
        views: Any = Asked()
        [found] = read_all(tmp_path, "", views, [stretch], 1, lambda _done, _all: None)
        [part] = found.parts
        assert (part.day, part.rows, part.sums["paid_yen"]) == (date(2026, 4, 2), 3, 60)
        return list(asked)

    assert read(FEW_DAYS) == ["spending"]
    assert read(FEW_DAYS + 1) == ["purses", "taken"]


PURSES = pa.table({"lot": [5, 7], "resident": [1, 2], "programme": ["P", "P"], "purse": ["common", "small"]})
TAKEN = pa.table(
    {
        "deed": [11, 12, 11],
        "payment": [11, 12, 11],
        "kind": ["payment"] * 3,
        "store": ["S1", "S2", "S1"],
        "mode": ["mpm"] * 3,
        "at": pa.array([datetime(2026, 4, 1, 15, tzinfo=UTC)] * 3, pa.timestamp("us", tz="UTC")),
        "lot": [7, 5, 5],
        "paid_yen": [10, 20, 30],
        "premium_yen": [1, 2, 3],
        "emptied": [False, True, False],
    }
)


def test_a_lot_that_nobody_has_and_one_that_two_have_are_found() -> None:
    with pytest.raises(shape.LotUnknown):
        shape.Purses(PURSES.slice(1)).told_of(TAKEN)
    with pytest.raises(shape.KeysCollide):
        shape.Purses(pa.concat_tables([PURSES, PURSES.slice(1)]))


def test_what_a_deed_took_from_two_purses_is_two_rows_and_from_two_lots_of_one_is_one() -> None:
    def rows(purses: pa.Table) -> list[tuple[Any, ...]]:
        [(day, told)] = shape.days_of(FRAMES["spending"], shape.Purses(purses).told_of(TAKEN))
        assert (day, told.schema) == (date(2026, 4, 2), schema_of(FRAMES["spending"]))
        columns = ("deed", "resident", "purse", "amount_yen", "paid_yen", "premium_yen", "emptied")
        return sorted(zip(*(told[name].to_pylist() for name in columns), strict=True))

    two = [(11, 1, "common", 33, 30, 3, False), (11, 2, "small", 11, 10, 1, False), (12, 1, "common", 22, 20, 2, True)]
    assert rows(PURSES) == two
    one = pa.table({**{name: PURSES[name] for name in PURSES.column_names}, "purse": ["common", "common"]})
    one = one.set_column(one.column_names.index("resident"), "resident", pa.array([1, 1]))
    assert rows(one) == [(11, 1, "common", 44, 40, 4, False), (12, 1, "common", 22, 20, 2, True)]
