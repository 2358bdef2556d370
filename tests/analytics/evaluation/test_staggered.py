"""docs/algorithms/evaluation.md, "Staggered"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyfixest as pf
import pytest

from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from analytics.evaluation.staggered import staggered
from analytics.foreign import older_pandas
from tests.analytics.evaluation.coverage import Once, bounds, held, over_seeds

COLUMNS: dict[str, Any] = {"unit": "store", "time": "week", "outcome": "sales_yen", "joined": "joined_week"}


def districts(
    rng: np.random.Generator,
    units: int = 40,
    times: int = 12,
    effect: float = 5.0,
    growth: float = 0.0,
    starts: Any = None,
) -> pd.DataFrame:
    """Stores that joined in week 4, 6, 8 or never (or as told), early joiners on a higher level; noise goes on from
    week to week."""
    start = rng.choice([4, 6, 8, 99], units) if starts is None else starts
    week = np.arange(times)
    noise = np.zeros((units, times))
    for now in range(times):
        noise[:, now] = 0.4 * noise[:, max(now - 1, 0)] + rng.normal(0, 3, units)
    since = week[None, :] - start[:, None]
    level = rng.normal(100, 20, units) - 2.0 * start.clip(max=10)
    sales = level[:, None] + 1.5 * week[None, :] + noise + (since >= 0) * (effect + growth * since)
    return pd.DataFrame(
        {
            "store": np.repeat(np.arange(units), times),
            "week": np.tile(week, units),
            "joined_week": np.repeat(np.where(start == 99, np.nan, start), times),
            "sales_yen": sales.ravel(),
        }
    )


def stores(rng: np.random.Generator) -> Sequence[bool]:
    """The mean, two weeks since joining, two weeks before it (where nothing can be), and the test of all before."""
    found = staggered(districts(rng), **COLUMNS, by_time=True)
    weeks: Any = found[found["estimand"] != "att"].set_index("since")
    held_by = [_holds(found.iloc[0], 5.0), *(_holds(weeks.loc[since], 5.0) for since in (0, 3))]
    return [*held_by, *(_holds(weeks.loc[since], 0.0) for since in (-1, -3)), found["pretrend_p"].iloc[0] >= 0.05]


def a_dozen_stores(rng: np.random.Generator) -> Sequence[bool]:
    """So few that a variance without a correction for small samples holds the truth 90 times of 100."""
    return [_holds(staggered(districts(rng, units=12), **COLUMNS).iloc[0], 5.0)]


def six_districts(rng: np.random.Generator) -> Sequence[bool]:
    """Eight stores each that join together and share what happens in their district; two districts never join."""
    frame = districts(rng, units=48, starts=rng.permutation([4, 5, 6, 8, 99, 99]).repeat(8))
    common = rng.normal(0, 3, (6, 12))
    frame["district"] = frame["store"] // 8
    frame["sales_yen"] += common[frame["district"], frame["week"]]
    return [_holds(staggered(frame, **COLUMNS, cluster="district").iloc[0], 5.0)]


def _holds(row: Any, truth: float) -> bool:
    return bool(row["low"] <= truth <= row["high"])


@over_seeds
@pytest.mark.parametrize("once", [stores, a_dozen_stores, six_districts])
def test_the_interval_holds_the_effect_that_was_put_in(once: Once, seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(once, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_the_estimates_are_the_librarys() -> None:
    """pyfixest's did2s, also where rows are missing; only its variance is another."""
    frame = districts(np.random.default_rng(2), growth=2.0)
    frame = frame[np.random.default_rng(2).random(len(frame)) > 0.12]
    since = frame["week"] - frame["joined_week"]
    frame["treated"] = (since >= 0).astype("float64")
    found = staggered(frame, **COLUMNS, by_time=True)
    assert found["dropped_rows"].iloc[0] == 0
    known: Any = found[found["estimand"] == "since"].set_index("since")["estimate"]
    for weeks in range(4):
        frame[f"s{weeks}"] = (since == weeks).astype("float64")
    frame["later"] = (since >= 4).astype("float64")
    for second in (["treated"], ["s0", "s1", "s2", "s3", "later"]):
        with older_pandas():
            fit: Any = pf.did2s(
                frame.copy(),
                yname="sales_yen",
                first_stage="~ 0 | store + week",
                second_stage="~ " + " + ".join(second),
                treatment="treated",
                cluster="store",
            )
        for name, value in fit.coef().items():
            if name == "treated":
                assert found["estimate"].iloc[0] == pytest.approx(value, rel=1e-5)
            elif name != "later":
                assert known.loc[int(str(name)[1:])] == pytest.approx(value, rel=1e-5)


