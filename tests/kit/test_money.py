"""Money is integer yen; every division says where the remainder goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.money import floor_share, split_in_proportion


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.data())
def test_a_split_fits_both_parts_and_the_odd_point_comes_from_the_second(
    first: int, second: int, data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, first + second))
    from_first, from_second = split_in_proportion(amount, first, second)
    assert from_first + from_second == amount
    assert 0 <= from_first <= first
    assert 0 <= from_second <= second
    if first + second:
        exact_times_total = amount * first
        assert from_first * (first + second) <= exact_times_total < (from_first + 1) * (first + second)


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_taking_everything_point_by_point_takes_both_parts_whole(first: int, second: int) -> None:
    paid, premium = first, second
    for _ in range(min(first + second, 60)):
        one, two = split_in_proportion(1, paid, premium)
        paid, premium = paid - one, premium - two
    assert split_in_proportion(paid + premium, paid, premium) == (paid, premium)


@pytest.mark.parametrize(("amount", "first", "second"), [(-1, 5, 5), (11, 5, 5), (1, 0, 0)])
def test_an_amount_is_split_only_over_parts_that_hold_it(amount: int, first: int, second: int) -> None:
    with pytest.raises(ValueError, match="split"):
        split_in_proportion(amount, first, second)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10_000))
def test_a_share_drops_the_fraction_towards_zero_and_mirrors(amount: int, rate: int) -> None:
    share = floor_share(amount, rate)
    assert abs(share) * 10_000 <= abs(amount) * rate < (abs(share) + 1) * 10_000
    assert floor_share(-amount, rate) == -share


def test_a_rate_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        floor_share(1, -1)
