"""Amounts, hours and places as the sources say them (docs/sources.md, "redemption over time, payment sizes")."""

from datetime import date
from random import Random
from statistics import fmean

import pytest

from infra.simulation.shopping import (
    CONVENIENCE,
    FOOD,
    HOURS,
    LARGE,
    LEAST_YEN,
    SMALL,
    SUPERMARKET,
    Category,
    amount_yen,
    basket_factor,
    time_of_day,
    zipf_weights,
)

DAY = date(2020, 11, 5)


@pytest.mark.parametrize("category", [each for each, _ in (*LARGE, *SMALL)])
def test_baskets_cost_what_their_category_says(category: Category) -> None:
    rng = Random(3)
    amounts = [amount_yen(rng, category, 1.0) for _ in range(20_000)]
    assert fmean(amounts) == pytest.approx(category.mean_yen, rel=0.03)
    assert min(amounts) >= LEAST_YEN
    assert max(amounts) < 100_000


def test_convenience_stores_sell_for_five_to_six_hundred_yen() -> None:
    assert 500 <= CONVENIENCE.mean_yen <= 590
    assert CONVENIENCE.mean_yen < FOOD.mean_yen < SUPERMARKET.mean_yen


def test_small_baskets_come_more_often_so_that_the_average_stays() -> None:
    rng = Random(4)
    assert fmean(1 / basket_factor(rng) for _ in range(20_000)) == pytest.approx(1, abs=0.02)


def test_a_tenth_of_the_stores_has_three_fifths_of_the_sales() -> None:
    weights = zipf_weights(1_000)
    assert sum(weights) == pytest.approx(1)
    assert 0.55 <= sum(weights[:100]) <= 0.65


def test_shops_are_busiest_before_noon_and_towards_evening() -> None:
    rng = Random(5)
    hours = [time_of_day(rng, DAY).hour for _ in range(20_000)]
    assert set(hours) == set(HOURS)
    busiest = sorted(HOURS, key=hours.count, reverse=True)[:5]
    assert set(busiest) == {11, 12, 16, 17, 18}
