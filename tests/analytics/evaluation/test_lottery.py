"""docs/algorithms/evaluation.md, "Lotteries" and "Event study"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from analytics.evaluation.event_study import event_study
from analytics.evaluation.lottery import lottery_effect
from analytics.frames import APPLICATIONS, LOTS, OUTCOMES, PROGRAMMES
from tests.analytics.evaluation.coverage import BOUNDED, SEEDS, Once, believable, held
from tests.analytics.evaluation.worlds import DRAWN, lottery, typed


def effect_and_event(rng: np.random.Generator) -> Sequence[bool]:
    """A premium that does 9,000 yen a unit; week 0 and the weeks before the draw know no effect."""
    applications, outcomes, per_unit = lottery(rng, per_unit=9_000.0)
    found: Any = lottery_effect(applications, outcomes).set_index("estimand")
    weeks: Any = event_study(*lottery(rng, people=120, per_unit=0.0)[:2], weeks_after=3).set_index("relative_week")
    return [
        found.loc["per_unit", "low"] <= per_unit <= found.loc["per_unit", "high"],
        weeks.loc[-3, "low"] <= 0 <= weeks.loc[-3, "high"],
        weeks.loc[2, "low"] <= 0 <= weeks.loc[2, "high"],
    ]


def winning(rng: np.random.Generator) -> Sequence[bool]:
    """Everybody asked for one unit, so that the effect of winning is one number: 9,000 yen."""
    applications, outcomes, _ = lottery(rng, per_unit=0.0)
    applications["units_won"] = (applications["units_won"] > 0).astype("int64")
    lucky = set(applications.loc[applications["units_won"] > 0, "resident"])
    after = (outcomes["week"] > DRAWN) & outcomes["resident"].isin(lucky)
    outcomes["spent_yen"] += (after * (9_000 // 7)).astype("int64")
    found: Any = lottery_effect(applications, outcomes).set_index("estimand").loc["itt"]
    return [found["low"] <= 9_000 // 7 * 7 <= found["high"]]


@pytest.mark.parametrize("once", [effect_and_event, winning])
def test_intervals_hold_the_truth_that_was_put_in(once: Once) -> None:
    least, most = believable(BOUNDED)
    shares = held(once, BOUNDED)
    assert ((shares >= least) & (shares <= most)).all(), shares


@pytest.mark.long
@pytest.mark.parametrize("once", [effect_and_event, winning])
def test_coverage_is_between_93_and_97_per_cent_over_two_thousand_seeds(once: Once) -> None:
    shares = held(once, SEEDS)
    assert ((shares >= 0.93) & (shares <= 0.97)).all(), shares


def test_a_comparison_without_cells_would_be_wrong() -> None:
    """The control: in this world who asks for more spends more and wins more, so the plain difference misleads."""
    applications, outcomes, _ = lottery(np.random.default_rng(1), people=4_000, per_unit=0.0)
    spent = outcomes[outcomes["week"] > DRAWN].groupby("resident")["spent_yen"].sum()
    by_arm: Any = spent.groupby(applications.set_index("resident")["units_won"] > 0).mean()
    found: Any = lottery_effect(applications, outcomes).set_index("estimand").loc["itt"]
    assert found["low"] <= 0 <= found["high"]
    assert by_arm[True] - by_arm[False] > 5 * abs(found["estimate"])


def test_units_bought_come_from_the_lots_and_losers_may_buy_later() -> None:
    """Half of the winners buy nothing: a unit bought does twice what a unit won does."""
    rng = np.random.default_rng(3)
    applications, outcomes, _ = lottery(rng, people=2_000, per_unit=0.0)
    buys = (applications["units_won"] > 0) & (rng.random(len(applications)) < 0.5)
    bought = applications.loc[buys, ["resident", "programme"]].assign(
        lot=lambda frame: np.arange(len(frame)),
        purse="common",
        origin="purchase",
        day=DRAWN + pd.Timedelta(days=2),
        at=pd.Timestamp("2026-06-05T10:00", tz="Asia/Tokyo"),
        usable_from=pd.Timestamp("2026-06-05T10:00", tz="Asia/Tokyo"),
        expires_at=pd.Timestamp("2026-12-01T00:00", tz="Asia/Tokyo"),
        paid_yen=applications.loc[buys, "units_won"] * 10_000,
        premium_yen=applications.loc[buys, "units_won"] * 3_000,
    )
    units = (buys * applications["units_won"]).set_axis(applications["resident"])
    extra = outcomes["resident"].map(units) * 20_000 / 7 * (outcomes["week"] > DRAWN)
    outcomes["spent_yen"] += extra.round().astype("int64")
    programmes = typed(
        pd.DataFrame(
            [
                {
                    "programme": "p",
                    "unit_price_yen": 10_000,
                    "unit_points": 13_000,
                    "cap_yen": 30_000,
                    "stock_units": 1_000,
                    "grant_budget_points": 0,
                    "sale_from": DRAWN,
                    "use_from": DRAWN,
                    "use_to": DRAWN + pd.Timedelta(days=180),
                }
            ]
        ),
        PROGRAMMES,
    )
    found: Any = lottery_effect(applications, outcomes, lots=typed(bought, LOTS), programmes=programmes)
    per_bought: Any = found.set_index("estimand").loc["per_unit"]
    per_won: Any = lottery_effect(applications, outcomes).set_index("estimand").loc["per_unit"]
    assert per_bought["low"] <= 20_000 <= per_bought["high"]
    assert per_won["estimate"] < 0.7 * per_bought["estimate"]


def test_sources_are_never_mixed() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    both = pd.concat([outcomes, outcomes.assign(source="survey", spent_yen=outcomes["spent_yen"] // 2)])
    found: Any = lottery_effect(applications, both)
    assert found["source"].tolist() == ["panel", "panel", "survey", "survey"]
    with pytest.raises(NotEstimable) as refused:
        event_study(applications, both)
    assert refused.value.params["reason"] == "several_sources"


def test_who_did_not_answer_is_said_by_arm() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    losers = applications.loc[applications["units_won"] == 0, "resident"]
    silent = outcomes["resident"].isin(losers.iloc[: len(losers) // 2])
    found: Any = lottery_effect(applications, outcomes[~silent]).iloc[0]
    assert found["answered_won"] == 1.0
    assert found["answered_lost"] == pytest.approx(0.5, abs=0.01)


def test_a_stratum_without_losers_is_left_out_and_the_rest_answers() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    rest = applications["stratum"] != "s2"
    applications.loc[~rest, "units_won"] = applications["units_applied"]
    found: Any = lottery_effect(applications, outcomes)
    alone: Any = lottery_effect(applications[rest], outcomes)
    assert found["residents"].iloc[0] <= rest.sum()
    pd.testing.assert_frame_equal(found.drop(columns="answered_won"), alone.drop(columns="answered_won"))


def test_households_drawn_together_count_as_one() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    alike = pd.DataFrame({"resident": applications["resident"], "cluster": applications["resident"] % 25})
    found: Any = lottery_effect(applications, outcomes, clusters=alike)
    assert found["clusters"].tolist() == [25, 25]
    assert found["method"].str.contains("CRV3").all()
    with pytest.raises(ColumnUnfit):
        lottery_effect(applications, outcomes, clusters=alike.rename(columns={"cluster": "household"}))


def test_who_belongs_to_two_households_is_refused_and_who_is_named_twice_alike_is_not() -> None:
    """Without, the first line would decide, and another order of lines would be another interval."""
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    alike = pd.DataFrame({"resident": applications["resident"], "cluster": applications["resident"] % 25})
    pd.testing.assert_frame_equal(
        lottery_effect(applications, outcomes, clusters=pd.concat([alike, alike])),
        lottery_effect(applications, outcomes, clusters=alike),
    )
    for clusters, problem in (
        (pd.concat([alike, alike.assign(cluster=1)]), "changes"),
        (alike.assign(cluster=pd.Series([[1]] * 300)), "no_order"),
    ):
        with pytest.raises(ColumnUnfit) as refused:
            lottery_effect(applications, outcomes, clusters=clusters)
        assert refused.value.params == {"column": "cluster", "problem": problem}
    with pytest.raises(NotEstimable) as lacking:
        lottery_effect(applications, outcomes, clusters=alike.assign(cluster=alike["cluster"].where(alike.index > 0)))
    assert lacking.value.params["reason"] == "no_cluster"


def test_an_effect_without_any_chance_in_it_has_no_interval() -> None:
    """Rounding would leave one of nothing on either side."""
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    winners = applications.loc[applications["units_won"] > 0, "resident"]
    outcomes["spent_yen"] = 500 + 333 * outcomes["resident"].isin(winners) * (outcomes["week"] > DRAWN)
    with pytest.raises(NotEstimable) as refused:
        lottery_effect(applications, outcomes)
    assert refused.value.params["reason"] == "no_variation"


def _applications(units_won: list[int]) -> pd.DataFrame:
    rows = pd.DataFrame({"resident": range(len(units_won)), "units_won": units_won}).assign(
        draw="d", programme="p", stratum="", units_applied=1, drawn_day=DRAWN
    )
    return typed(rows, APPLICATIONS)


def _outcomes(residents: int) -> pd.DataFrame:
    rows = pd.DataFrame({"resident": range(residents), "spent_yen": [100 * (1 + one) for one in range(residents)]})
    return typed(rows.assign(week=pd.Timestamp("2026-06-08"), source="survey"), OUTCOMES)


@pytest.mark.parametrize(
    ("units_won", "told", "reason"),
    [
        ([], 0, "no_applications"),
        ([1], 1, "nobody_lost"),
        ([0, 0, 0], 3, "nobody_won"),
        ([1, 1, 1], 3, "nobody_lost"),
        ([1, 1, 0, 0], 0, "no_outcomes"),
        ([1, 1, 0, 0], 2, "no_cell_with_both"),
        ([1, 0], 2, "too_few_residents"),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_its_reason(units_won: list[int], told: int, reason: str) -> None:
    with pytest.raises(NotEstimable) as refused:
        lottery_effect(_applications(units_won), _outcomes(told))
    assert refused.value.params["reason"] == reason


@pytest.mark.parametrize("weeks", [1.5, 0, -1, float("nan"), float("inf")])
def test_weeks_that_are_no_whole_number_of_them_are_refused(weeks: Any) -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1), people=60)
    with pytest.raises(NotEstimable) as refusal:
        lottery_effect(applications, outcomes, weeks_after=weeks)
    assert refusal.value.params["reason"] == "weeks_not_whole"
    with pytest.raises(NotEstimable) as refusal:
        event_study(applications, outcomes, weeks_before=weeks)
    assert refusal.value.params["reason"] == "weeks_not_whole"
    if weeks != 0:
        with pytest.raises(NotEstimable) as refusal:
            event_study(applications, outcomes, weeks_after=weeks)
        assert refusal.value.params["reason"] == "weeks_not_whole"


def test_whole_weeks_are_taken_as_a_number_of_any_kind() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1), people=60)
    as_numbers: list[Any] = [2, 2.0, np.int64(2)]
    found: list[Any] = [lottery_effect(applications, outcomes, weeks_after=weeks) for weeks in as_numbers]
    assert set(found[0]["weeks"]) == {2}
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])


def test_an_application_that_is_there_twice_is_refused() -> None:
    applications, outcomes, _ = lottery(np.random.default_rng(1))
    with pytest.raises(NotEstimable) as refused:
        lottery_effect(pd.concat([applications, applications]), outcomes)
    assert refused.value.params == {"what": "applications", "reason": "duplicate_rows"}


def test_a_difference_before_the_draw_is_noticed() -> None:
    """Someone let winners be chosen by what they spend: the weeks before say so."""
    applications, outcomes, _ = lottery(np.random.default_rng(5), per_unit=0.0)
    winners = applications.loc[applications["units_won"] > 0, "resident"]
    early = outcomes["resident"].isin(winners) & (outcomes["week"] == outcomes["week"].min())
    outcomes.loc[early, "spent_yen"] += 30_000
    assert event_study(applications, outcomes)["pretrend_p"].iloc[0] < 0.001
