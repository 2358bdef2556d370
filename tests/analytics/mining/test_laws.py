"""What holds for every function of mining: order means nothing, strangers change nothing, types are declared."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.frames import SPENDING, Frame, FrameUnfit
from analytics.mining.baskets import PAIRS, RULES, basket_rules, store_pairs
from analytics.mining.benchmarks import benchmarks
from analytics.mining.cohorts import COHORTS, cohorts
from analytics.mining.concentration import CONCENTRATION, concentration
from analytics.mining.flows import STORE_FLOWS, store_flows
from analytics.mining.newcomers import NEWCOMERS, newcomers
from analytics.mining.refusals import DayUnknown, OutOfRange
from analytics.mining.repeat import INTERVALS, REPEATS, repeats, return_intervals
from analytics.mining.seasonality import DAYS, WEEK_HOURS, days, week_hours
from analytics.mining.segments import SEGMENTS, segments
from tests.analytics.mining.world import START, any_spending, pay, spending, store, stores

END = START + pd.Timedelta(days=80)


def _rules(data: pd.DataFrame) -> pd.DataFrame:
    return basket_rules(data, Fraction(1, 3), Fraction(1, 2))


def _newcomers(data: pd.DataFrame) -> pd.DataFrame:
    return newcomers(data, START, END, lookback_days=0)


def _segments(data: pd.DataFrame) -> pd.DataFrame:
    return segments(data, END)


EVERY: list[tuple[Frame, Callable[[pd.DataFrame], pd.DataFrame]]] = [
    (SEGMENTS, _segments),
    (COHORTS, cohorts),
    (INTERVALS, return_intervals),
    (REPEATS, repeats),
    (PAIRS, store_pairs),
    (RULES, _rules),
    (STORE_FLOWS, store_flows),
    (CONCENTRATION, concentration),
    (NEWCOMERS, _newcomers),
    (DAYS, days),
    (WEEK_HOURS, week_hours),
]
OF_A_STORE = [(REPEATS, repeats), (INTERVALS, return_intervals), (PAIRS, store_pairs)]
ids = [declared.name for declared, _ in EVERY]


def _must_be(declared: Frame, found: pd.DataFrame) -> None:
    """The declared columns in the declared types, with nothing left to convert."""
    pd.testing.assert_frame_equal(declared.conform(found), found)


@pytest.mark.parametrize(("declared", "mined"), EVERY, ids=ids)
def test_an_empty_frame_has_a_defined_answer(declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    found = mined(SPENDING.empty())
    _must_be(declared, found)
    assert len(found) == {"concentration": 1, "week_hours": 168}.get(declared.name, 0)


@pytest.mark.parametrize(("declared", "mined"), EVERY, ids=ids)
def test_one_payment_of_one_resident_at_one_store_has_a_defined_answer(
    declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    _must_be(declared, mined(spending(pay(1, 1, "A", "2026-04-01 00:00"))))


@pytest.mark.parametrize(("declared", "mined"), EVERY, ids=ids)
@settings(max_examples=3, deadline=None)
@given(data=any_spending(), seed=st.integers(0, 1000))
def test_the_order_of_rows_means_nothing(
    declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame], data: pd.DataFrame, seed: int
) -> None:
    found = mined(data)
    assert not found.duplicated(list(declared.key)).any()
    pd.testing.assert_frame_equal(found, mined(data.sample(frac=1, random_state=seed)))


@pytest.mark.parametrize(("declared", "mined"), OF_A_STORE, ids=[declared.name for declared, _ in OF_A_STORE])
@settings(max_examples=4, deadline=None)
@given(data=any_spending())
def test_a_store_that_others_use_changes_no_other_stores_figures(
    declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame], data: pd.DataFrame
) -> None:
    # The last day looked at is that of the frame, so the strangers come on the first one.
    at = data["day"].min() if len(data) else START
    more = pd.concat([data, spending(pay(900, 90, "Z", at), pay(901, 91, "Z", at))], ignore_index=True)
    before, after = mined(data), mined(more)
    kept = [column for column in declared.column_names if column not in {"all_baskets", "lift"}]
    pd.testing.assert_frame_equal(before[kept], after.loc[after["store"] != "Z", kept].reset_index(drop=True))


@settings(max_examples=20)
@given(data=any_spending(), how=st.sampled_from(["named index", "repeated index", "arrow", "nullable"]))
@pytest.mark.parametrize(("declared", "mined"), EVERY, ids=ids)
def test_how_a_frame_is_held_means_nothing(
    declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame], data: pd.DataFrame, how: str
) -> None:
    """Another index, and the types in which pandas reads files for Arrow and for empty cells."""
    held: dict[str, Callable[[], pd.DataFrame]] = {
        "named index": lambda: data.set_index("day", drop=False).set_index("store", drop=False, append=True),
        "repeated index": lambda: data.set_axis([0] * len(data)),
        "arrow": lambda: pa.Table.from_pandas(data).to_pandas(types_mapper=pd.ArrowDtype),
        "nullable": data.convert_dtypes,
    }
    pd.testing.assert_frame_equal(mined(held[how]()), mined(data))


@pytest.mark.parametrize(("declared", "mined"), EVERY, ids=ids)
def test_a_row_that_is_there_twice_is_not_counted_twice(
    declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    rows = spending(pay(1, 1, "A", START), pay(2, 1, "B", START))
    with pytest.raises(FrameUnfit) as refused:
        mined(pd.concat([rows, rows.head(1)]))
    assert refused.value.params["problem"] == "repeated"


@pytest.mark.parametrize(
    "told", [END.date(), END + pd.Timedelta(hours=12), END.tz_localize("Asia/Tokyo").tz_convert("UTC")]
)
def test_a_day_is_asked_about_by_its_date_or_by_any_time_of_it(told: date) -> None:
    rows = spending(pay(1, 1, "A", START), pay(2, 1, "A", END), pay(3, 2, "A", END + pd.Timedelta(days=1)))
    last: Any = told
    every: list[Callable[[Any], pd.DataFrame]] = [
        lambda day: cohorts(rows, day),
        lambda day: return_intervals(rows, day),
        lambda day: segments(rows, day),
        lambda day: days(rows, START, day),
        lambda day: newcomers(rows, START, day, lookback_days=0),
    ]
    for mined in every:
        pd.testing.assert_frame_equal(mined(last), mined(END))
    assert days(rows, START, last)["net_yen"].sum() == 2000


@pytest.mark.parametrize("told", [pd.NaT, float("nan"), "the first of April"], ids=str)
def test_a_day_that_is_none_is_refused_and_not_answered_with_nothing(told: Any) -> None:
    rows = spending(pay(1, 1, "A", START), pay(2, 1, "A", END))
    every: list[Callable[[], pd.DataFrame]] = [
        lambda: cohorts(rows, told),
        lambda: return_intervals(rows, told),
        lambda: segments(rows, told),
        lambda: days(rows, told, END),
        lambda: days(rows, START, told),
        lambda: newcomers(rows, told, END, lookback_days=0),
        lambda: newcomers(rows, START, told, lookback_days=0),
        lambda: benchmarks(rows, stores(store("A")), "A", told, END),
    ]
    for mined in every:
        with pytest.raises(DayUnknown):
            mined()


@pytest.mark.parametrize(("declared", "mined"), EVERY, ids=ids)
def test_columns_without_a_row_need_no_type(declared: Frame, mined: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(mined(pd.DataFrame(columns=SPENDING.column_names)), mined(SPENDING.empty()))


SETTINGS: dict[str, Callable[[pd.DataFrame, Any], pd.DataFrame]] = {
    "within_days": lambda data, value: store_flows(data, within_days=value),
    "lookback_days": lambda data, value: newcomers(data, START + pd.Timedelta(days=9), END, lookback_days=value),
    "bins": lambda data, value: segments(data, END, bins=value),
    "largest": lambda data, value: basket_rules(data, Fraction(1, 3), Fraction(1, 2), largest=value),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_count_may_be_of_any_type_and_is_refused_where_it_is_not_whole_or_out_of_all_bounds(name: str) -> None:
    data = spending(*(pay(turn, 1, "AB"[turn % 2], START + pd.Timedelta(days=turn)) for turn in range(12)))
    asked = SETTINGS[name]
    plain = asked(data, 3)
    for same in (np.int64(3), np.int8(3), 3.0):
        pd.testing.assert_frame_equal(asked(data, same), plain)
    for unfit in (2.5, float("nan"), 10**9, -1):
        with pytest.raises(OutOfRange) as refused:
            asked(data, unfit)
        assert refused.value.params["name"] == name
