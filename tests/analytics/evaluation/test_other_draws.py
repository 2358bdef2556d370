"""Draws of other kinds than the plain one: how often their intervals hold the truth. docs/algorithms/evaluation.md."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS

from analytics.evaluation.estimates import NotEstimable
from analytics.evaluation.event_study import event_study
from analytics.evaluation.jackknife import freedom_of, jackknifed, without_each_person
from analytics.evaluation.lottery import lottery_effect
from analytics.frames import APPLICATIONS, LOTS, OUTCOMES, PROGRAMMES
from tests.analytics.evaluation.coverage import Once, bounds, held, over_seeds
from tests.analytics.evaluation.worlds import DRAWN, FIRST_WEEK, lottery, typed

UNIT_YEN = 9_000.0


def _holds(row: Any, truth: float) -> bool:
    return bool(row["low"] <= truth <= row["high"])


def nobody_told_before(rng: np.random.Generator) -> Sequence[bool]:
    """Without the weeks before the draw, which sharpen the comparison."""
    applications, outcomes, truth = lottery(rng, per_unit=UNIT_YEN)
    found: Any = lottery_effect(applications, outcomes[outcomes["week"] > DRAWN]).set_index("estimand")
    return [_holds(found.loc["per_unit"], truth)]


def forty_cells(rng: np.random.Generator) -> Sequence[bool]:
    """More cells than have a dummy each."""
    applications, outcomes, truth = lottery(rng, people=500, strata=14, per_unit=UNIT_YEN)
    found: Any = lottery_effect(applications, outcomes).set_index("estimand")
    return [_holds(found.loc["per_unit"], truth)]


def two_draws(rng: np.random.Generator) -> Sequence[bool]:
    """Everybody applies again, and nothing has an effect: one person is one cluster."""
    first, outcomes, _ = lottery(rng, people=250, per_unit=0.0)
    again = first.assign(draw="d2", units_won=(rng.random(len(first)) < 0.5) * first["units_applied"])
    found: Any = lottery_effect(pd.concat([first, again], ignore_index=True), outcomes).set_index("estimand")
    return [_holds(found.loc[name], 0.0) for name in ("itt", "per_unit")]


def not_all_buy(rng: np.random.Generator) -> Sequence[bool]:
    """Seven of ten winners buy, and one of ten losers in a later sale; the lots say so."""
    applications, outcomes, _ = lottery(rng, per_unit=0.0)
    won = (applications["units_won"] > 0).to_numpy()
    buys = rng.random(len(won)) < np.where(won, 0.7, 0.1)
    units = buys * applications["units_applied"].to_numpy()
    extra = outcomes["resident"].map(dict(zip(applications["resident"], units, strict=True))) * UNIT_YEN / 7
    outcomes["spent_yen"] += (extra * (outcomes["week"] > DRAWN)).round().astype("int64")
    at = pd.Timestamp("2026-06-05T10:00", tz="Asia/Tokyo")
    lots = applications.loc[buys, ["resident", "programme"]].assign(
        lot=np.arange(buys.sum()),
        purse="common",
        origin="purchase",
        day=DRAWN + pd.Timedelta(days=2),
        at=at,
        usable_from=at,
        expires_at=at + pd.Timedelta(days=180),
        paid_yen=units[buys] * 10_000,
        premium_yen=units[buys] * 3_000,
    )
    terms = {"programme": "p", "unit_price_yen": 10_000, "unit_points": 13_000, "cap_yen": 30_000, "stock_units": 1_000}
    terms |= {"grant_budget_points": 0, "sale_from": DRAWN, "use_from": DRAWN, "use_to": DRAWN + pd.Timedelta(days=180)}
    programmes = typed(pd.DataFrame([terms]), PROGRAMMES)
    found: Any = lottery_effect(applications, outcomes, lots=typed(lots, LOTS), programmes=programmes)
    return [_holds(found.set_index("estimand").loc["per_unit"], UNIT_YEN)]


def drawn_together(rng: np.random.Generator, count: int, size: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Neighbourhoods that win or lose as one, with a level of their own and weeks in common; two units each."""
    of = np.repeat(np.arange(count), size)
    won = (rng.permutation(count) < count // 2)[of] * 2
    level = np.exp(rng.normal(0, 0.4, count))[of] * np.exp(rng.normal(9, 0.6, len(of)))
    weeks = np.exp(rng.normal(0, 0.1, (count, 12)))[of] * np.exp(rng.normal(0, 0.5, (len(of), 12)) - 0.125)
    spent = level[:, None] * weeks
    spent[:, 5:] += UNIT_YEN * won[:, None] / 7
    people = pd.DataFrame({"resident": np.arange(len(of)), "units_won": won}).assign(
        draw="d", programme="p", stratum="", units_applied=2, drawn_day=DRAWN
    )
    told = pd.DataFrame(
        {
            "resident": np.repeat(np.arange(len(of)), 12),
            "week": np.tile(FIRST_WEEK + pd.to_timedelta(7 * np.arange(12), unit="D"), len(of)),
            "spent_yen": spent.round().ravel(),
            "source": "panel",
        }
    )
    clusters = pd.DataFrame({"resident": np.arange(len(of)), "cluster": of})
    return typed(people, APPLICATIONS), typed(told, OUTCOMES), clusters


def neighbourhoods(rng: np.random.Generator) -> Sequence[bool]:
    """Thirty of them, each left out in turn, and a hundred and fifty, which are many."""
    inside = []
    for count, size in ((30, 10), (150, 3)):
        applications, outcomes, clusters = drawn_together(rng, count, size)
        found: Any = lottery_effect(applications, outcomes, clusters=clusters).set_index("estimand")
        inside += [_holds(found.loc["itt"], 2 * UNIT_YEN), _holds(found.loc["per_unit"], UNIT_YEN)]
    return inside


def ten_winners(rng: np.random.Generator) -> Sequence[bool]:
    """Of two hundred people ten win two units each: what winners do is known from few."""
    applications, outcomes, _ = lottery(rng, people=200, strata=1, per_unit=0.0)
    won = np.isin(np.arange(200), rng.permutation(200)[:10]) * 2
    applications = applications.assign(units_applied=2, units_won=won)
    extra = outcomes["resident"].map(dict(enumerate(won))) * UNIT_YEN / 7
    outcomes["spent_yen"] += (extra * (outcomes["week"] > DRAWN)).round().astype("int64")
    found: Any = lottery_effect(applications, outcomes).set_index("estimand")
    return [_holds(found.loc["itt"], 2 * UNIT_YEN), _holds(found.loc["per_unit"], UNIT_YEN)]


def eighty_people(rng: np.random.Generator) -> Sequence[bool]:
    """Week by week with so few that each is left out in turn; the joint test of the weeks before has no cause."""
    weeks = event_study(*lottery(rng, people=80, strata=1, per_unit=0.0)[:2], weeks_after=3)
    by_week: Any = weeks.set_index("relative_week")
    return [_holds(by_week.loc[-3], 0.0), _holds(by_week.loc[2], 0.0), weeks["pretrend_p"].iloc[0] >= 0.05]


@over_seeds
@pytest.mark.parametrize(
    "once", [neighbourhoods, ten_winners, eighty_people, two_draws, not_all_buy, nobody_told_before, forty_cells]
)
def test_the_interval_holds_the_effect_that_was_put_in(once: Once, seeds: int) -> None:
    least, most = bounds(seeds)
    shares = held(once, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_the_jackknife_is_what_fitting_again_without_each_cluster_gives() -> None:
    rng = np.random.default_rng(1)
    cluster = np.arange(60) % 12
    z = np.column_stack([rng.random(60) < 0.5, rng.normal(8_000, 500, 60), np.eye(3)[np.arange(60) % 3]])
    x = z.copy()
    x[:, 0] = z[:, 0] * rng.integers(1, 4, 60)
    y = x @ np.array([5.0, 0.3, 1, 2, 3]) + rng.normal(0, 1, 60)
    found, covariance = jackknifed(y, x, z, cluster, 2, "here")

    def fitted(rows: Any) -> Any:
        return np.linalg.solve(z[rows].T @ x[rows], z[rows].T @ y[rows])[:2]

    off = np.array([fitted(cluster != one) for one in range(12)]) - fitted(cluster >= 0)
    assert found == pytest.approx(fitted(cluster >= 0))
    assert covariance == pytest.approx(11 / 12 * off.T @ off)


def test_leaving_out_each_person_in_closed_form_is_fitting_again() -> None:
    rng = np.random.default_rng(2)
    cell, people = np.arange(40) % 7, np.arange(40)
    z = np.column_stack([rng.random(40) < 0.4, rng.normal(8_000, 500, 40)]).astype("float64")
    x = z.copy()
    x[:, 0] *= rng.integers(0, 4, 40)
    y = x @ np.array([5.0, 0.3]) + cell + rng.normal(0, 1, 40)
    found, moves = without_each_person(y, x, z, cell, "here")
    full_x, full_z = (np.hstack([each, np.eye(7)[cell]]) for each in (x, z))

    def fitted(rows: Any) -> Any:
        return np.linalg.solve(full_z[rows].T @ full_x[rows], full_z[rows].T @ y[rows])[0]

    assert found == pytest.approx(fitted(people >= 0))
    assert moves == pytest.approx(np.array([fitted(people != one) for one in people]) - found)


def test_the_error_of_winning_is_hc3() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    found: Any = lottery_effect(applications, outcomes[outcomes["week"] > DRAWN]).iloc[0]
    spent = outcomes[outcomes["week"] > DRAWN].groupby("resident")["spent_yen"].sum()
    cell = applications["stratum"] + applications["units_applied"].astype("str")
    columns = pd.get_dummies(cell).astype("float64").assign(won=(applications["units_won"] > 0).astype("float64"))
    fit = OLS(spent.to_numpy(dtype="float64"), columns).fit(cov_type="HC3")
    assert found[["estimate", "se"]].astype("float64").tolist() == pytest.approx([fit.params["won"], fit.bse["won"]])


def test_the_error_of_winning_by_many_households_is_the_one_of_statsmodels() -> None:
    applications, outcomes, clusters = drawn_together(np.random.default_rng(1), 150, 2)
    after = outcomes[outcomes["week"] > DRAWN]
    found: Any = lottery_effect(applications, after, clusters=clusters).iloc[0]
    columns = pd.DataFrame({"won": (applications["units_won"] > 0).astype("float64"), "all": 1.0})
    spent = after.groupby("resident")["spent_yen"].sum().to_numpy(dtype="float64")
    fit = OLS(spent, columns).fit(cov_type="cluster", cov_kwds={"groups": clusters["cluster"]})
    assert "CRV1" in found["method"]
    assert found[["estimate", "se"]].astype("float64").tolist() == pytest.approx([fit.params["won"], fit.bse["won"]])


def test_where_few_won_the_interval_knows_how_few() -> None:
    moves, won = np.ones(200), np.arange(200) < 10
    assert freedom_of(moves * np.where(won, 20.0, 1.0), won) < 10
    assert freedom_of(moves, np.arange(200) < 100) == pytest.approx(198)
    assert freedom_of(moves * 0, won) == 1


def test_where_few_households_won_each_is_left_out_in_turn() -> None:
    applications, outcomes, clusters = drawn_together(np.random.default_rng(1), 150, 2)
    many: Any = lottery_effect(applications, outcomes, clusters=clusters)
    few: Any = lottery_effect(
        applications.assign(units_won=np.where(clusters["cluster"] < 8, 2, 0)), outcomes, clusters=clusters
    )
    assert many["method"].str.contains("CRV1").all()
    assert few["method"].str.contains("CRV3").all()


def test_an_effect_that_hangs_on_one_cluster_is_refused() -> None:
    won = np.array([1.0, 1, 0, 0, 0, 0])
    with pytest.raises(NotEstimable) as refused:
        jackknifed(np.arange(6.0), won[:, None], won[:, None], np.array([0, 0, 1, 1, 2, 2]), 1, "here")
    assert refused.value.params["reason"] == "one_cluster"
