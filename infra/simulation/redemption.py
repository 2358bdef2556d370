"""When points are spent: how much of what was issued is gone after so many weeks, and on which days.

Law: the share spent at the end of each week since issue is the published curve's, whatever the
weekdays, paydays and holidays in it; they only move value within a week.
Source: docs/sources.md, "redemption over time" (Korea 2025: 46 % after 2 weeks, 85.5 % after 7, 98.9 % a
week before the end, 99.8 % at the end: Weibull 0.91, 3.4 weeks, and a rush in the last week).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import holidays

SHAPE, SCALE_WEEKS = 0.91, 3.4
SPENT_AT_THE_END = 0.998
PAYDAY = 25
WEEKEND_FACTOR, HOLIDAY_FACTOR, PAYDAY_FACTOR = 1.12, 1.10, 1.08
DAYS = 7


def share_spent(weeks: float, horizon_weeks: float) -> float:
    """The share of what was issued that is spent `weeks` later, when it is valid for `horizon_weeks`."""
    if weeks <= 0:
        return 0.0
    if weeks >= horizon_weeks:
        return SPENT_AT_THE_END
    rush_from = max(horizon_weeks - 1, 0.0)
    before = min(_weibull(min(weeks, rush_from)), SPENT_AT_THE_END)
    if weeks <= rush_from:
        return before
    return before + (SPENT_AT_THE_END - before) * (weeks - rush_from) / (horizon_weeks - rush_from)


def _weibull(weeks: float) -> float:
    return 1 - math.exp(-((weeks / SCALE_WEEKS) ** SHAPE))


class SpendingDays:
    """The days on which value issued on one day is spent, as a distribution to draw from."""

    def __init__(self, issued_on: date, last: date) -> None:
        """`last` is the last day on which the value is valid; at least the day of issue."""
        self._issued_on = issued_on
        self._cumulative = _cumulative(issued_on, (last - issued_on).days + 1)

    def share_by(self, day: date) -> float:
        """The share that is spent by the end of `day`."""
        index = (day - self._issued_on).days
        return 0.0 if index < 0 else self._cumulative[min(index, len(self._cumulative) - 1)]

    def day_of(self, quantile: float) -> date | None:
        """The day by which a share of `quantile` is spent; None when that much never is."""
        index = bisect_left(self._cumulative, quantile)
        return None if index == len(self._cumulative) else self._issued_on + timedelta(days=index)


@cache
def spending_days(issued_on: date, last: date) -> SpendingDays:
    """One distribution a day of issue, shared by everybody who bought on it."""
    return SpendingDays(issued_on, last)


def _cumulative(issued_on: date, days: int) -> Sequence[float]:
    horizon = days / DAYS
    shares: list[float] = []
    for start in range(0, days, DAYS):
        week = [issued_on + timedelta(days=index) for index in range(start, min(start + DAYS, days))]
        ends = [share_spent((start + place + 1) / DAYS, horizon) for place in range(len(week))]
        before = share_spent(start / DAYS, horizon)
        plain = [end - begin for begin, end in zip([before, *ends], ends, strict=False)]
        weighted = [share * day_factor(day) for share, day in zip(plain, week, strict=True)]
        scale = (ends[-1] - before) / sum(weighted) if sum(weighted) > 0 else 0.0
        shares += [share * scale for share in weighted]
    total, cumulative = 0.0, []
    for share in shares:
        total += share
        cumulative.append(total)
    cumulative[-1] = SPENT_AT_THE_END
    return cumulative


def day_factor(day: date) -> float:
    """How much busier shops are on this day than on a plain weekday."""
    factor = WEEKEND_FACTOR if day.weekday() >= 5 else HOLIDAY_FACTOR if day in _public_holidays(day.year) else 1.0
    return factor * PAYDAY_FACTOR if day.day == PAYDAY else factor


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year))
