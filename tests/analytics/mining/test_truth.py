"""The invented city's truth is found again from its frames alone. docs/algorithms/mining.md."""

import numpy as np
import pytest

from analytics.mining.flows import district_flows, store_flows
from analytics.synthetic.city import City, make
from analytics.synthetic.plan import CityPlan, city_of


def _errors(city: City) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """How far each district's share of the spending of each home lies from the share that was meant."""
    frames = city.frames
    found = district_flows(frames["spending"], frames["residents"], frames["stores"])
    both = city.truth.flows.merge(found, on=["home", "district"], how="left")
    return np.asarray((both["yen_share"].fillna(0.0) - both["share"]).abs(), dtype="float64")


def _companions_found(city: City) -> float:
    """Same-day moves between the planted pairs of stores, for one that was planted."""
    moves = store_flows(city.frames["spending"], within_days=0)
    both = city.truth.pairs.merge(moves, left_on=["first", "second"], right_on=["store", "next_store"], how="left")
    return float(both["moves"].fillna(0).sum() / both["pulled"].sum())


@pytest.mark.parametrize("seed", [600, 601])
def test_district_flows_and_companions_of_a_small_city_are_found(seed: int) -> None:
    city = make(CityPlan(), np.random.default_rng(seed))
    errors = _errors(city)
    assert errors.mean() < 0.03
    assert errors.max() < 0.15
    assert 0.8 < _companions_found(city) < 2.0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(610, 630))
def test_district_flows_and_companions_are_found_over_twenty_seeds(seed: int) -> None:
    city = make(CityPlan(), np.random.default_rng(seed))
    errors = _errors(city)
    assert errors.mean() < 0.03
    assert 0.8 < _companions_found(city) < 2.0


@pytest.mark.long
def test_more_payments_bring_the_flows_nearer_to_the_truth() -> None:
    errors = _errors(make(city_of(100_000), np.random.default_rng(600)))
    assert errors.mean() < 0.01
    assert errors.max() < 0.05
