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


def _sample(name: str) -> pd.DataFrame:
    with older_pandas():
        library: Any = chainladder
        flat: pd.DataFrame = library.load_sample(name).to_frame(keepdims=True).reset_index(drop=True)
    amount = flat.columns[-1]
    return flat.rename(columns={"development": "age", amount: "amount"})[["origin", "age", "amount"]].dropna()


def _raa() -> pd.DataFrame:
    return _sample("raa")


def _by_hand(triangle: pd.DataFrame) -> tuple[list[float], list[float], float]:
    """Each cohort's ultimate and standard error, and the total's: Mack (1993), theorem 3 and its corollary, in loops;
    the last age's sigma on a line through the logarithms of the others."""
    wide: Any = triangle.pivot_table(index="origin", columns="age", values="amount").to_numpy(copy=True)
    n = len(wide)
    factor, sigma, known = [], [], []
    for age in range(n - 1):
        older, newer = wide[: n - 1 - age, age], wide[: n - 1 - age, age + 1]
        known.append(older.sum())
        factor.append(newer.sum() / older.sum())
        if age < n - 2:
            off = older * (newer / older - factor[age]) ** 2
            sigma.append(np.sqrt(off.sum() / (n - age - 2)))
    ages = np.arange(n - 2)
    slope = np.cov(ages, np.log(sigma), bias=True)[0, 1] / ages.var()
    sigma.append(np.exp(np.log(sigma).mean() + slope * (n - 2 - ages.mean())))
    for cohort in range(n):
        for age in range(n - 1 - cohort, n - 1):
            wide[cohort, age + 1] = wide[cohort, age] * factor[age]
    end, errors, total = wide[:, -1], [0.0], 0.0
    for cohort in range(1, n):
        ahead = range(n - 1 - cohort, n - 1)
        own = sum((sigma[k] / factor[k]) ** 2 * (1 / wide[cohort, k] + 1 / known[k]) for k in ahead)
        shared = sum(2 * (sigma[k] / factor[k]) ** 2 / known[k] for k in ahead)
        errors.append(end[cohort] * np.sqrt(own))
        total += end[cohort] ** 2 * own + end[cohort] * end[cohort + 1 :].sum() * shared
    return list(end), errors, float(np.sqrt(total))


def test_the_published_figures_of_raa_are_found() -> None:
    """The triangle of the Reinsurance Association of America, as in Mack (1994)."""
    found: Any = run_off(_raa()).set_index("origin").loc["total"]
    assert found["outstanding"] == pytest.approx(52_135.23, abs=0.005)
    assert found["se"] == pytest.approx(26_880.74, abs=0.005)
    assert found["latest"] < found["low"] < found["ultimate"] < found["high"]


@pytest.mark.parametrize(
    ("name", "outstanding"),
    [
        ("genins", 18_680_856),  # Taylor and Ashe's, as Mack (1993) has it
        ("ukmotor", 28_656),  # Christofides's, as England and Verrall (2002) have it
        ("mw2008", 2_237_826),  # Merz and Wuethrich (2008)
        ("mortgage", None),
        ("abc", None),
        ("mw2014", None),
    ],
)
def test_other_triangles_give_their_published_reserve_and_the_errors_of_plain_loops(
    name: str, outstanding: int | None
) -> None:
    triangle = _sample(name)
    found = run_off(triangle.sample(frac=1, random_state=1))
    ultimate, errors, total = _by_hand(triangle)
    np.testing.assert_allclose(found["ultimate"], [*ultimate, sum(ultimate)])
    np.testing.assert_allclose(found["se"], [*errors, total])
    if outstanding is not None:
        assert round(found["outstanding"].iloc[-1]) == outstanding


def _triangle(*cohorts: list[int]) -> pd.DataFrame:
    rows = [(origin, age, amount) for origin, amounts in enumerate(cohorts) for age, amount in enumerate(amounts)]
    return pd.DataFrame(rows, columns=["origin", "age", "amount"])


