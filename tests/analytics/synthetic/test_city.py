"""What holds in every invented city. See docs/algorithms/synthetic-city.md."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analytics.frames import FRAMES
from analytics.synthetic import city as city_module
from analytics.synthetic.city import City, make
from analytics.synthetic.plan import COMMON_ONLY, NO_MISDEEDS, SMALL_ONLY, CityPlan, city_of
from tests.factories.cities import HONEST, SMALL, city

PLANS = {
    "split": SMALL,
    "honest": HONEST,
    "common only": replace(SMALL, purses=COMMON_ONLY),
    "small only": replace(SMALL, purses=SMALL_ONLY),
    "first come": replace(SMALL, lottery=False),
    "many returns": replace(SMALL, cancelled=0.1, refunded=0.1, residents=150),
    "two people": replace(SMALL, residents=2, granted=1.0),
    "two days": replace(SMALL, use_to=SMALL.use_from + timedelta(days=1)),
    "one day": replace(SMALL, sale_from=SMALL.use_from, use_to=SMALL.use_from),
    "a fortnight": replace(SMALL, use_to=SMALL.use_from + timedelta(days=13)),
    "nobody": replace(SMALL, residents=0, misdeeds=NO_MISDEEDS),
}
PARTS = ["paid_yen", "premium_yen"]


@pytest.fixture(params=list(PLANS.values()), ids=list(PLANS))
def made(request: pytest.FixtureRequest) -> City:
    return city(request.param)


def test_every_frame_is_there_and_conforms_and_its_key_is_unique(made: City) -> None:
    assert set(made.frames) == set(FRAMES)
    for name, frame in made.frames.items():
        assert list(FRAMES[name].conform(frame).columns) == list(frame.columns)
        assert not frame.duplicated(list(FRAMES[name].key)).any(), name


def test_points_are_had_and_spent_before_they_lapse(made: City) -> None:
    """Also in a programme of a day or two, and by those who do wrong."""
    lots, spending = made.frames["lots"], made.frames["spending"]
    [end] = set(lots["expires_at"]) or {pd.Timestamp.max.tz_localize("Asia/Tokyo")}
    assert (lots["usable_from"] < end).all()
    assert (spending["at"] < end).all()
    assert (spending["day"] >= made.frames["programmes"]["use_from"].iloc[0]).all()


def test_what_was_issued_was_spent_or_lapsed_to_the_yen_for_each_resident_and_purse(made: City) -> None:
    by = ["resident", "purse"]
    issued, spent, lapsed = (made.frames[name].groupby(by)[PARTS].sum() for name in ("lots", "spending", "expiries"))
    gone = spent.add(lapsed, fill_value=0)
    assert (issued.sub(gone, fill_value=0) == 0).all(axis=None)


def test_nobody_ever_spends_more_than_they_hold_at_that_time(made: City) -> None:
    lots = made.frames["lots"]
    held = lots.assign(at=lots["usable_from"], turn=0, change=lots["paid_yen"] + lots["premium_yen"])
    spending = made.frames["spending"]
    taken = spending.assign(turn=spending["deed"], change=-spending["amount_yen"])
    columns = ["resident", "purse", "at", "turn", "change"]
    both = pd.concat([held[columns], taken[columns]]).sort_values(["resident", "purse", "at", "turn"])
    assert (both.groupby(["resident", "purse"])["change"].cumsum() >= 0).all()


def test_a_purse_for_small_stores_never_pays_at_a_large_one(made: City) -> None:
    stores = made.frames["stores"].drop_duplicates("store").set_index("store")["store_class"]
    at_large = made.frames["spending"]["store"].map(stores) == "large"
    assert not (at_large & (made.frames["spending"]["purse"] == "small")).any()


def test_an_amount_is_its_two_parts_and_only_returns_are_negative(made: City) -> None:
    spending = made.frames["spending"]
    assert (spending["amount_yen"] == spending["paid_yen"] + spending["premium_yen"]).all()
    assert ((spending["amount_yen"] > 0) == (spending["kind"] == "payment")).all()
    assert (spending["day"] == spending["at"].dt.tz_localize(None).dt.normalize()).all()


def test_what_comes_back_is_at_most_what_was_paid_and_a_cancel_is_all_of_it_on_its_day(made: City) -> None:
    spending = made.frames["spending"]
    net = spending.groupby(["payment", "purse"])[PARTS].sum()
    assert (net >= 0).all(axis=None)
    paid = spending[spending["deed"] == spending["payment"]].groupby("payment").first()
    back = spending[spending["kind"] != "payment"]
    for column in ("resident", "store", "mode"):
        assert (back[column].to_numpy() == paid.loc[back["payment"], column].to_numpy()).all()
    cancels = spending[spending["kind"] == "cancel"]
    assert (cancels["day"].to_numpy() == paid.loc[cancels["payment"], "day"].to_numpy()).all()
    assert (spending[spending["payment"].isin(cancels["payment"])].groupby("payment")["amount_yen"].sum() == 0).all()


def test_a_payment_empties_the_wallet_exactly_when_nothing_is_left(made: City) -> None:
    lots, spending = made.frames["lots"], made.frames["spending"]
    held = lots.assign(turn=0, change=lots["paid_yen"] + lots["premium_yen"])
    taken = spending.assign(turn=spending["deed"], change=-spending["amount_yen"])
    changes = pd.concat([held[["resident", "at", "turn", "change"]], taken[["resident", "at", "turn", "change"]]])
    deeds = changes.groupby(["resident", "at", "turn"])["change"].sum().groupby("resident").cumsum().reset_index()
    left = deeds[deeds["turn"] > 0].set_index("turn")["change"]
    payments = spending[spending["kind"] == "payment"]
    assert ((payments["deed"].map(left) == 0) == payments["emptied"]).all()


def test_the_truth_of_use_is_what_the_frames_come_to(made: City) -> None:
    lots = made.frames["lots"]
    assert made.truth.use["issued_yen"].sum() == (lots["paid_yen"] + lots["premium_yen"]).sum()
    assert made.truth.used_yen == made.frames["spending"]["amount_yen"].sum()
    assert made.truth.lapsed_yen == made.frames["expiries"][PARTS].sum().sum()
    spending = made.frames["spending"]
    assert made.truth.payments == spending.loc[spending["kind"] == "payment", "deed"].nunique()


def test_the_same_seed_makes_the_same_city_and_another_seed_another_one() -> None:
    first, again, other = (make(SMALL, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name in FRAMES:
        pd.testing.assert_frame_equal(first.frames[name], again.frames[name])
    assert first.truth.plain() == again.truth.plain()
    assert not first.frames["spending"].equals(other.frames["spending"])


def test_a_city_made_in_many_parts_keeps_the_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(city_module, "RESIDENTS_A_PART", 37)
    made = make(SMALL, np.random.default_rng(3))
    test_every_frame_is_there_and_conforms_and_its_key_is_unique(made)
    test_what_was_issued_was_spent_or_lapsed_to_the_yen_for_each_resident_and_purse(made)
    test_nobody_ever_spends_more_than_they_hold_at_that_time(made)
    test_what_comes_back_is_at_most_what_was_paid_and_a_cancel_is_all_of_it_on_its_day(made)
    test_the_truth_of_use_is_what_the_frames_come_to(made)


def test_no_more_is_won_than_there_is_and_nobody_buys_more_than_they_won() -> None:
    made = city()
    applications = made.frames["applications"]
    assert applications["units_won"].sum() == made.frames["programmes"]["stock_units"].item()
    assert (applications["units_won"] <= applications["units_applied"]).all()
    assert (applications["units_won"] == 0).any()
    lots = made.frames["lots"]
    bought = lots[lots["origin"] == "purchase"].groupby("resident")["paid_yen"].sum() // 10_000
    won = applications.set_index("resident")["units_won"]
    assert (bought <= won[bought.index]).all()


def test_a_plan_for_so_many_payments_makes_about_so_many() -> None:
    plan = city_of(20_000)
    assert city(plan).truth.payments == pytest.approx(20_000, rel=0.1)


@pytest.mark.parametrize(
    "wrong",
    [{"residents": -1}, {"stores": 3}, {"purses": ()}, {"use_to": SMALL.sale_from.replace(year=2020)}],
    ids=["people below none", "a trade without a store", "no purse", "used before it is sold"],
)
def test_a_plan_that_no_city_can_have_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        CityPlan(**wrong)  # type: ignore[arg-type]
