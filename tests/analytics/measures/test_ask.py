"""Figures are exact to the yen, in every cell, whatever is asked; what may not be asked is refused."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.lake.lake import InMemory
from analytics.measures.ask import ask, compare
from analytics.measures.dimension import FilterUnfit
from analytics.measures.measure import DimensionUnknown, How, MeasureUnknown
from analytics.measures.question import PeriodBackwards, PeriodOpen, Question, QuestionTooWide
from analytics.measures.registry import MEASURES
from tests.analytics.hand import april, frame, on

STORES = [
    {"store": "A", "to_day": "2026-04-08"},
    {"store": "A", "from_day": "2026-04-08", "category": "restaurant", "district": "south"},
    {"store": "B", "store_class": "large", "category": "supermarket", "merchant": "M2"},
]
RESIDENTS = [{"age_band": "70-79", "district": "north"}, {"age_band": "18-29", "district": "south"}]
SPENDING: list[dict[str, Any]] = [
    {"at": on(6, 8, 30), "amount_yen": 1000, "premium_yen": 231},
    {"at": on(6, 23, 59), "amount_yen": 501, "purse": "small", "deed": 2},
    {"at": on(6, 23, 59), "amount_yen": 99, "deed": 2},
    {"at": on(7, 0, 0), "amount_yen": 300, "resident": 2, "store": "B", "deed": 3},
    {"at": on(7, 1), "amount_yen": -300, "resident": 2, "store": "B", "kind": "cancel", "deed": 4, "payment": 3},
    {"at": on(9), "amount_yen": -1000, "premium_yen": -231, "kind": "refund", "deed": 5, "payment": 1},
    {"at": on(9), "amount_yen": 40, "resident": 2, "deed": 6},
]


@pytest.fixture
def town() -> Iterator[InMemory]:
    frames = {"spending": SPENDING, "stores": STORES, "residents": RESIDENTS}
    with InMemory({name: frame(name, rows) for name, rows in frames.items()}) as source:
        yield source


def told(source: InMemory, measure: str, *by: str, **more: Any) -> dict[Any, Any]:
    answer = ask(source, Question(measure, by, **more))
    keys = answer[list(by)].itertuples(index=False, name=None) if by else [()]
    return {key if len(key) != 1 else key[0]: value for key, value in zip(keys, answer["value"], strict=True)}


def test_sales_are_net_of_cancels_and_refunds_on_the_day_of_each(town: InMemory) -> None:
    days = {pd.Timestamp(2026, 4, 6): 1600, pd.Timestamp(2026, 4, 7): 0, pd.Timestamp(2026, 4, 9): -960}
    assert told(town, "sales", "day") == days
    assert told(town, "sales") == {(): 640}
    assert told(town, "premium_spent") == {(): 0}


def test_a_cell_says_who_stands_behind_it(town: InMemory) -> None:
    answer = ask(town, Question("sales", ("store",)))
    assert answer.to_dict("records") == [
        {"store": "A", "value": 640, "people": 2, "stores": 1, "top_store_share": 1.0},
        {"store": "B", "value": 0, "people": 1, "stores": 1, "top_store_share": 0.0},
    ]
    assert answer["value"].dtype == np.int64


def test_a_payment_of_two_purses_is_one_payment_and_a_cancelled_one_is_none(town: InMemory) -> None:
    assert told(town, "payments") == {(): 3}
    assert told(town, "payments", "purse") == {"common": 3, "small": 1}
    assert told(town, "active_residents") == {(): 2}
    assert told(town, "average_payment") == {(): 640 / 3}


def test_the_largest_store_counts_by_what_it_adds() -> None:
    rows = [{"store": "A", "amount_yen": 900}, {"store": "B", "amount_yen": 90}, {"store": "C", "amount_yen": 10}]
    with InMemory({"spending": frame("spending", rows)}) as source:
        [answer] = ask(source, Question("sales")).to_dict("records")
    assert (answer["stores"], answer["top_store_share"]) == (3, 0.9)


def test_a_moved_or_renamed_store_counts_as_what_it_was_on_the_day(town: InMemory) -> None:
    assert told(town, "sales", "category") == {"food": 1600, "restaurant": -960, "supermarket": 0}
    assert told(town, "sales", "home_district", "district") == {
        ("north", "north"): 1600,
        ("north", "south"): -1000,
        ("south", "north"): 0,
        ("south", "south"): 40,
    }


def test_what_a_store_took_before_its_first_record_counts_under_that_record() -> None:
    frames = {"spending": [{"at": on(6)}], "stores": [{"from_day": "2026-05-01", "category": "medical"}]}
    with InMemory({name: frame(name, rows) for name, rows in frames.items()}) as source:
        assert told(source, "sales", "category") == {"medical": 100}


def test_a_store_or_person_without_a_record_is_unknown() -> None:
    with InMemory({"spending": frame("spending", [{}])}) as source:
        assert told(source, "sales", "category", "age_band") == {("unknown", "unknown"): 100}


def test_hours_and_weekdays_are_those_of_japan(town: InMemory) -> None:
    assert told(town, "sales", "weekday", "hour") == {
        (0, 8): 1000,
        (0, 23): 600,
        (1, 0): 300,
        (1, 1): -300,
        (3, 12): -960,
    }
    assert told(town, "sales", "week") == {pd.Timestamp(2026, 4, 6): 640}
    assert told(town, "sales", "month") == {pd.Timestamp(2026, 4, 1): 640}


def test_a_period_holds_both_its_ends(town: InMemory) -> None:
    assert told(town, "sales", first=april(7), last=april(9)) == {(): -960}
    assert told(town, "sales", last=april(6)) == {(): 1600}


def test_a_period_before_the_start_is_nothing(town: InMemory) -> None:
    assert told(town, "sales", last=date(2020, 1, 1)) == {(): 0}
    assert told(town, "sales", "day", last=date(2020, 1, 1)) == {}


def test_filters_leave_what_they_name(town: InMemory) -> None:
    assert told(town, "sales", where={"store_class": ("large",)}) == {(): 0}
    assert told(town, "sales", where={"hour": ("8", "0")}) == {(): 1300}
    assert told(town, "sales", "purse", where={"day": ("2026-04-06",), "age_band": ("70-79",)}) == {
        "common": 1099,
        "small": 501,
    }
    assert told(town, "sales", where={"purse": ()}) == {(): 0}


def test_a_customer_is_new_once_at_each_store(town: InMemory) -> None:
    assert told(town, "new_customers", "day") == {pd.Timestamp(2026, 4, 6): 1, pd.Timestamp(2026, 4, 9): 1}
    assert told(town, "new_customers", first=april(7)) == {(): 1}


def test_who_came_twice_is_counted_once(town: InMemory) -> None:
    assert told(town, "repeat_share") == {(): 0.5}
    assert told(town, "repeat_share", "home_district") == {"north": 1.0, "south": 0.0}


def test_returns_are_told_as_yen_and_as_a_share_of_what_was_paid(town: InMemory) -> None:
    assert told(town, "returned") == {(): 1300}
    assert told(town, "returned_share") == {(): 1300 / 1940}


def test_concentration_is_zero_among_equals_and_high_with_one_giant() -> None:
    equal = [{"store": f"S{index}"} for index in range(10)]
    giant = [*({"store": f"S{index}", "amount_yen": 0} for index in range(9)), {"store": "S9", "amount_yen": 5}]
    with InMemory({"spending": frame("spending", equal)}) as source:
        assert told(source, "store_gini") == {(): 0.0}
        assert told(source, "top_tenth_share") == {(): 0.1}
    with InMemory({"spending": frame("spending", giant)}) as source:
        assert told(source, "store_gini") == {(): 0.9}
        assert told(source, "top_tenth_share") == {(): 1.0}


def test_the_two_periods_of_a_comparison_are_as_long_as_each_other(town: InMemory) -> None:
    now, before = compare(town, Question("sales", first=april(8), last=april(9)))
    assert (now["value"].item(), before["value"].item()) == (-960, 1600)
    now, before = compare(town, Question("sales"), april(7), april(7))
    assert (now["value"].item(), before["value"].item()) == (640, 0)
    with pytest.raises(PeriodOpen):
        compare(town, Question("sales", first=april(8)))


def test_what_is_not_declared_is_refused() -> None:
    for question, refusal in (
        (Question("secrets"), MeasureUnknown),
        (Question("sales", ("resident",)), DimensionUnknown),
        (Question("sales", where={"phone": ("1",)}), DimensionUnknown),
        (Question("issued", ("store",)), DimensionUnknown),
        (Question("sales", ("day", "hour", "store", "purse")), QuestionTooWide),
        (Question("sales", ("day", "day")), QuestionTooWide),
        (Question("sales", where={"store": tuple(map(str, range(201)))}), QuestionTooWide),
        (Question("sales", where={"hour": ("noon",)}), FilterUnfit),
        (Question("sales", where={"hour": (str(2**63),)}), FilterUnfit),
        (Question("sales", where={"weekday": (str(-(2**63) - 1),)}), FilterUnfit),
        (Question("sales", where={"day": ("2026-02-30",)}), FilterUnfit),
        *(
            (Question("sales", where={dimension: (said,)}), FilterUnfit)
            for dimension, values in {
                "hour": ("24", "-1", "08", "+8", "1_0", "٣", " 8", ""),
                "weekday": ("7", "-1"),
                "day": ("20260401", "2026-W14-3", ""),
                "week": ("2026-04-01", "2026-04-05"),
                "month": ("2026-04", "2026-04-02"),
                "category": ("fod", "Food", ""),
                "store_class": ("middle",),
                "age_band": ("20-29",),
                "mode": ("qr",),
                "kind": ("sale",),
                "store": ("",),
            }.items()
            for said in values
        ),
        (Question("sales", first=april(2), last=april(1)), PeriodBackwards),
    ):
        with pytest.raises(refusal):
            question.checked()


def test_an_empty_city_has_a_defined_answer_to_everything() -> None:
    with InMemory({}) as source:
        for measure in MEASURES.values():
            [total] = ask(source, Question(measure.name)).to_dict("records")
            assert total["people"] == total["stores"] == total["top_store_share"] == 0
            assert total["value"] == 0 if measure.unit.whole else np.isnan(total["value"])


@pytest.mark.parametrize("how", How)
def test_of_an_empty_city_no_cell_is_told(how: How) -> None:
    measure = next(measure for measure in MEASURES.values() if measure.how is how)
    with InMemory({}) as source:
        divided = ask(source, Question(measure.name, measure.dimensions[-1:]))
    assert list(divided.columns) == [measure.dimensions[-1], "value", "people", "stores", "top_store_share"]
    assert divided.empty
