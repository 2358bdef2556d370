"""What is said to be true can be found in the frames. See docs/algorithms/synthetic-city.md."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from analytics.frames import FRAMES
from analytics.synthetic.outcomes import week_profile
from analytics.synthetic.plan import Effect, city_of
from tests.factories.cities import HONEST, SMALL, city, payments_of

PLAIN = Effect(propensity=1.0, noise=(0.01, 0.02), answered=1.0)
BIG = replace(city_of(60_000), stores=200)


def test_no_truth_is_in_a_frame_but_only_the_declared_columns() -> None:
    for name, frame in city().frames.items():
        assert list(frame.columns) == FRAMES[name].column_names


def test_the_truth_can_be_written_down() -> None:
    again = json.loads(json.dumps(city().truth.plain()))
    assert set(again) == {field.name for field in fields(city().truth)}
    assert again["payments"] == city().truth.payments


def test_winners_spend_more_by_the_effect_that_is_said_to_be_true() -> None:
    """Each person beside themselves in the weeks before; hardly any noise, so that the means show it."""
    made = city(replace(HONEST, residents=2_000, effect=PLAIN))
    outcomes = made.frames["outcomes"].merge(made.frames["applications"], on="resident")
    won = outcomes["units_won"] > 0
    start = pd.Timestamp(HONEST.use_from) - pd.Timedelta(days=date.weekday(HONEST.use_from))
    before = outcomes[outcomes["week"] < start].groupby("resident")["spent_yen"].mean()
    relative = outcomes["spent_yen"] / outcomes["resident"].map(before)
    common = relative[~won].groupby(outcomes["week"]).mean()
    without = outcomes["resident"].map(before) * outcomes["week"].map(common)
    gain = (outcomes["spent_yen"] - without)[won].groupby(outcomes["week"]).mean()
    truth = made.truth.effect
    assert truth is not None
    expected = truth.set_index("week")["per_winner_yen"]
    assert (gain - expected).abs().mean() < 20
    assert (gain - expected).abs().max() < 60
    assert expected.max() > 1_000


def test_the_effect_is_the_propensity_times_the_premium_and_some_of_it_is_only_brought_forward() -> None:
    made = city(replace(SMALL, effect=PLAIN))
    truth = made.truth
    assert truth.effect is not None
    assert truth.mean_propensity is not None
    bought = made.frames["lots"].query("origin == 'purchase'")["premium_yen"].sum()
    winners = (made.frames["applications"]["units_won"] > 0).sum()
    total = truth.effect["per_winner_yen"] * winners
    assert total[total > 0].sum() == pytest.approx(truth.mean_propensity * bought, rel=1e-6)
    assert total[total < 0].sum() == pytest.approx(-PLAIN.brought_forward * total[total > 0].sum(), rel=1e-6)


def test_the_profile_of_the_effect_is_one_while_points_are_used_and_nothing_before() -> None:
    weeks, profile = week_profile(SMALL)
    used = [SMALL.use_from <= week + pd.Timedelta(days=6) and week <= SMALL.use_to for week in weeks]
    assert profile[used].sum() == pytest.approx(1.0)
    assert (profile[: SMALL.effect.before_weeks] == 0).all()
    assert sum(week > SMALL.use_to for week in weeks) == 17


def test_the_noise_of_outcomes_grows_with_the_person_and_differs_between_people() -> None:
    outcomes = city(replace(SMALL, residents=1_500)).frames["outcomes"]
    each = outcomes.groupby("resident")["spent_yen"].agg(["mean", "std"])
    rich = each["mean"] > each["mean"].median()
    assert each.loc[rich, "std"].mean() > 1.3 * each.loc[~rich, "std"].mean()
    assert (each["std"] / each["mean"]).std() > 0.05


def test_flows_between_districts_are_the_ones_said_to_be_meant() -> None:
    made = city(replace(BIG, coupons=0, companions=0, misdeeds=HONEST.misdeeds))
    stores = made.frames["stores"].drop_duplicates("store").set_index("store")["district"]
    homes = made.frames["residents"].set_index("resident")["district"]
    paid = payments_of(made)
    paid = paid.assign(home=paid["resident"].map(homes), district=paid["store"].map(stores))
    found = paid.groupby(["home", "district"])["amount_yen"].sum()
    share = found / found.groupby("home").transform("sum")
    flows = made.truth.flows.set_index(["home", "district"])["share"]
    assert flows.groupby("home").sum().to_numpy() == pytest.approx(1.0)
    assert (share - flows).abs().max() < 0.04
    assert np.average((share - flows).abs()) < 0.012


def test_the_stores_shares_are_the_ones_said_to_be_meant() -> None:
    made = city(replace(BIG, coupons=0, companions=0, misdeeds=HONEST.misdeeds))
    sales = made.frames["spending"].groupby("store")["amount_yen"].sum()
    meant = made.truth.stores.set_index("store")["share"]
    assert meant.sum() == pytest.approx(1.0)
    assert (sales / sales.sum() - meant).abs().sum() < 0.12


def test_a_coupons_lift_is_what_those_who_saw_it_did_more() -> None:
    """Those who were not shown it, district by district, are what would have been without it."""
    made = city(replace(BIG, coupon_pull=0.2, misdeeds=HONEST.misdeeds))
    truth, shown = made.truth.coupons, made.frames["coupons"]
    assert (truth["visits"] >= truth["without"]).all()
    assert truth.set_index("coupon")["shown"].to_dict() == shown.groupby("coupon").size().to_dict()
    assert truth.set_index("coupon")["used"].to_dict() == shown.groupby("coupon")["used_day"].count().to_dict()
    used = shown[shown["used_day"].notna()]
    assert (used["used_day"] >= used["shown_day"]).all()
    estimated = [_difference(made.frames, payments_of(made), code) for code in truth["coupon"]]
    assert sum(estimated) == pytest.approx(truth["lift"].sum(), rel=0.25)


def _difference(frames: Mapping[str, pd.DataFrame], paid: pd.DataFrame, code: str) -> float:
    shown = frames["coupons"].query("coupon == @code")
    buyers = frames["residents"].set_index("resident")["district"]
    first, store = shown["shown_day"].min(), shown["store"].iloc[0]
    day = paid["at"].dt.tz_localize(None).dt.normalize()
    window = (day >= first + pd.Timedelta(days=2)) & (day < first + pd.Timedelta(days=14))
    visits = paid[window & (paid["store"] == store)].groupby("resident").size()
    table = pd.DataFrame({"home": buyers, "seen": buyers.index.isin(shown["resident"])})
    table["visits"] = visits.reindex(table.index).fillna(0)
    means = table.groupby(["home", "seen"])["visits"].mean().unstack()
    weights = table[table["seen"]].groupby("home").size()
    return float(((means[True] - means[False]) * weights).sum() / weights.sum())


def test_the_second_store_of_a_pair_is_often_the_next_stop() -> None:
    made = city(BIG)
    paid = payments_of(made).sort_values(["resident", "at"])
    follows = (paid["resident"] == paid["resident"].shift(-1)) & (
        paid["at"].shift(-1) - paid["at"] < pd.Timedelta(minutes=13)
    )
    following = paid["store"].shift(-1)[follows]
    pairs = made.truth.pairs
    for first, second in zip(pairs["first"], pairs["second"], strict=True):
        after = following[paid.loc[follows, "store"] == first]
        assert (after == second).mean() > 3 * (following == second).mean()
    assert (pairs["pulled"] > 0).all()


def test_every_planted_misdeed_is_there_to_be_found() -> None:
    made = city()
    planted, spending = made.truth.misdeeds, made.frames["spending"]
    assert set(planted["kind"]) == {
        "cash_out_ring",
        "refund_loop",
        "own_household",
        "split_payment",
        "night",
        "velocity",
    }
    paid = payments_of(made).set_index("resident")
    for kind, group in planted.groupby("kind"):
        for who, store in zip(group["resident"], group["store"], strict=True):
            _must_show(str(kind), paid.loc[[who]], spending[spending["resident"] == who], store)
    assert set(made.truth.households["resident"]) == set(planted.query("kind == 'own_household'")["resident"])


def _must_show(kind: str, paid: pd.DataFrame, spending: pd.DataFrame, store: str) -> None:
    here = paid[paid["store"] == store]
    near = paid["at"].sort_values().diff() < pd.Timedelta(seconds=90)
    match kind:
        case "cash_out_ring":
            assert len(here) == len(paid) == 2
            assert spending["emptied"].any()
            assert paid["at"].max() - paid["at"].min() < pd.Timedelta(days=1)
        case "refund_loop":
            assert (spending["kind"] == "refund").sum() >= 5
            assert len(here) == len(paid)
        case "own_household":
            assert len(here) / len(paid) > 0.25
        case "split_payment":
            assert (here["amount_yen"] == 2_980).sum() >= 5
        case "night":
            assert (paid["at"].dt.hour.between(1, 3)).sum() >= 6
        case "velocity":
            assert near.sum() >= 9


def test_an_honest_city_has_none() -> None:
    made = city(HONEST)
    assert made.truth.misdeeds.empty
    assert not payments_of(made)["at"].dt.hour.between(1, 5).any()


def test_lapse_is_held_back_by_some_and_by_them_alone() -> None:
    made = city(HONEST)
    who_lapses = made.frames["expiries"]["resident"].nunique() / made.frames["lots"]["resident"].nunique()
    assert 0.05 < who_lapses < 0.2
    none = city(replace(HONEST, holds_back=0.0, lapses=0.0, refunded=0.0, cancelled=0.0))
    assert none.truth.lapsed_yen == 0
