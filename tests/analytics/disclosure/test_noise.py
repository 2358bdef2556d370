"""Noise is what OpenDP says it is, costs what OpenDP says it costs, and errs no further than stated."""

from collections import Counter
from fractions import Fraction
from math import exp

import numpy as np
import opendp.prelude as dp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from analytics.disclosure.noise import Stream, discrete_laplace, mechanism

KEY = bytes(range(32))


def draws(scale: int, count: int, key: bytes = KEY) -> list[int]:
    return [discrete_laplace(scale, Stream(key, str(number))) for number in range(count)]


def test_our_draws_are_distributed_as_opendps_own() -> None:
    """Chi-square of two samples of 4,000; OpenDP's sample is random, so a false alarm has a chance of one in 10^9."""
    dp.enable_features("contrib")
    theirs = dp.m.make_geometric(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), 3.0)
    counted = [
        Counter(max(-9, min(9, draw)) for draw in sample)
        for sample in (draws(3, 3_000), [theirs(0) for _ in range(3_000)])
    ]
    found = chi2_contingency(np.array([[each[value] for value in range(-9, 10)] for each in counted]))
    assert found.pvalue > 1e-9
    wider = Counter(max(-9, min(9, draw)) for draw in draws(4, 3_000))
    control = chi2_contingency(np.array([[each[value] for value in range(-9, 10)] for each in (wider, counted[1])]))
    assert control.pvalue < 1e-9


@pytest.mark.parametrize("scale", [1, 7, 78_000])
def test_the_stated_bound_holds_as_often_as_stated(scale: int) -> None:
    """Of 4,000 draws 95 % within the bound, five standard deviations allowed; and the bound is not lavish."""
    noise = mechanism(scale, Fraction(1))
    assert noise.scale == scale
    within = np.mean([abs(draw) <= noise.bound() for draw in draws(scale, 3_000)])
    assert within >= 0.95 - 5 * (0.95 * 0.05 / 3_000) ** 0.5
    ratio = exp(-1 / scale)
    outside = 2 * ratio ** (noise.bound() + 1) / (1 + ratio)
    assert outside <= 0.05 + 1e-12
    if scale > 1:
        assert 2 * ratio ** noise.bound() / (1 + ratio) > 0.05 - 1e-9


@settings(max_examples=40, deadline=None)
@given(sensitivity=st.integers(1, 10**6), tenths=st.integers(1, 100))
def test_noise_costs_no_more_than_asked_and_no_less_noise_would_do(sensitivity: int, tenths: int) -> None:
    epsilon = Fraction(tenths, 10)
    found = mechanism(sensitivity, epsilon)
    assert Fraction(sensitivity, found.scale) <= epsilon
    assert (
        found.scale == 1
        or Fraction(sensitivity, found.scale - 1) > epsilon
        or found.scale * epsilon - sensitivity < 1 + epsilon
    )


def test_the_same_label_gives_the_same_noise_so_that_repeating_averages_nothing_out() -> None:
    """Control: with a key for each answer the mean of 400 answers comes near; with one key it stays where it was."""
    truth, scale = 1_000_000, 50_000
    fresh = [truth + discrete_laplace(scale, Stream(number.to_bytes(32), "cell")) for number in range(400)]
    same = {truth + discrete_laplace(scale, Stream(KEY, "cell")) for _ in range(400)}
    assert abs(np.mean(fresh) - truth) < scale / 2
    assert len(same) == 1
    assert same != {truth + discrete_laplace(scale, Stream(KEY, "other cell"))}


@settings(max_examples=50)
@given(limit=st.integers(1, 2**70))
def test_a_stream_gives_numbers_below_its_limit_only(limit: int) -> None:
    assert 0 <= Stream(KEY, "a cell").below(limit) < limit


def test_a_stream_gives_every_number_below_its_limit() -> None:
    stream = Stream(KEY, "a cell")
    assert {stream.below(5) for _ in range(200)} == set(range(5))


def test_noise_without_sense_is_refused() -> None:
    for sensitivity, epsilon in ((0, Fraction(1)), (1, Fraction(0)), (10**12, Fraction(1, 10))):
        with pytest.raises(ValueError, match="noise"):
            mechanism(sensitivity, epsilon)