def test_the_error_is_that_of_estimating_again_without_each_store() -> None:
    frame = districts(np.random.default_rng(6), units=16, starts=np.resize([4, 6, 8, 99], 16))

    def estimated(rows: pd.DataFrame) -> Any:
        return staggered(rows, **COLUMNS, by_time=True).fillna({"since": 99}).set_index("since")

    found = estimated(frame)
    without = [estimated(frame[frame["store"] != one]) for one in range(16)]
    for since in (99, 0, 2, -1):
        off = np.array([each.loc[since, "estimate"] for each in without]) - found.loc[since, "estimate"]
        assert found.loc[since, "se"] == pytest.approx(np.sqrt(15 / 16 * (off**2).sum()))
    reach = 2.13145 * found.loc[99, "se"]
    assert found.loc[99, "high"] - found.loc[99, "estimate"] == pytest.approx(reach, rel=1e-4), "t with 15 degrees"


def test_who_moved_otherwise_before_joining_is_found_out() -> None:
    """Stores that grew in any case and joined when they had: the weeks before say so, each and all together."""
    frame = districts(np.random.default_rng(5))
    ahead = frame["week"] - frame["joined_week"]
    grown = frame.assign(sales_yen=frame["sales_yen"] + (6 + 2 * ahead).clip(lower=0).where(ahead < 0, 0.0))
    found: Any = staggered(grown, **COLUMNS, by_time=True)
    week_before: Any = found[found["since"] == -1].iloc[0]
    assert found["pretrend_p"].iloc[0] < 0.01
    assert week_before["low"] > 0
    assert staggered(frame, **COLUMNS, by_time=True)["pretrend_p"].iloc[0] > 0.05
    assert staggered(frame, **COLUMNS)["pretrend_p"].isna().all(), "only where it is asked for"


def test_a_week_of_which_nobody_tells_counts_where_weeks_are_said_to_follow_each_other() -> None:
    frame = districts(np.random.default_rng(3), growth=4.0)
    gap = frame[frame["week"] != 6]
    apart: Any = staggered(gap, **COLUMNS, every=1, by_time=True)
    close: Any = staggered(gap, **COLUMNS, by_time=True)
    early = gap[(gap["joined_week"] == 4) & (gap["week"] >= 4)]
    assert set(early["week"] - 4) == {0, 1, 3, 4, 5, 6, 7}
    rows = {name: set(found.loc[found["since"] >= 0, "since"]) for name, found in (("apart", apart), ("close", close))}
    assert rows == {"apart": set(range(8)), "close": set(range(7))}
    assert apart["estimate"].iloc[0] == pytest.approx(close["estimate"].iloc[0])


def test_a_week_since_joining_that_one_store_alone_knows_is_not_told() -> None:
    frame = districts(np.random.default_rng(4))
    frame = frame[(frame["joined_week"] != 4) | (frame["store"] == frame.loc[frame["joined_week"] == 4, "store"].min())]
    found = staggered(frame, **COLUMNS, by_time=True)
    assert found["since"].max() == 5, "those of week 6 are seen for six weeks, the one of week 4 for eight"


def test_with_two_weeks_before_joining_the_later_is_compared_with_the_earlier() -> None:
    """Two weeks before joining are the least; as many are told as leave a week to compare with."""
    frame = districts(np.random.default_rng(4), starts=np.resize([2, 99], 40))
    found = staggered(frame, **COLUMNS, by_time=True)
    assert np.isfinite(found["estimate"].iloc[0])
    assert found.loc[found["estimand"] == "before", "since"].to_list() == [-1]


