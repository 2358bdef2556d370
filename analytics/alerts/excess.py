"""How far beyond the usual a count is, where members differ more than chance alone makes them.

A store's count of something among its trials is beta-binomial: the usual share is that of all members together,
and the spread between members is estimated from the ordinary half of them (by the median), so that a few strange
ones do not make themselves look usual.
"""

from typing import Any, Final

import numpy as np
from scipy import special, stats

ODD: Final = 3.0
"""Standard deviations from which on a member is told of: about one in 740 if nothing is wrong."""

LEAST_MEMBERS: Final = 8
"""Members below which nobody can say what is usual."""

Numbers = np.ndarray[Any, np.dtype[Any]]

_SPREADS: Final = (0.0, 0.001, 0.003, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
_CHI2_MEDIAN: Final = float(stats.chi2.median(1))
_MOST: Final = 37.0


def excess(successes: Numbers, trials: Numbers) -> Numbers:
    """For each member, how odd `successes` of `trials` are, in standard deviations of a normal.

    0 for whoever is at the usual share or below, and for all when there are too few members. Equal members get
    equal values; the order means nothing. Values end at 37: beyond that floats tell no tails.
    """
    total = int(trials.sum())
    usual = float(successes.sum() / total) if total else 0.0
    if len(trials) < LEAST_MEMBERS or not 0 < usual < 1:
        return np.zeros(len(trials))
    spread = next((s for s in _SPREADS if _typical(successes, trials, usual, s) <= _CHI2_MEDIAN), _SPREADS[-1])
    kinds, place = np.unique(np.column_stack([successes, trials]), axis=0, return_inverse=True)
    above = kinds[:, 0] > usual * kinds[:, 1]
    odd = np.zeros(len(kinds))
    odd[above] = [_deviations(int(count), int(of), usual, spread) for count, of in kinds[above]]
    return odd[place.ravel()]


def _deviations(count: int, of: int, usual: float, spread: float) -> float:
    """The normal deviate whose tail is that of `count` or more; summed as logarithms, so small tails stay exact."""
    every = np.arange(count, of + 1)
    if spread == 0.0:
        terms = stats.binom.logpmf(every, of, usual)
    else:
        strength = 1 / spread - 1
        terms = stats.betabinom.logpmf(every, of, usual * strength, (1 - usual) * strength)
    tail = float(np.exp(special.logsumexp(terms)))
    return float(np.clip(stats.norm.isf(max(tail, 1e-300)), 0.0, _MOST))


def score_of(odd: float) -> float:
    """0 up to two standard deviations, a half at five, towards 1."""
    above = max(0.0, odd - 2)
    return above / (above + 3)


def _typical(successes: Numbers, trials: Numbers, usual: float, spread: float) -> float:
    variance = trials * usual * (1 - usual) * (1 + (trials - 1) * spread)
    return float(np.median((successes - trials * usual) ** 2 / np.maximum(variance, 1e-12)))
