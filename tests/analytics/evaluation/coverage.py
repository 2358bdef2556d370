"""How often intervals hold the truth, and which counts a method that keeps its word can show."""

import os
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

SEEDS = 2_000
BOUNDED = 30
FALSE_ALARM = 1e-4
KEEPS_ITS_WORD = (0.93, 0.97)

over_seeds = pytest.mark.parametrize("seeds", [BOUNDED, pytest.param(SEEDS, marks=pytest.mark.long)])
"""A few seeds in `make test`, all of them in `make test-long`."""


Once = Callable[[np.random.Generator], Sequence[bool]]
"""One world from its generator: for each interval, whether it held the truth."""


def held(once: Once, seeds: int) -> npt.NDArray[np.float64]:
    """For each interval that `once` reports, the share of the seeds 0, 1, … in which it held the truth."""
    shares = np.mean([once(np.random.default_rng(seed)) for seed in range(seeds)], axis=0)
    if "TANABATA_COVERAGE" in os.environ:
        print(getattr(once, "__name__", once), seeds, shares.round(4).tolist())
    return np.atleast_1d(shares)


def believable(seeds: int) -> tuple[float, float]:
    """The shares that a method with true coverage between 93 and 97 % shows in all but one of 10,000 runs."""
    least = stats.binom.ppf(FALSE_ALARM / 2, seeds, KEEPS_ITS_WORD[0]) / seeds
    most = stats.binom.isf(FALSE_ALARM / 2, seeds, KEEPS_ITS_WORD[1]) / seeds
    return float(least), float(most)


def bounds(seeds: int) -> tuple[float, float]:
    """What is asked of shares over so many seeds: over all of them 93 to 97 %, over fewer what is `believable`."""
    return KEEPS_ITS_WORD if seeds == SEEDS else believable(seeds)
