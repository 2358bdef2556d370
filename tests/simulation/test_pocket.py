"""The residents' own figures: restricted purse first, back in the reverse order."""

import pytest

from infra.scenarios.hiratsuka import SPLIT
from infra.simulation.pocket import Pocket
from services.kit.store_class import StoreClass
from tests.town import town_terms


@pytest.fixture
def pocket() -> Pocket:
    made = Pocket(town_terms(purses=SPLIT))
    made.add("common", 8_000)
    made.add("small", 5_000)
    return made


def test_the_purse_of_small_stores_counts_there_only(pocket: Pocket) -> None:
    assert pocket.total == pocket.spendable(StoreClass.SMALL) == 13_000
    assert pocket.spendable(StoreClass.LARGE) == 8_000


def test_the_restricted_purse_is_spent_first(pocket: Pocket) -> None:
    assert pocket.take(StoreClass.SMALL, 6_000) == (("small", 5_000), ("common", 1_000))
    assert pocket.take(StoreClass.LARGE, 7_000) == (("common", 7_000),)
    assert pocket.total == 0


def test_what_comes_back_comes_back_in_the_reverse_order(pocket: Pocket) -> None:
    parts = pocket.take(StoreClass.SMALL, 6_000)
    assert pocket.put_back(parts, 1_500) == (("small", 4_500),)
    assert pocket.spendable(StoreClass.LARGE) == 8_000
    assert pocket.total == 8_500


def test_no_more_is_spent_than_there_is(pocket: Pocket) -> None:
    with pytest.raises(ValueError, match="more is spent"):
        pocket.take(StoreClass.LARGE, 8_001)


def test_what_lapses_is_gone(pocket: Pocket) -> None:
    assert pocket.lapse() == 13_000
    assert pocket.lapse() == pocket.total == 0