def test_an_effect_that_grows_is_found_week_by_week() -> None:
    """Effects of unit and time alone would mistake the growth of early joiners for a trend."""
    frame = districts(np.random.default_rng(3), units=120, growth=4.0)
    found: Any = staggered(frame, **COLUMNS, by_time=True)
    weeks: Any = found[found["estimand"] == "since"].set_index("since")
    for since in range(4):
        assert weeks.loc[since, "estimate"] == pytest.approx(5.0 + 4.0 * since, abs=3.5)
    treated = frame[frame["week"] >= frame["joined_week"]]
    truth = (5.0 + 4.0 * (treated["week"] - treated["joined_week"])).mean()
    assert _holds(found.iloc[0], truth)


def test_dates_are_times_and_what_joined_before_the_data_is_left_out() -> None:
    frame = districts(np.random.default_rng(4))
    always = frame["store"] == 0
    frame.loc[always, "joined_week"] = -5
    monday = pd.Timestamp("2026-01-05")
    dated = frame.assign(
        week=monday + pd.to_timedelta(7 * frame["week"], unit="D"),
        joined_week=monday + pd.to_timedelta(7 * frame["joined_week"], unit="D"),
    )
    found: Any = staggered(dated, **COLUMNS)
    assert found["dropped_rows"].iloc[0] == always.sum()
    pd.testing.assert_frame_equal(found, staggered(frame, **COLUMNS))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frame: frame.assign(joined_week=np.nan), "nothing_comparable"),
        (lambda frame: frame.assign(joined_week=0), "nothing_comparable"),
        (lambda frame: frame[frame["store"] < 1], "nothing_comparable"),
        (lambda frame: frame.iloc[:0], "nothing_comparable"),
        (lambda frame: frame.assign(joined_week=frame["joined_week"].where(frame["store"] == 1)), "one_cluster"),
        (lambda frame: pd.concat([frame, frame]), "duplicate_rows"),
    ],
)
def test_what_cannot_be_compared_is_refused(change: Any, reason: str) -> None:
    frame = districts(np.random.default_rng(4))
    frame.loc[frame["store"] == 1, "joined_week"] = 5
    with pytest.raises(NotEstimable) as refused:
        staggered(change(frame), **COLUMNS)
    assert refused.value.params["reason"] == reason


TWICE_JOINED = ("joined_week", "changes")


