"""The invented city against the published figures. See docs/algorithms/synthetic-city.md, "Calibration"."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from analytics.synthetic.city import City
from analytics.synthetic.plan import COMMON_ONLY, SMALL_ONLY, SPLIT, CityPlan, Purse, city_of
from tests.factories.cities import city, payments_of

PAYMENTS = 60_000
FREE_OR_PAYDAY = {
    pd.Timestamp(day)
    for day in ("2025-10-13", "2025-11-03", "2025-11-24", "2025-12-25", "2026-01-01", "2026-01-02", "2026-01-12")
}


def plan(purses: tuple[Purse, ...] = SPLIT) -> CityPlan:
    return replace(city_of(PAYMENTS), purses=purses, stores=400)


def at_stores(made: City) -> pd.DataFrame:
    """Payments with what their store is."""
    stores = made.frames["stores"].drop_duplicates("store")
    return payments_of(made).merge(stores, on="store")


@cache
def shares(purses: tuple[Purse, ...]) -> "pd.Series[float]":
    """The categories' shares of value."""
    by = at_stores(city(plan(purses))).groupby("category")["amount_yen"].sum()
    found: pd.Series[float] = by / by.sum()
    return found


def test_redemption_follows_the_published_curve() -> None:
    """46 % after two weeks, 85.5 % after seven, 98.9 % a week before the end, 99.8 % at the end (Korea 2025)."""
    made = city(plan())
    lots, spending = made.frames["lots"], made.frames["spending"]
    issued = (lots["paid_yen"] + lots["premium_yen"]).sum()
    since = lots.groupby("resident")["usable_from"].min()
    age = spending["at"] - spending["resident"].map(since)
    end = lots["expires_at"].max()

    def share(rows: "pd.Series[bool]") -> float:
        return float(spending.loc[rows, "amount_yen"].sum() / issued)

    assert share(age <= pd.Timedelta(weeks=2)) == pytest.approx(0.46, abs=0.015)
    assert share(age <= pd.Timedelta(weeks=7)) == pytest.approx(0.855, abs=0.015)
    assert share(spending["at"] < end - pd.Timedelta(weeks=1)) == pytest.approx(0.989, abs=0.005)
    assert share(spending["at"] < end) == pytest.approx(0.998, abs=0.0015)


def test_the_last_week_has_a_rush() -> None:
    """0.6 to 0.9 points of the whole fall into it (Korea 2025): more than into each week of a month before."""
    made = city(plan())
    lots, spending = made.frames["lots"], made.frames["spending"]
    weeks = (lots["expires_at"].max() - spending["at"]) // pd.Timedelta(weeks=1)
    by_week = spending.groupby(weeks)["amount_yen"].sum() / (lots["paid_yen"] + lots["premium_yen"]).sum()
    assert 0.005 < by_week[0] < 0.013
    assert by_week[0] > 1.5 * by_week[1]


@pytest.mark.parametrize("purses", [SPLIT, COMMON_ONLY, SMALL_ONLY], ids=["split", "common", "small"])
def test_a_payment_comes_to_what_is_published(purses: tuple[Purse, ...]) -> None:
    """900 to 1,000 yen on average for electronic money; convenience stores 500 to 590."""
    paid = at_stores(city(plan(purses)))
    assert 880 <= paid["amount_yen"].mean() <= 1_020
    assert 490 <= paid.loc[paid["category"] == "convenience", "amount_yen"].mean() <= 600


def test_where_large_stores_are_allowed_supermarkets_have_more_than_a_third() -> None:
    """Supermarkets 33 to 41 %, restaurants 4 to 5 %."""
    found = shares(COMMON_ONLY)
    assert 0.33 <= found["supermarket"] <= 0.41
    assert found["restaurant"] == pytest.approx(0.045, abs=0.01)


def test_among_small_stores_restaurants_have_two_fifths() -> None:
    """Restaurants 40 %, food 16 %, convenience 11 %, medical 9 %."""
    found = shares(SMALL_ONLY)
    wanted = {"restaurant": 0.40, "food": 0.16, "convenience": 0.11, "medical": 0.09}
    for category, share in wanted.items():
        assert found[category] == pytest.approx(share, abs=0.015), category


def test_people_pay_at_the_published_hours() -> None:
    """Peaks at 11 and 12 and from 16 to 18; nothing at night but what is planted."""
    hours = payments_of(city(plan()))["at"].dt.hour.value_counts(normalize=True)
    peaks = {11, 12, 16, 17, 18}
    assert set(hours.head(5).index) == peaks
    assert hours[hours.index.isin(range(6))].sum() < 0.001


def test_weekends_are_busier_by_what_is_published() -> None:
    """Supermarkets +8 to +17 %: each weekend beside the Friday before and the Monday after, where both are plain."""
    paid = at_stores(city(plan()))
    day = paid["at"].dt.tz_localize(None).dt.normalize()
    visits = day[paid["category"] == "supermarket"].value_counts()
    weekend = neighbours = 0
    for saturday in pd.date_range("2025-10-04", "2026-02-07", freq="W-SAT"):
        friday, sunday, monday = (saturday + pd.Timedelta(days=days) for days in (-1, 1, 2))
        if not {friday, monday} & FREE_OR_PAYDAY:
            weekend += visits.get(saturday, 0) + visits.get(sunday, 0)
            neighbours += visits.get(friday, 0) + visits.get(monday, 0)
    assert 1.06 <= weekend / neighbours <= 1.22


def test_a_tenth_of_the_stores_has_three_fifths_of_the_sales() -> None:
    spending = city(plan()).frames["spending"]
    sales = spending.groupby("store")["amount_yen"].sum().sort_values(ascending=False)
    assert sales.head(plan().stores // 10).sum() / sales.sum() == pytest.approx(0.60, abs=0.06)


def test_visits_differ_between_people_as_published() -> None:
    """Gini 0.5."""
    visits = np.sort(payments_of(city(plan())).groupby("resident").size().to_numpy())
    ranks = np.arange(1, len(visits) + 1)
    gini = 2 * (ranks * visits).sum() / (len(visits) * visits.sum()) - (len(visits) + 1) / len(visits)
    assert gini == pytest.approx(0.5, abs=0.06)


def test_ages_follow_census_and_adoption() -> None:
    made = city(plan())
    found = made.frames["residents"]["age_band"].value_counts(normalize=True)
    weights = {age.name: age.people * age.adoption for age in plan().ages}
    for name, weight in weights.items():
        assert found[name] == pytest.approx(weight / sum(weights.values()), abs=0.03), name
