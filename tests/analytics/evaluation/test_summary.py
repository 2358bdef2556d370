"""docs/algorithms/evaluation.md, "One page" and "Bounds"."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics import evaluation
from analytics.evaluation.bounds import substitution_bounds
from analytics.evaluation.estimates import NotEstimable
from analytics.evaluation.summary import Evidence, what_it_did
from analytics.frames import LOTS, OUTCOMES, PROGRAMMES, SPENDING, STORES, FrameUnfit
from locales import texts
from tests.analytics.evaluation.worlds import DRAWN, lottery, typed
from tests.analytics.forecast.points import programme
from tests.analytics.hand import frame

USE_TO = pd.Timestamp("2026-10-20")


def _programmes() -> pd.DataFrame:
    row = {
        "programme": "p",
        "unit_price_yen": 10_000,
        "unit_points": 13_000,
        "cap_yen": 30_000,
        "stock_units": 1_000,
        "grant_budget_points": 0,
        "sale_from": DRAWN,
        "use_from": DRAWN,
        "use_to": USE_TO,
    }
    return typed(pd.DataFrame([row]), PROGRAMMES)


def _stores() -> pd.DataFrame:
    """One store that was large for a month and is small since."""
    moved = DRAWN + pd.Timedelta(days=30)
    rows = pd.DataFrame(
        {"store_class": ["large", "small"], "from_day": [pd.Timestamp("2026-01-01"), moved], "to_day": [moved, pd.NaT]}
    )
    return typed(rows.assign(store="100001", category="food", district="Minato", merchant="1"), STORES)


def _evidence(extra_per_unit: float = 30_000.0) -> Evidence:
    """A lottery of 1,500 people whose winners buy what they won, and a survey of 100 households."""
    rng = np.random.default_rng(2)
    applications, outcomes, _ = lottery(rng, people=1_500, per_unit=extra_per_unit)
    lots, spending, _ = programme(rng, "p", "2026-06-03", people=1_500)
    winners = applications.loc[applications["units_won"] > 0, "resident"]
    lots = lots[lots["resident"].isin(winners)]
    won = lots["resident"].map(applications.set_index("resident")["units_won"])
    lots = lots.assign(paid_yen=10_000 * won, premium_yen=3_000 * won)
    survey = pd.DataFrame(rng.integers(10_000, 40_000, (100, 3)), columns=["usual_yen", "extra_yen", "extra_cash_yen"])
    return Evidence(
        spending=spending[spending["resident"].isin(winners)],
        lots=lots,
        programmes=_programmes(),
        stores=_stores(),
        applications=applications,
        outcomes=outcomes,
        survey=survey,
        invited=400,
        administration_yen=1_000_000,
    )


def _all(page: pd.DataFrame) -> Any:
    return page[page["store_class"] == "all"].set_index("item")


def test_the_page_never_shows_one_number_alone() -> None:
    """The four numbers are there with their intervals, and the bounds and the two comparisons beside them."""
    page = _all(what_it_did(_evidence(), "p"))
    assert page["state"].drop("followed_months").eq("known").all()
    for item in ("surveyed_extra", "causal_extra", "causal_extra_total", "cost_per_extra_yen", "bound_none"):
        assert page.loc[item, "low"] < page.loc[item, "high"]
    assert np.isnan(page.loc["cost_per_extra_yen", "value"])
    assert page.loc["administration_share_hiratsuka", "value"] == pytest.approx(0.036)
    assert page.loc["administration_share_paper", "value"] == pytest.approx(0.185)


def test_the_causal_total_is_the_units_times_the_truth() -> None:
    evidence = _evidence()
    page = _all(what_it_did(evidence, "p"))
    truth = 30_000 * evidence.lots["paid_yen"].sum() / 10_000
    assert page.loc["causal_extra_total", "low"] <= truth <= page.loc["causal_extra_total", "high"]
    cost = page.loc["premium_redeemed", "value"] + 1_000_000
    assert page.loc["cost_per_extra_yen", "low"] <= cost / truth <= page.loc["cost_per_extra_yen", "high"]


def test_an_effect_that_may_be_nothing_has_no_upper_limit_of_cost() -> None:
    page = _all(what_it_did(_evidence(extra_per_unit=0.0), "p"))
    assert page.loc["causal_extra_total", "low"] < 0 < page.loc["causal_extra_total", "high"]
    assert page.loc["cost_per_extra_yen", "high"] == np.inf


def test_small_and_large_are_apart_by_what_the_store_was_on_the_day() -> None:
    evidence = _evidence()
    page = what_it_did(evidence, "p").query("item == 'redeemed'").set_index("store_class")["value"]
    early = evidence.spending["day"] < DRAWN + pd.Timedelta(days=30)
    assert page["large"] == evidence.spending.loc[early, "amount_yen"].sum()
    assert page["small"] == evidence.spending.loc[~early, "amount_yen"].sum()
    assert page["all"] == page["large"] + page["small"]
    nowhere: Any = what_it_did(replace(evidence, stores=STORES.empty()), "p").query("item == 'redeemed'")
    assert nowhere.set_index("store_class").loc["unknown", "value"] == page["all"]


@pytest.mark.parametrize("levels", [["label"], ["store", "row"]])
def test_labels_of_rows_that_repeat_or_are_several_move_no_yen_to_another_class(levels: list[str]) -> None:
    """As rows have them that were put together from several frames, or stand below a label of several parts."""
    evidence = _evidence()
    labels = pd.MultiIndex.from_arrays([[7] * len(evidence.spending)] * len(levels), names=levels)
    labelled = evidence.spending.set_axis(labels if len(levels) > 1 else labels.get_level_values(0))
    found = what_it_did(replace(evidence, spending=labelled), "p")
    pd.testing.assert_frame_equal(found, what_it_did(evidence, "p"))


@pytest.mark.parametrize("order", [1, -1])
def test_an_older_row_of_a_store_that_was_left_open_does_not_outlive_the_newer_one(order: int) -> None:
    evidence = _evidence()
    overlapping = _stores().assign(to_day=pd.Series(pd.NaT, index=[0, 1])).iloc[::order]
    found = what_it_did(replace(evidence, stores=typed(overlapping, STORES)), "p")
    pd.testing.assert_frame_equal(found, what_it_did(evidence, "p"))


def test_a_store_that_is_there_twice_is_refused() -> None:
    with pytest.raises(FrameUnfit) as refused:
        what_it_did(replace(_evidence(), stores=pd.concat([_stores(), _stores()])), "p")
    assert refused.value.params["problem"] == "repeated"


def test_four_months_after_the_end_are_met_or_not() -> None:
    evidence = _evidence()
    assert _all(what_it_did(evidence, "p")).loc["followed_months", "state"] == "not_met"
    late = evidence.outcomes.iloc[:1].assign(week=pd.Timestamp("2027-02-15"))
    followed = replace(evidence, outcomes=pd.concat([evidence.outcomes, late]))
    found = _all(what_it_did(followed, "p")).loc["followed_months"]
    assert (found["state"], found["value"]) == ("met", 4)


def test_an_empty_programme_says_of_each_number_that_it_is_not_known() -> None:
    empty = Evidence(spending=SPENDING.empty(), lots=LOTS.empty(), programmes=_programmes())
    page = _all(what_it_did(empty, "p"))
    assert page.loc["redeemed", "value"] == page.loc["issued", "value"] == 0
    for item in ("surveyed_extra", "causal_extra", "cost_per_extra_yen", "administration_share", "followed_months"):
        assert page.loc[item, "state"] == "not_given"
    with_cost = _all(what_it_did(replace(empty, administration_yen=5), "p"))
    assert with_cost.loc["administration_share", "reason"] == "nothing_issued"


def test_a_draw_that_nobody_lost_is_a_row_with_its_reason() -> None:
    evidence = _evidence()
    winners = evidence.applications[evidence.applications["units_won"] > 0]
    page = _all(what_it_did(replace(evidence, applications=winners), "p"))
    assert (page.loc["causal_extra", "state"], page.loc["causal_extra", "reason"]) == ("not_estimable", "nobody_lost")
    assert page.loc["cost_per_extra_yen", "state"] == "not_estimable"


def test_another_programme_is_refused() -> None:
    with pytest.raises(NotEstimable) as refused:
        what_it_did(_evidence(), "q")
    assert refused.value.params["reason"] == "no_such_programme"


def test_bounds_name_their_assumption_and_hold_without_any() -> None:
    lots, spending, _ = programme(np.random.default_rng(1), "p", "2026-06-03", people=20)
    spending = spending.assign(
        premium_yen=spending["amount_yen"] // 10, paid_yen=lambda frame: frame["amount_yen"] - frame["premium_yen"]
    )
    found: Any = substitution_bounds(spending).set_index("assumption")
    redeemed, premium = spending["amount_yen"].sum(), spending["premium_yen"].sum()
    assert (found.loc["none", "low_yen"], found.loc["none", "high_yen"]) == (0, redeemed)
    assert found.loc["points_are_money", "high_yen"] == premium
    assert found.loc["japan_1999", "low_yen"] == pytest.approx(0.1 * premium)
    assert lots["resident"].nunique() == found.loc["none", "residents"]


def test_what_goes_beyond_usual_spending_is_additional() -> None:
    """One person paid 10,000 yen in one week and usually spends 4,000 a week; of another no usual week is known."""
    _, spending, _ = programme(np.random.default_rng(1), "p", "2026-06-03", people=2, payments=1)
    at = pd.Timestamp(DRAWN).tz_localize("Asia/Tokyo")
    spending = spending.assign(at=at, day=DRAWN, amount_yen=10_000, paid_yen=10_000, premium_yen=0)
    week = {"resident": 0, "week": pd.Timestamp("2026-05-25"), "spent_yen": 4_000, "source": "survey"}
    outcomes = typed(pd.DataFrame([week]), OUTCOMES)
    found: Any = substitution_bounds(spending, outcomes).set_index("assumption").loc["usual_spending_goes_on"]
    assert (found["low_yen"], found["high_yen"], found["residents"]) == (6_000, 20_000, 1)


def test_where_more_came_back_than_was_spent_nothing_is_additional() -> None:
    """A frame that begins amid a programme has refunds of payments before it; no bound lies below the other."""
    back = {"kind": "refund", "payment": 99, "amount_yen": -500, "premium_yen": -100}
    found = substitution_bounds(frame("spending", [{"amount_yen": 300, "premium_yen": 60}, back]))
    assert (found["redeemed_yen"] == -200).all()
    assert (found[["low_yen", "high_yen"]] == 0).all(axis=None)


def test_nothing_redeemed_has_bounds_of_nothing() -> None:
    found = substitution_bounds(SPENDING.empty(), OUTCOMES.empty())
    assert (found[["low_yen", "high_yen"]] == 0).all().all()
    assert found["low_share"].isna().all()


@pytest.mark.parametrize("language", ["ja", "en", "ja-simple"])
def test_every_item_and_reason_has_its_words(language: str) -> None:
    known = texts(language)
    page = what_it_did(_evidence(), "p")
    assert not {item for item in page["item"] if f"evaluation.item.{item}" not in known}
    package = Path(evaluation.__file__).parents[1]
    sources = [path.read_text() for name in ("evaluation", "forecast") for path in (package / name).glob("*.py")]
    reasons = {found for source in sources for found in re.findall(r'reason="([a-z_]+)"', source)}
    assert len(reasons) > 15
    assert not {reason for reason in reasons if f"evaluation.reason.{reason}" not in known}