@pytest.mark.parametrize(
    ("change", "column", "problem"),
    [
        (lambda frame: frame.drop(columns="joined_week"), "joined_week", "missing"),
        (lambda frame: frame.drop(columns="week"), "week", "missing"),
        (lambda frame: pd.concat([frame, frame[["store"]]], axis=1), "store", "twice"),
        (lambda frame: frame.assign(week=frame["week"].where(frame.index != 3)), "week", "empty_value"),
        (lambda frame: frame.assign(joined_week="spring"), "joined_week", "no_order"),
        (lambda frame: frame.assign(joined_week=pd.Timestamp("2026-01-05")), "joined_week", "no_order"),
        (lambda frame: frame.assign(joined_week=frame["joined_week"] + frame["week"] // 6), *TWICE_JOINED),
        (lambda frame: frame.assign(joined_week=frame["joined_week"].where(frame["week"] > 5)), *TWICE_JOINED),
        (lambda frame: frame.assign(joined_week=[[]] * len(frame)), "joined_week", "no_order"),
    ],
)
def test_a_column_that_does_not_fit_is_named_with_what_is_wrong(change: Any, column: str, problem: str) -> None:
    with pytest.raises(ColumnUnfit) as refused:
        staggered(change(districts(np.random.default_rng(4))), **COLUMNS)
    assert refused.value.params == {"column": column, "problem": problem}


def test_a_store_that_changes_its_cluster_is_refused_as_its_level_would_be_split() -> None:
    frame = districts(np.random.default_rng(4))
    moved = frame.assign(street=frame["store"] % 9 + 10 * (frame["week"] >= frame["joined_week"].fillna(99)))
    with pytest.raises(ColumnUnfit) as refused:
        staggered(moved, **COLUMNS, cluster="street")
    assert refused.value.params == {"column": "street", "problem": "changes"}


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _by_month(frame: pd.DataFrame, time: Any, joined: Any) -> pd.DataFrame:
    """The weeks under the names of months, as categories (or texts) of these types."""
    named = {name: frame[name].map(dict(enumerate(MONTHS))) for name in ("week", "joined_week")}
    return frame.assign(week=named["week"].astype(time), joined_week=named["joined_week"].astype(joined))


IN_ORDER = pd.CategoricalDtype(MONTHS, ordered=True)


@pytest.mark.parametrize(("time", "joined"), [(IN_ORDER, IN_ORDER), (IN_ORDER, "str"), ("str", IN_ORDER)], ids=str)
def test_categories_that_say_their_order_are_times_in_that_order(time: Any, joined: Any) -> None:
    """April comes first by the alphabet only."""
    frame = districts(np.random.default_rng(4))
    found = staggered(_by_month(frame, time, joined), **COLUMNS, by_time=True)
    pd.testing.assert_frame_equal(found, staggered(frame, **COLUMNS, by_time=True))


def test_a_joining_that_is_none_of_the_ordered_categories_is_refused() -> None:
    named = _by_month(districts(np.random.default_rng(4)), IN_ORDER, "str")
    with pytest.raises(ColumnUnfit) as refused:
        staggered(named.assign(joined_week=named["joined_week"].replace("May", "Mai")), **COLUMNS)
    assert refused.value.params == {"column": "joined_week", "problem": "no_order"}


@pytest.mark.parametrize(("first", "time", "joined"), [(0, "uint8", "UInt8"), (-110, "int8", "Int8")])
def test_times_in_narrow_numbers_are_as_far_apart_as_in_wide_ones(first: int, time: Any, joined: Any) -> None:
    """In their own type a time before the other would wrap around, or lie beyond what it holds."""
    frame = districts(np.random.default_rng(4))
    apart = frame.assign(week=20 * frame["week"] + first, joined_week=20 * frame["joined_week"] + first)
    narrow = apart.astype({"week": time, "joined_week": joined})
    found = staggered(narrow, **COLUMNS, every=20, by_time=True)
    pd.testing.assert_frame_equal(found, staggered(frame, **COLUMNS, every=1, by_time=True))


def test_whole_numbers_as_categories_may_be_empty_where_nobody_joined() -> None:
    frame = districts(np.random.default_rng(4))
    whole = frame.astype({"week": "category", "joined_week": "Int64"}).astype({"joined_week": "category"})
    pd.testing.assert_frame_equal(staggered(whole, **COLUMNS), staggered(frame, **COLUMNS))


@pytest.mark.parametrize("every", [0, -1, float("nan")])
def test_times_that_are_no_way_apart_are_refused_and_do_not_turn_round(every: float) -> None:
    with pytest.raises(NotEstimable) as refused:
        staggered(districts(np.random.default_rng(4)), **COLUMNS, every=every)
    assert refused.value.params["reason"] == "no_step"


def test_an_effect_without_any_chance_in_it_has_no_interval() -> None:
    """Rounding would leave one of nothing on either side."""
    frame = districts(np.random.default_rng(4))
    since = frame["week"] - frame["joined_week"]
    exact = frame.assign(sales_yen=frame["week"] / 3 + 10 * (since >= 0))
    with pytest.raises(NotEstimable) as refused:
        staggered(exact, **COLUMNS, by_time=True)
    assert refused.value.params["reason"] == "no_variation"
    partly = exact.assign(sales_yen=exact["sales_yen"] + frame["store"] % 5 * (since == 2))
    found = staggered(partly, **COLUMNS, by_time=True)
    assert found["estimand"].tolist() == ["att", "since"]
    assert found["since"].tolist()[1] == 2
    assert found["pretrend_p"].isna().all()


@pytest.mark.parametrize(
    "held",
    [
        lambda frame: frame.sample(frac=1, random_state=1),
        lambda frame: frame.set_axis([0] * len(frame)),
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda frame: frame.convert_dtypes().astype({"store": "category", "week": "category"}),
        lambda frame: frame.astype({"store": "str", "joined_week": "category", "week": "float32"}),
    ],
    ids=["shuffled", "repeated index", "arrow", "categories", "other types"],
)
def test_how_the_frame_is_held_means_nothing(held: Any) -> None:
    frame = districts(np.random.default_rng(4))
    pd.testing.assert_frame_equal(staggered(held(frame), **COLUMNS), staggered(frame, **COLUMNS))
