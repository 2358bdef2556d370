"""docs/algorithms/forecasts.md, "Run-off"."""

from typing import Any

import chainladder
import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from analytics.forecast.run_off import run_off
from analytics.foreign import older_pandas
from tests.analytics.evaluation.coverage import bounds, held, over_seeds


def _raa() -> pd.DataFrame:
    with older_pandas():
        library: Any = chainladder
        flat: pd.DataFrame = library.load_sample("raa").to_frame(keepdims=True).reset_index(drop=True)
    return flat.rename(columns={"development": "age", "values": "amount"}).dropna()


def test_the_published_figures_of_raa_are_found() -> None:
    """The triangle of the Reinsurance Association of America, as in Mack (1994)."""
    found: Any = run_off(_raa()).set_index("origin").loc["total"]
    assert found["outstanding"] == pytest.approx(52_135.23, abs=0.005)
    assert found["se"] == pytest.approx(26_880.74, abs=0.005)
    assert found["latest"] < found["low"] < found["ultimate"] < found["high"]


def run_down(rng: np.random.Generator) -> list[bool]:
    """Six cohorts by Mack's own model, whose end is known: the newest, the middle one, and the total.

    So few that a normal interval around them held the truth 83 to 91 times of 100.
    """
    factors, sigma = np.array([2.0, 1.5, 1.25, 1.12, 1.08]), np.array([30.0, 20, 12, 8, 6])
    amounts = np.zeros((6, 6))
    amounts[:, 0] = rng.gamma(25, 400, 6)
    for age in range(5):
        chance = sigma[age] * np.sqrt(amounts[:, age]) * rng.standard_normal(6)
        amounts[:, age + 1] = factors[age] * amounts[:, age] + chance
    rows = [(origin, age, amounts[origin, age]) for origin in range(6) for age in range(6 - origin)]
    found: Any = run_off(pd.DataFrame(rows, columns=["origin", "age", "amount"])).set_index("origin")
    truth = {5: amounts[5, 5], 3: amounts[3, 5], "total": amounts[:, 5].sum()}
    return [bool(found.loc[origin, "low"] <= end <= found.loc[origin, "high"]) for origin, end in truth.items()]


@over_seeds
def test_intervals_hold_what_came(seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(run_down, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_what_periods_are_called_changes_nothing() -> None:
    weeks = _raa()
    weeks["origin"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(7 * (weeks["origin"].dt.year - 1981), unit="D")
    weeks["age"] = weeks["age"] // 12
    expected, found = run_off(_raa()), run_off(weeks)
    pd.testing.assert_frame_equal(found.drop(columns="origin"), expected.drop(columns="origin"))


def test_a_cohort_that_has_run_off_is_certain() -> None:
    oldest: Any = run_off(_raa()).iloc[0]
    assert oldest["outstanding"] == oldest["se"] == 0
    assert oldest["low"] == oldest["high"] == oldest["latest"] == 18_834


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raa: raa[raa["origin"].dt.year > 1988], "too_few_cohorts"),
        (lambda raa: raa[raa["origin"].dt.year != 1985], "ragged_triangle"),
        (lambda raa: raa[~((raa["origin"].dt.year == 1983) & (raa["age"] == 36))], "ragged_triangle"),
        (lambda raa: pd.concat([raa, raa]), "duplicate_rows"),
        (lambda raa: raa.assign(amount=raa["amount"].where(raa["age"] > 12, 0.0)), "empty_cohort"),
        (lambda raa: raa.iloc[:0], "too_few_cohorts"),
    ],
)
def test_what_is_no_triangle_is_refused(change: Any, reason: str) -> None:
    with pytest.raises(NotEstimable) as refused:
        run_off(change(_raa()))
    assert refused.value.params["reason"] == reason


def test_an_empty_cell_is_refused() -> None:
    raa = _raa()
    raa.loc[3, "amount"] = None
    with pytest.raises(ColumnUnfit):
        run_off(raa)
