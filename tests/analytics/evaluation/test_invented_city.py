"""Estimators and forecasts read the frames of an invented city and find its truth, which they never see."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.joined import read_joined
from analytics.evaluation.lottery import lottery_effect
from analytics.evaluation.staggered import staggered
from analytics.evaluation.summary import Evidence, what_it_did
from analytics.forecast.use import forecast_lapse
from analytics.synthetic.city import City, make
from analytics.synthetic.joining import as_csv
from analytics.synthetic.joining_plan import Joining
from analytics.synthetic.plan import CityPlan
from tests.analytics.evaluation.coverage import BOUNDED, SEEDS, Once, bounds, held

SEEN = pd.Timestamp("2025-12-20")
OLD = CityPlan(
    residents=500, programme="old", sale_from=date(2024, 10, 1), use_from=date(2024, 10, 1), use_to=date(2025, 2, 17)
)
JOINING = CityPlan(residents=60, lottery=False, joining=Joining())
APART = 10**9
"""Two cities' lots, deeds, payments and expiries, numbered apart."""


def _one_lake(old: City, new: City, name: str) -> pd.DataFrame:
    earlier = old.frames[name]
    numbers = [each for each in ("lot", "deed", "payment", "expiry") if each in earlier.columns]
    earlier = earlier.assign(**{each: earlier[each] + APART for each in numbers})
    return pd.concat([earlier, new.frames[name]], ignore_index=True)


def city(rng: np.random.Generator) -> Sequence[bool]:
    """The effect of winning and of a unit in all weeks after the draw, and what lapses, two months before the end."""
    old, new = make(OLD, rng), make(CityPlan(residents=250), rng)
    frames, truth = new.frames, new.truth
    assert truth.effect is not None
    after = truth.effect[truth.effect["week"] > frames["applications"]["drawn_day"].iloc[0]]
    found: Any = lottery_effect(
        frames["applications"], frames["outcomes"], lots=frames["lots"], programmes=frames["programmes"]
    ).set_index("estimand")
    lake = [_one_lake(old, new, name) for name in ("lots", "spending", "expiries")]
    lapse: Any = forecast_lapse(*lake, as_of=SEEN, programme="starlight").iloc[0]
    return [
        bool(found.loc["itt", "low"] <= after["per_winner_yen"].sum() <= found.loc["itt", "high"]),
        bool(found.loc["per_unit", "low"] <= after["per_unit_yen"].sum() <= found.loc["per_unit", "high"]),
        bool(lapse["unused_low"] <= truth.lapsed_yen <= lapse["unused_high"]),
    ]


def stores_that_join(rng: np.random.Generator) -> Sequence[bool]:
    """What joining does to a week's sales of a small store, from the file that a city's desk collects."""
    made = make(JOINING, rng)
    assert made.sales is not None
    sales = read_joined(as_csv(made.sales)).sales
    columns: dict[str, Any] = {"unit": "unit", "time": "week", "outcome": "sales_yen", "joined": "joined_week"}
    found: Any = staggered(sales, **columns, every=pd.Timedelta(days=7)).iloc[0]
    return [bool(found["low"] <= made.truth.joining_yen <= found["high"])]


@pytest.mark.parametrize(
    ("once", "seeds"),
    [
        (city, 6),
        (stores_that_join, BOUNDED),
        *(pytest.param(once, SEEDS, marks=pytest.mark.long) for once in (city, stores_that_join)),
    ],
)
def test_the_truth_of_an_invented_city_is_found(once: Once, seeds: int) -> None:
    """Small cities of some 230 applicants and 60 holders, or 60 small stores: nearer to what a first year gives than to
    large samples."""
    least, most = bounds(seeds)
    shares = held(once, seeds)
    assert ((shares >= least) & (shares <= most)).all(), shares


def test_the_page_of_a_city_without_a_draw_tells_what_joining_did_and_that_nothing_speaks_against_it() -> None:
    made = make(JOINING, np.random.default_rng(2))
    assert made.sales is not None
    names = ("spending", "lots", "programmes", "stores", "applications", "outcomes")
    given: Any = {name: made.frames[name] for name in names}
    page: Any = what_it_did(Evidence(**given, joined=read_joined(as_csv(made.sales)).sales), "starlight")
    rows = page.set_index("item")
    assert rows.loc["causal_extra", "reason"] == "no_draw"
    assert rows.loc["staggered_extra", "low"] <= made.truth.joining_yen <= rows.loc["staggered_extra", "high"]
    assert rows.loc["staggered_alike", "state"] == "alike"
    assert 0 < rows.loc["staggered_untold", "value"] < 0.06 * len(made.sales)


def test_the_page_of_an_invented_city_is_whole() -> None:
    invented = make(CityPlan(residents=250), np.random.default_rng(1))
    names = ("spending", "lots", "programmes", "stores", "applications", "outcomes")
    given: Any = {name: invented.frames[name] for name in names}
    page = what_it_did(Evidence(**given), "starlight")
    redeemed: Any = page[page["item"] == "redeemed"].set_index("store_class")["value"]
    assert redeemed["all"] == invented.truth.used_yen == redeemed["small"] + redeemed["large"]
    followed: Any = page.set_index("item").loc["followed_months"]
    assert (followed["state"], followed["value"]) == ("met", 4)
