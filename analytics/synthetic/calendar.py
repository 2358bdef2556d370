"""On which day and at what hour points are spent.

Law: the share of a lot spent at the end of each week since it could be used is the published curve's, whatever
weekdays, paydays and holidays lie in it; they only move value within a week.
See docs/algorithms/synthetic-city.md, "When".
"""

import math
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import holidays
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHAPE: Final = 0.91
SCALE_WEEKS: Final = 3.4
PAYDAY: Final = 25
WEEKEND_FACTOR: Final = 1.14
HOLIDAY_FACTOR: Final = 1.10
PAYDAY_FACTOR: Final = 1.08
WEEK: Final = 7
DAY_SECONDS: Final = 86_400

HOURS: Final = {8: 2, 9: 4, 10: 7, 11: 12, 12: 11, 13: 6, 14: 5, 15: 6, 16: 11, 17: 13, 18: 11, 19: 6, 20: 4, 21: 2}
"""Weights of the hours of a day in which shops are open: peaks at 11 and 12 and from 16 to 18."""


def spent_after(weeks: Floats, horizon_weeks: float) -> Floats:
    """The share of what will be spent that is spent after so many weeks; one at the horizon.

    Weibull until a week before the end, then a straight rush over the last week.
    """
    rush_from = max(horizon_weeks - 1.0, 0.0)
    before = _weibull(np.minimum(weeks, rush_from))
    at_rush = float(_weibull(np.array([rush_from]))[0])
    rush = (1 - at_rush) * np.clip(weeks - rush_from, 0.0, None) / (horizon_weeks - rush_from)
    share: Floats = np.where(weeks >= horizon_weeks, 1.0, before + rush)
    return share


def _weibull(weeks: Floats) -> Floats:
    share: Floats = -np.expm1(-((np.maximum(weeks, 0.0) / SCALE_WEEKS) ** SHAPE))
    return share


def cumulative_by_day(first: date, last: date) -> Floats:
    """The share spent by the end of each day from `first` to `last`, both included."""
    days = (last - first).days + 1
    plain = np.diff(spent_after(np.arange(days + 1) / WEEK, days / WEEK))
    weighted = plain * day_factors(first, days)
    starts = np.arange(0, days, WEEK)
    of_week = np.arange(days) // WEEK
    scale = np.add.reduceat(plain, starts) / np.add.reduceat(weighted, starts)
    cumulative: Floats = np.cumsum(weighted * scale[of_week])
    cumulative[-1] = 1.0
    return cumulative


def day_factors(first: date, days: int) -> Floats:
    """How much busier shops are on each day than on a plain weekday."""
    free = _holidays(first.year, first.year + days // 365 + 1)
    factors = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        factor = WEEKEND_FACTOR if day.weekday() >= 5 else HOLIDAY_FACTOR if day in free else 1.0
        factors.append(factor * PAYDAY_FACTOR if day.day == PAYDAY else factor)
    return np.array(factors)


@lru_cache(maxsize=16)
def _holidays(first_year: int, last_year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=range(first_year, last_year + 1)))


_ERF = np.frompyfunc(math.erf, 1, 1)


def normal_cdf(values: Floats) -> Floats:
    """The standard normal distribution, kept below one, where no quantile is drawn."""
    share: Floats = 0.5 * (1 + np.asarray(_ERF(values / math.sqrt(2)), dtype=np.float64))
    return np.minimum(share, np.nextafter(1.0, 0.0))


class Steps:
    """Several discrete distributions side by side, drawn from in one search."""

    def __init__(self, cumulatives: list[Floats]) -> None:
        """Each one rises to its total, which counts as one."""
        sizes = [len(each) for each in cumulatives]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._edges = np.concatenate([[], *(2 * place + each / each[-1] for place, each in enumerate(cumulatives))])

    def draw(self, which: Ints, quantiles: Floats) -> Ints:
        """For each element the place within distribution `which` at this quantile (from 0 to below 1)."""
        found = np.searchsorted(self._edges, 2 * which + quantiles, side="right")
        inside: Ints = np.minimum(found, self._starts[which + 1] - 1) - self._starts[which]
        return inside


_HOUR_STEPS = Steps([np.cumsum(np.array(list(HOURS.values()), dtype=np.float64))])
_OPEN = np.array(list(HOURS), dtype=np.int64)


def seconds_of_day(rng: np.random.Generator, count: int) -> Ints:
    """Seconds since midnight at which shops are open."""
    hours = _OPEN[_HOUR_STEPS.draw(np.zeros(count, dtype=np.int64), rng.random(count))]
    return hours * 3_600 + rng.integers(0, 3_600, count)
