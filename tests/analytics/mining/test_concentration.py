from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.mining.concentration import concentration, gini, top_share
from analytics.mining.refusals import OutOfRange
from tests.analytics.mining.world import START, pay, spending

AMOUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=30)


@given(AMOUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(values: list[int]) -> None:
    if sum(values) == 0:
        assert np.isnan(gini(values))
        return
    differences = sum(abs(one - other) for one in values for other in values)
    assert gini(values) == float(Fraction(differences, 2 * len(values) * sum(values)))


def test_one_who_has_all_and_all_who_have_the_same_are_the_ends() -> None:
    assert gini([0, 0, 0, 7]) == 0.75
    assert gini([3, 3, 3]) == 0.0
    assert gini([5]) == 0.0


def test_the_top_tenth_of_twenty_five_is_two_and_a_half() -> None:
    values = [*range(1, 26)]
    assert top_share(values) == float((25 + 24 + Fraction(23, 2)) / 325)
    assert top_share(values, Fraction(1)) == 1.0
    assert top_share([7], Fraction(1, 10)) == 0.1, "one of ten parts of a single member"


@given(AMOUNTS.filter(sum), st.fractions("1/100", 1, max_denominator=100), st.integers(2, 4))
def test_the_top_has_at_least_its_part_and_copies_change_nothing(values: list[int], top: Fraction, copies: int) -> None:
    share = top_share(values, top)
    assert float(top) - 1e-12 <= share <= 1.0
    assert top_share(values * copies, top) == pytest.approx(share)
    assert gini(values * copies) == pytest.approx(gini(values))


def test_a_store_that_gave_back_more_than_it_took_counts_as_zero_and_is_told() -> None:
    data = spending(pay(1, 1, "A", START, 900), pay(2, 1, "B", START, -500, "refund"), pay(3, 2, "C", START, 100))
    found = concentration(data, top=Fraction(1, 3), among=["D", "A"]).iloc[0]
    assert found[["members", "below_zero", "net_yen"]].tolist() == [4, 1, 1000]
    assert found["top_share"] == pytest.approx(0.9 + 0.1 / 3)
    assert concentration(data, of="resident")["members"].item() == 2
    only_back = concentration(data.iloc[1:2]).iloc[0]
    assert np.isnan(only_back["gini"])


@pytest.mark.parametrize(
    "asked", [{"of": "clerk"}, {"top": 0}, {"top": Fraction(11, 10)}, {"top": float("nan")}], ids=str
)
def test_what_has_no_meaning_is_refused(asked: dict[str, object]) -> None:
    data: pd.DataFrame = spending(pay(1, 1, "A", START))
    with pytest.raises(OutOfRange):
        concentration(data, **asked)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange):
        gini([1, -1])


def test_real_numbers_are_not_cut_to_whole_ones() -> None:
    for one in (0.5, np.float32(0.5), Decimal("0.5"), Fraction(1, 2)):
        value: Any = one
        assert gini([value, value * 3]) == 0.25
        assert top_share([value, value * 3], Fraction(1, 2)) == 0.75
    assert gini(np.array([200, 250, 255], dtype="uint8").tolist()) == gini(np.array([200, 250, 255], dtype="uint8"))
    assert top_share([1, 2, 3], 0.1) == 0.15, "a float is the decimal that it prints as"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, pd.NA, "1", -0.5], ids=str)
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(OutOfRange):
        gini([1, value])
    with pytest.raises(OutOfRange):
        top_share([1, value])


@pytest.mark.parametrize("top", [Fraction(0), Fraction(2), -0.1, float("nan")], ids=str)
def test_a_part_that_is_none_is_refused(top: Any) -> None:
    with pytest.raises(OutOfRange):
        top_share([1, 2, 3], top)
