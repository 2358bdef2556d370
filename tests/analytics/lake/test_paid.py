"""What payments took from lots, put together from the tables by number: what `spending` tells, by another way."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.frames import FRAMES
from analytics.lake import shape
from analytics.lake.arrays import KeysCollide, in_order
from analytics.lake.packed import PACKED, Columns, Misread, unpacked
from analytics.lake.paid import City, LotUnknown
from analytics.lake.read import FEW_DAYS, Stretch, Way, read_all
from analytics.lake.views import COLUMNS, Days, open_views
from tests.town import Town


async def test_both_ways_tell_the_same_of_payments_from_several_lots_and_of_what_came_back(
    engine: AsyncEngine, uri: str
) -> None:
    town = Town(engine)
    await town.programme()
    people, shops = [await town.resident() for _ in range(2)], [await town.shop() for _ in range(2)]
    for who in people:
        await town.buy(who)
        await town.grant(who, 300)
    for who, shop in zip(people, shops, strict=True):
        receipt = await town.pay(who, shop, 5_200)
        await town.pay_store(who, shop, 300)
        await town.refund(shop, receipt, 700)
        await town.cancel(shop, await town.pay(who, shop, 60))
    every = Days(None, None)

    def both() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        with open_views(uri) as views:
            assert len(views.columns("legs", Days(date(2100, 1, 1), date(2100, 1, 2)))["leg"]) == 0
            assert views.rows("spending").num_rows == views.rows("spending", every).num_rows > 0
            payments, legs, takings = (views.columns(view, every) for view in PACKED)
            city = City(views.rows("purses"), views.rows("shops"))
            by_number = city.spending(payments, legs, takings, views.rows("returned", every))
            names = COLUMNS["spending"].split(", ")
            found = [
                sorted(table.select(names).to_pylist(), key=lambda row: (row["deed"], row["lot"]))
                for table in (views.rows("spending", every), by_number)
            ]
            return found[0], found[1]

    at_once, by_number = await asyncio.to_thread(both)
    assert at_once == by_number
    assert {row["kind"] for row in at_once} == {"payment", "refund", "cancel"}
    assert len(at_once) > len({row["deed"] for row in at_once}), "a payment took from several lots"
    assert len({row["resident"] for row in at_once}) == len({row["store"] for row in at_once}) == 2
    assert len({row["purse"] for row in at_once}) == len({row["mode"] for row in at_once}) == 2


AT = datetime(2026, 4, 1, 15, tzinfo=UTC)
PURSES = pa.table({"lot": [5, 7], "resident": [1, 2], "programme": ["P", "P"], "purse": ["common", "small"]})
SHOPS = pa.table({"shop": [31, 30], "store": ["S1", "S2"]})
PAYMENTS: Columns = {
    "payment": np.array([12, 11]),
    "shop": np.array([30, 31]),
    "mode": np.array([0, 1], dtype="u1"),
    "at": np.array([int(AT.timestamp()) * 1_000_000] * 2),
    "emptied": np.array([True, False]),
}
LEGS: Columns = {"leg": np.array([21, 22]), "payment": np.array([11, 12])}
TAKINGS: Columns = {
    "leg": np.array([21, 23, 22, 21]),
    "lot": np.array([7, 5, 5, 5]),
    "paid_yen": np.array([10, 4, 20, 30]),
    "premium_yen": np.array([1, 0, 2, 3]),
}
RETURNED = pa.table(
    {
        "deed": [13],
        "payment": [11],
        "kind": ["refund"],
        "store": ["S1"],
        "mode": ["mpm"],
        "at": pa.array([AT], pa.timestamp("us", tz="UTC")),
        "lot": [5],
        "paid_yen": [-4],
        "premium_yen": [0],
        "emptied": [False],
    }
)


def test_more_than_a_week_is_read_by_number_and_a_week_is_not(tmp_path: Path) -> None:
    asked: list[str] = []
    columns = {"payments": PAYMENTS, "legs": LEGS, "takings": TAKINGS}
    spending = City(PURSES, SHOPS).spending(PAYMENTS, LEGS, TAKINGS, RETURNED)

    class Asked:
        def rows(self, view: str, _days: Days | None = None) -> pa.Table:
            asked.append(view)
            return {"spending": spending, "purses": PURSES, "shops": SHOPS, "returned": RETURNED}[view]

        def columns(self, view: str, _days: Days) -> Columns:
            asked.append(view)
            return columns[view]

    def read(days: int) -> list[str]:
        asked.clear()
        stretch = Stretch("spending", Days(date(2026, 4, 1), date(2026, 4, 1 + days)))
        views: Any = Asked()
        [found] = read_all(tmp_path, Way(""), views, [stretch], lambda _done, _all: None)
        [part] = found.parts
        assert (part.day, part.rows, part.sums["paid_yen"]) == (date(2026, 4, 2), 4, 56)
        return list(asked)

    assert read(FEW_DAYS) == ["spending"]
    assert read(FEW_DAYS + 1) == ["purses", "shops", "payments", "legs", "takings", "returned"]


def _without(columns: Columns, place: int) -> Columns:
    return {name: np.delete(values, place) for name, values in columns.items()}


def test_what_is_not_there_or_there_twice_is_found() -> None:
    city = City(PURSES, SHOPS)
    with pytest.raises(LotUnknown):  # a lot that nobody has
        City(PURSES.slice(1), SHOPS).spending(PAYMENTS, LEGS, TAKINGS, RETURNED)
    with pytest.raises(LotUnknown):  # a store
        City(PURSES, SHOPS.slice(1)).spending(PAYMENTS, LEGS, TAKINGS, RETURNED)
    with pytest.raises(LotUnknown):  # a payment
        city.spending(_without(PAYMENTS, 0), LEGS, TAKINGS, RETURNED)
    with pytest.raises(LotUnknown, match="no leg"):
        city.spending(PAYMENTS, _without(LEGS, 0), TAKINGS, RETURNED)
    with pytest.raises(LotUnknown, match="no leg"):  # what came back is not told
        city.spending(PAYMENTS, LEGS, TAKINGS, RETURNED.slice(1))
    twice: Columns = {name: np.append(values, values[:1]) for name, values in PAYMENTS.items()}
    with pytest.raises(KeysCollide):
        city.spending(twice, LEGS, TAKINGS, RETURNED)
    with pytest.raises(KeysCollide):
        City(pa.concat_tables([PURSES, PURSES.slice(1)]), SHOPS)


def test_a_value_that_is_empty_or_a_word_that_nobody_listed_is_refused() -> None:
    told = {"rows": [2], "leg": [bytes(15) + b"\x07"], "payment": [bytes(7) + b"\x01" + bytes(8)]}
    found = unpacked("legs", pa.table(told))
    assert {name: list(values) for name, values in found.items()} == {"leg": [0, 7], "payment": [1, 0]}
    nothing = unpacked(
        "legs", pa.table({"rows": [0]} | {name: pa.array([None], pa.binary()) for name in PACKED["legs"]})
    )
    assert all(len(values) == 0 for values in nothing.values())
    with pytest.raises(Misread):
        unpacked("legs", pa.table(told | {"payment": [bytes(8)]}))


def test_what_a_deed_took_from_two_purses_is_two_rows_and_from_two_lots_of_one_is_one() -> None:
    def rows(purses: pa.Table) -> list[tuple[Any, ...]]:
        told = City(purses, SHOPS).spending(PAYMENTS, LEGS, TAKINGS, RETURNED)
        [(day, told)] = shape.days_of(FRAMES["spending"], told)
        assert told["deed"].to_pylist() == sorted(told["deed"].to_pylist()), "of one instant the deeds are in order"
        assert (day, told.column_names) == (date(2026, 4, 2), FRAMES["spending"].column_names)
        columns = ("deed", "kind", "resident", "store", "purse", "amount_yen", "paid_yen", "premium_yen", "emptied")
        return sorted(zip(*(told[name].to_pylist() for name in columns), strict=True))

    two = [
        (11, "payment", 1, "S1", "common", 33, 30, 3, False),
        (11, "payment", 2, "S1", "small", 11, 10, 1, False),
        (12, "payment", 1, "S2", "common", 22, 20, 2, True),
        (13, "refund", 1, "S1", "common", -4, -4, 0, False),
    ]
    assert rows(PURSES) == two
    one = pa.table({**{name: PURSES[name] for name in PURSES.column_names}, "purse": ["common", "common"]})
    one = one.set_column(one.column_names.index("resident"), "resident", pa.array([1, 1]))
    assert rows(one) == [(11, "payment", 1, "S1", "common", 44, 40, 4, False), *two[2:]]


def test_the_rows_of_one_deed_stand_in_one_order_however_their_words_are_listed() -> None:
    """A day that was read alone and the same day in a long period are one file, byte by byte."""
    told = City(PURSES, SHOPS).spending(PAYMENTS, LEGS, TAKINGS, RETURNED)

    def day(words: list[str]) -> list[dict[str, Any]]:
        place = told.column_names.index("purse")
        listed = pa.array([words.index(word) for word in told["purse"].to_pylist()], pa.int32())
        column = pa.DictionaryArray.from_arrays(listed, pa.array(words))
        [(_, rows)] = shape.days_of(FRAMES["spending"], told.set_column(place, "purse", column))
        found: list[dict[str, Any]] = rows.to_pylist()
        return found

    assert day(["common", "small"]) == day(["small", "common"])


def test_words_are_listed_in_order_and_only_those_that_occur() -> None:
    listed = pa.DictionaryArray.from_arrays(pa.array([3, 1, 3], pa.int32()), pa.array(["d", "c", "b", "a"]))
    for column in (listed, pa.chunked_array([["a"], ["c", "a"]])):
        found = in_order(column)
        assert found.to_pylist() == ["a", "c", "a"]
        assert found.dictionary.to_pylist() == ["a", "c"]
        assert found.type == pa.dictionary(pa.int32(), pa.string())
