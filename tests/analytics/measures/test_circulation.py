"""What was issued is spent, expired, or still there: to the yen, on every day."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from analytics.lake.lake import InMemory
from analytics.measures.ask import ask
from analytics.measures.question import Question
from tests.analytics.hand import april, frame, on


@pytest.fixture
def town() -> Iterator[InMemory]:
    frames: dict[str, list[dict[str, Any]]] = {
        "lots": [
            {"at": on(1)},
            {"at": on(3), "resident": 2, "origin": "grant", "paid_yen": 0, "premium_yen": 500, "purse": "small"},
        ],
        "spending": [
            {"at": on(2), "amount_yen": 400},
            {"at": on(4), "amount_yen": 300, "resident": 2, "purse": "small"},
            {"at": on(5), "amount_yen": -100},
        ],
        "expiries": [{"at": on(6), "paid_yen": 770, "premium_yen": 230}],
    }
    with InMemory({name: frame(name, rows) for name, rows in frames.items()}) as source:
        yield source


def value(source: InMemory, measure: str, **more: object) -> float:
    return float(ask(source, Question(measure, **more))["value"].item())  # type: ignore[arg-type]  # passed on


def test_what_was_issued_less_what_was_spent_and_expired_remains(town: InMemory) -> None:
    assert value(town, "issued") == 1800
    assert value(town, "sold") == 1000
    assert value(town, "buyers") == 1
    assert value(town, "sales") == 600
    assert value(town, "expired") == 1000
    assert value(town, "premium_released") == 230
    assert value(town, "expired_paid") == 770
    assert value(town, "remaining") == 200 == 1800 - 600 - 1000
    assert value(town, "redeemed_share") == 600 / 1800


def test_a_stock_knows_what_was_before_its_period(town: InMemory) -> None:
    assert value(town, "remaining", first=april(4), last=april(5)) == 1800 - 600
    curve = ask(town, Question("remaining", ("day",), first=april(4)))
    assert list(zip(curve["day"].dt.day, curve["value"], curve["people"], strict=True)) == [
        (4, 1100, 2),
        (5, 1200, 2),
        (6, 200, 2),
    ]


def test_a_stock_runs_on_within_each_purse(town: InMemory) -> None:
    curve = ask(town, Question("remaining", ("purse", "day")))
    told = curve[curve["purse"] == "small"][["day", "value", "people"]].to_dict("records")
    assert told == [
        {"day": pd.Timestamp(2026, 4, 3), "value": 500, "people": 1},
        {"day": pd.Timestamp(2026, 4, 4), "value": 200, "people": 1},
    ]


@pytest.mark.parametrize("by", [("week", "day"), ("day", "week"), ("month", "day"), ("week", "month", "day")])
def test_a_stock_by_days_of_weeks_is_the_stock_of_those_days(town: InMemory, by: tuple[str, ...]) -> None:
    days = ask(town, Question("remaining", ("day",)))
    several = ask(town, Question("remaining", by)).sort_values("day")
    for column in ("day", "value", "people"):
        assert several[column].tolist() == days[column].tolist()


@pytest.mark.parametrize("by", ["week", "month"])
def test_a_period_that_begins_within_a_week_or_month_tells_of_it(town: InMemory, by: str) -> None:
    [told] = ask(town, Question("remaining", (by,), first=april(3), last=april(4))).to_dict("records")
    assert (told["value"], told["people"]) == (1300 - 400 + 500 - 300, 2)
    assert ask(town, Question("remaining", (by,), first=april(7), last=april(8))).empty


def test_a_filter_on_days_says_when_a_stock_is_told_and_leaves_nothing_out(town: InMemory) -> None:
    assert value(town, "remaining", where={"day": ("2026-04-04",)}) == 1100
    assert value(town, "remaining", where={"day": ("2026-04-30",)}) == 200
    assert value(town, "remaining", where={"week": ("2026-03-30",)}) == 1200
    assert value(town, "remaining", where={"month": ("2026-04-01",), "day": ("2026-04-01", "2026-05-01")}) == 1300
    assert value(town, "redeemed_share", where={"day": ("2026-04-04",)}) == 700 / 1800
    assert value(town, "remaining", where={"week": ("2026-04-06",), "day": ("2026-04-05",)}) == 0
    curve = ask(town, Question("remaining", ("day",), {"day": ("2026-04-02", "2026-04-04", "2026-04-07")}))
    assert curve["value"].tolist() == [900, 1100]
    [month] = ask(town, Question("remaining", ("month",), {"day": ("2026-04-02", "2026-04-04")})).to_dict("records")
    assert (month["value"], month["people"]) == (1100, 2)
    [purse] = ask(town, Question("remaining", ("purse",), {"day": ("2026-04-02",)})).to_dict("records")
    assert (purse["purse"], purse["value"]) == ("common", 900)


def test_a_filter_on_the_last_days_that_there_are_is_answered(town: InMemory) -> None:
    last = {"day": "9999-12-31", "week": "9999-12-27", "month": "9999-12-01"}
    for name, day in last.items():
        assert value(town, "remaining", where={name: (day,)}) == 200
