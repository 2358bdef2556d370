"""docs/algorithms/evaluation.md, "Staggered"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from analytics.evaluation.staggered import staggered
from tests.analytics.evaluation.coverage import BOUNDED, SEEDS, believable, held

COLUMNS: dict[str, Any] = {"unit": "store", "time": "week", "outcome": "sales_yen", "joined": "joined_week"}


def districts(
    rng: np.random.Generator, units: int = 40, times: int = 12, effect: float = 5.0, growth: float = 0.0
) -> pd.DataFrame:
    """Stores that joined in week 4, 6, 8 or never, early joiners on a higher level; noise goes on from week to week."""
    start = rng.choice([4, 6, 8, 99], units)
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


def joining(rng: np.random.Generator) -> Sequence[bool]:
    found: Any = staggered(districts(rng), **COLUMNS).iloc[0]
    return [bool(found["low"] <= 5.0 <= found["high"])]


@pytest.mark.parametrize("seeds", [BOUNDED, pytest.param(SEEDS, marks=pytest.mark.long)])
def test_the_interval_holds_the_effect_that_was_put_in(seeds: int) -> None:
    least, most = (0.93, 0.97) if seeds == SEEDS else believable(seeds)
    assert least <= held(joining, seeds)[0] <= most


def test_an_effect_that_grows_is_found_week_by_week() -> None:
    """Effects of unit and time alone would mistake the growth of early joiners for a trend."""
    frame = districts(np.random.default_rng(3), units=120, growth=4.0)
    found: Any = staggered(frame, **COLUMNS, by_time=True).set_index("since")
    for since in range(4):
        assert found.loc[since, "estimate"] == pytest.approx(5.0 + 4.0 * since, abs=3.5)
    treated = frame[frame["week"] >= frame["joined_week"]]
    truth = (5.0 + 4.0 * (treated["week"] - treated["joined_week"])).mean()
    assert found.loc[-1, "low"] <= truth <= found.loc[-1, "high"]


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


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ColumnUnfit) as refused:
        staggered(districts(np.random.default_rng(4)).drop(columns="joined_week"), **COLUMNS)
    assert refused.value.params == {"column": "joined_week", "problem": "missing"}