def test_errors_are_those_of_plain_loops_where_chance_grows_with_age() -> None:
    """The library's own errors of single cohorts are a tenth to a quarter too small here, beside a right total."""
    triangle = _triangle(
        [940, 1292, 1837, 2393, 3254, 4283], [321, 446, 540, 619, 668], [153, 171, 192, 277],
        [538, 684, 973], [887, 1062], [956],
    )  # fmt: skip
    _, errors, total = _by_hand(triangle)
    np.testing.assert_allclose(run_off(triangle)["se"], [*errors, total])


def test_an_age_in_which_all_grew_alike_says_nothing_of_the_last_one() -> None:
    """Its sigma is zero and has no logarithm; what is left is the one of the second age, and the last age has that."""
    found = run_off(_triangle([100, 150, 180, 185], [110, 165, 190], [90, 135], [50]))
    factor, last = 370 / 315, 185 / 180
    sigma = np.sqrt(150 * (180 / 150 - factor) ** 2 + 165 * (190 / 165 - factor) ** 2)
    assert found["se"].iloc[1] == pytest.approx(190 * sigma * np.sqrt(1 / 190 + 1 / 180))
    assert ((found["low"] <= found["ultimate"]) & (found["ultimate"] <= found["high"])).all()
    assert found["ultimate"].iloc[1] == pytest.approx(190 * last)


def test_points_that_are_all_used_early_leave_the_oldest_cohorts_nearly_certain() -> None:
    """Nothing is used in the third and fourth age; the last, of which one cohort tells, is not certain for that."""
    early = [100, 150, 180, 180, 180, 181], [110, 160, 190, 190, 190], [90, 140, 172, 172], [130, 200, 240], [120, 170]
    found = run_off(_triangle(*early, [100]))
    assert found["se"].iloc[0] == 0
    assert found["se"].iloc[1:].between(0.1, 10).all()
    assert ((found["low"] < found["ultimate"]) & (found["ultimate"] < found["high"])).iloc[1:].all()


def test_cohorts_that_all_ran_off_alike_leave_nothing_uncertain_in_the_total_either() -> None:
    rows = [(origin, age, [100, 150, 160, 160, 160][age]) for origin in range(5) for age in range(5 - origin)]
    found = run_off(pd.DataFrame(rows, columns=["origin", "age", "amount"]))
    assert found["outstanding"].tolist() == pytest.approx([0, 0, 0, 10, 60, 70])
    assert found["se"].tolist() == [0] * 6
    assert found["low"].tolist() == found["high"].tolist() == pytest.approx([160, 160, 160, 160, 160, 800])


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
        # Of three cohorts the last age's error would rest on a line through one point.
        (lambda raa: raa[raa["origin"].dt.year > 1987], "too_few_cohorts"),
        (lambda raa: raa[raa["origin"].dt.year != 1985], "ragged_triangle"),
        (lambda raa: raa[~((raa["origin"].dt.year == 1983) & (raa["age"] == 36))], "ragged_triangle"),
        (lambda raa: pd.concat([raa, raa]), "duplicate_rows"),
        (lambda raa: raa.assign(amount=raa["amount"].where(raa["age"] > 12, 0.0)), "empty_cohort"),
        (lambda raa: raa.assign(amount=raa["amount"].where(raa["origin"].dt.year < 1990, 0)), "empty_cohort"),
        (lambda raa: raa.assign(amount=raa["amount"].where(raa["age"] != 24, 0.0)), "fell_to_nothing"),
        (lambda raa: raa.iloc[:0], "too_few_cohorts"),
    ],
)
def test_what_is_no_triangle_is_refused(change: Any, reason: str) -> None:
    with pytest.raises(NotEstimable) as refused:
        run_off(change(_raa()))
    assert refused.value.params["reason"] == reason


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda raa: raa.assign(amount=raa["amount"].where(raa.index != 3)), "empty_value"),
        (lambda raa: raa.drop(columns="age"), "missing"),
        (lambda raa: pd.concat([raa, raa[["age"]]], axis=1), "twice"),
        (lambda raa: raa.assign(origin=raa["origin"].astype(object).where(raa.index != 0, "first")), "no_order"),
    ],
)
def test_a_column_that_does_not_fit_is_refused_with_what_is_wrong(change: Any, problem: str) -> None:
    with pytest.raises(ColumnUnfit) as refused:
        run_off(change(_raa()))
    assert refused.value.params["problem"] == problem
