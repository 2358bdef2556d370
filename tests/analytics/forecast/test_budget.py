"""docs/algorithms/forecasts.md, "Remaining budget"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.evaluation.estimates import NotEstimable
from analytics.forecast.budget import remaining_budget_day
from analytics.frames import LOTS, PROGRAMMES
from tests.analytics.evaluation.coverage import bounds, held, over_seeds
from tests.analytics.evaluation.worlds import typed

FIRST = pd.Timestamp("2026-04-01")


def _programmes(stock: int, grants: int = 0) -> pd.DataFrame:
    row = {
        "programme": "p",
        "unit_price_yen": 10_000,
        "unit_points": 13_000,
        "cap_yen": 30_000,
        "stock_units": stock,
        "grant_budget_points": grants,
        "sale_from": FIRST,
        "use_from": FIRST,
        "use_to": FIRST + pd.Timedelta(days=200),
    }
    return typed(pd.DataFrame([row]), PROGRAMMES)


def _sold(units: Sequence[int], origin: str = "purchase") -> pd.DataFrame:
    """So many units on each day from the first on, each day one lot."""
    rows = pd.DataFrame({"lot": range(len(units)), "units": units})
    rows["day"] = FIRST + pd.to_timedelta(rows["lot"], unit="D")
    rows["at"] = rows["day"].dt.tz_localize("Asia/Tokyo") + pd.Timedelta(hours=9)
    rows = rows[rows["units"] > 0].assign(
        resident=lambda frame: frame["lot"],
        programme="p",
        purse="common",
        origin=origin,
        usable_from=lambda frame: frame["at"],
        expires_at=pd.Timestamp("2026-12-01", tz="Asia/Tokyo"),
        paid_yen=lambda frame: frame["units"] * 10_000,
        premium_yen=lambda frame: frame["units"] * 3_000,
    )
    return typed(rows, LOTS)


def _stock(units: Sequence[int], stock: int, days: int) -> Any:
    as_of = FIRST + pd.Timedelta(days=days - 1)
    found: Any = remaining_budget_day(_sold(units), _programmes(stock), as_of=as_of)
    return found[found["budget"] == "stock"].iloc[0]


def gone_in_time(rng: np.random.Generator) -> Sequence[bool]:
    """Sales of a day differ more than Poisson's; the stock is gone some forty days after the last one seen."""
    units = rng.negative_binomial(4, 4 / (4 + 30), 200)
    found = _stock(units.tolist(), 30 * 68, 28)
    truth = FIRST + pd.Timedelta(days=int(np.argmax(np.cumsum(units) >= 30 * 68)))
    return [bool(found["low_day"] <= truth <= found["high_day"])]


@over_seeds
def test_the_interval_holds_the_day_on_which_the_stock_is_gone(seeds: int) -> None:
    least, most = bounds(seeds)
    assert least <= held(gone_in_time, seeds)[0] <= most


def test_a_steady_sale_ends_when_it_must() -> None:
    found = _stock([10] * 30, 500, 30)
    assert found["day"] == found["low_day"] == found["high_day"] == FIRST + pd.Timedelta(days=49)
    assert (found["state"], found["left"], found["per_day"]) == ("running", 200, 10)


@pytest.mark.parametrize(
    ("units", "days"), [([9, 8, 8, 8, 8], 15), ([4, 4, 4, 4, 4, 5], 30), ([1, 1, 1, 1, 1, 9, 9], 14)]
)
def test_a_stock_that_comes_out_even_is_gone_on_that_day(units: list[int], days: int) -> None:
    """41 units in five days, and 123 left: after fifteen days, not sixteen, though a fifth of 41 is no exact real."""
    left = sum(units) * days // len(units)
    found = _stock(units, sum(units) + left, len(units))
    assert found["day"] == FIRST + pd.Timedelta(days=len(units) - 1 + days)


def test_a_stock_that_is_gone_tells_its_day() -> None:
    found = _stock([10, 10, 10, 0, 0], 30, 5)
    assert (found["state"], found["left"]) == ("gone", 0)
    assert found["day"] == found["low_day"] == found["high_day"] == FIRST + pd.Timedelta(days=2)


@pytest.mark.parametrize(("units", "state"), [([5], "too_early"), ([0, 0, 0, 0], "standing"), ([], "too_early")])
def test_what_cannot_be_forecast_has_a_state_and_no_day(units: list[int], state: str) -> None:
    found = _stock(units, 30, max(len(units), 1))
    assert found["state"] == state
    assert pd.isna(found["day"])


def test_granted_points_have_a_budget_of_their_own() -> None:
    as_of = FIRST + pd.Timedelta(days=9)
    found: Any = remaining_budget_day(_sold([1] * 10, "grant"), _programmes(0, 260_000), as_of=as_of)
    grants = found.set_index("budget").loc["grants"]
    assert (grants["taken"], grants["left"], grants["day"]) == (130_000, 130_000, as_of + pd.Timedelta(days=10))
    assert found.set_index("budget").loc["stock", "state"] == "none"


def test_no_programme_is_an_empty_frame() -> None:
    found = remaining_budget_day(LOTS.empty(), PROGRAMMES.empty(), as_of=FIRST)
    assert found.empty
    assert "low_day" in found.columns


def test_a_day_is_the_one_in_tokyo_and_must_be_given() -> None:
    evening = (FIRST + pd.Timedelta(days=29)).tz_localize("Asia/Tokyo") + pd.Timedelta(hours=3)
    found: Any = remaining_budget_day(_sold([10] * 30), _programmes(500), as_of=evening.tz_convert("UTC"))
    assert found["day"].iloc[0] == _stock([10] * 30, 500, 30)["day"]
    never: Any = pd.NaT
    with pytest.raises(NotEstimable) as refused:
        remaining_budget_day(LOTS.empty(), PROGRAMMES.empty(), as_of=never)
    assert refused.value.params["reason"] == "no_day"
