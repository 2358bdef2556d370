"""Bank business days, closing days, and the day on which money moves.

Law: a payout is dated only on a day that is certain to be a bank business day. Banks
close on Saturdays, Sundays, national holidays and 31 December to 3 January (Order for
Enforcement of the Banking Act, article 5). The two equinoxes of a year become official
on the first working day of February of the year before, and special holidays come by
law, so a library that computes far ahead is believed only up to a stated year.
All days are civil days in Asia/Tokyo.
"""

import calendar as gregorian
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache

import holidays

from services.kit.clock import end_of
from services.kit.errors import Refusal

FIRST_CERTAIN_YEAR = 2007
"""The holiday law has its present form since 2007; no programme is older."""

CERTAIN_THROUGH = 2027
"""Last year whose official list (Cabinet Office, 2 February 2026) was compared, day by day,
with the library; raise it each February together with the list in the calendar's test."""

LAST_COMPUTED_YEAR = 2099
"""Where the library's formula ends; nobody may believe it further."""

MAX_BUSINESS_DAYS = 250
MAX_RANGE_DAYS = 3_700
MONTH_END = 31


class CalendarNotCertain(Refusal):
    """Whether banks work on `date` is not yet official, or too long ago; known are `first` to `last`."""

    code = "calendar_not_certain"


@cache
def _bank_holidays(certain_through: int) -> frozenset[date]:
    """Every weekday and weekend day on which banks close beyond Saturdays and Sundays."""
    years = range(FIRST_CERTAIN_YEAR, certain_through + 1)
    return frozenset(holidays.country_holidays("JP", categories=("public", "bank"), years=years))


@dataclass(frozen=True, slots=True)
class BankCalendar:
    """Which days banks work, believed from `FIRST_CERTAIN_YEAR` through `certain_through` only.

    `certain_through` is a setting: an operator who has compared the next official list
    with the installed library may raise it. Every method raises `CalendarNotCertain`
    rather than answer about a day outside.
    """

    certain_through: int = CERTAIN_THROUGH

    def __post_init__(self) -> None:
        if not FIRST_CERTAIN_YEAR <= self.certain_through <= LAST_COMPUTED_YEAR:
            raise ValueError("the library knows no Japanese holidays in that year")

    def is_business_day(self, day: date) -> bool:
        """True when banks work on `day`."""
        if not FIRST_CERTAIN_YEAR <= day.year <= self.certain_through:
            raise CalendarNotCertain(date=day.isoformat(), first=FIRST_CERTAIN_YEAR, last=self.certain_through)
        return day.weekday() < 5 and day not in _bank_holidays(self.certain_through)

    def on_or_after(self, day: date) -> date:
        """`day` itself if banks work on it, else the next day on which they do."""
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def next_business_day(self, day: date) -> date:
        """The first bank business day strictly after `day`."""
        return self.on_or_after(day + timedelta(days=1))

    def add_business_days(self, day: date, count: int) -> date:
        """The `count`-th bank business day after `day`; for 0, `day` itself or the next one.

        Raises `ValueError` for a count outside 0 to `MAX_BUSINESS_DAYS`.
        """
        if not 0 <= count <= MAX_BUSINESS_DAYS:
            raise ValueError("business days are added within one year")
        if count == 0:
            return self.on_or_after(day)
        for _ in range(count):
            day = self.next_business_day(day)
        return day


class Rhythm(Enum):
    """How often a programme closes."""

    DAILY = "daily"
    WEEKLY = "weekly"
    TWICE_MONTHLY = "twice_monthly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Closing:
    """A programme's closing days.

    `day` is the weekday for `WEEKLY` (0 is Monday, as in `date.weekday`), the day of the
    month for `MONTHLY` (1 to 31; 29 to 31 mean the last day in a shorter month), and 0
    otherwise. Twice monthly is the 15th and the last day.
    """

    rhythm: Rhythm
    day: int = 0

    def __post_init__(self) -> None:
        bounds = {Rhythm.WEEKLY: (0, 6), Rhythm.MONTHLY: (1, MONTH_END)}
        low, high = bounds.get(self.rhythm, (0, 0))
        if not low <= self.day <= high:
            raise ValueError("no such closing day")

    def closes_on(self, day: date) -> bool:
        """True when the books of a programme close at the end of `day`."""
        last = gregorian.monthrange(day.year, day.month)[1]
        match self.rhythm:
            case Rhythm.DAILY:
                return True
            case Rhythm.WEEKLY:
                return day.weekday() == self.day
            case Rhythm.TWICE_MONTHLY:
                return day.day in (15, last)
            case Rhythm.MONTHLY:
                return day.day == min(self.day, last)


def closing_dates(closing: Closing, first: date, last: date) -> tuple[date, ...]:
    """The closing days from `first` to `last`, both included, in order; none if `last` is earlier.

    Raises `ValueError` for a range beyond `MAX_RANGE_DAYS` (ten years).
    """
    if (last - first).days > MAX_RANGE_DAYS:
        raise ValueError("closing days are listed for ten years at most")
    return tuple(day for day in _days(first, last) if closing.closes_on(day))


def cutoff_instant(closing_date: date) -> datetime:
    """The UTC instant at which `closing_date` is over in Japan: midnight after it.

    A deed belongs to that closing when its instant is strictly before the cut-off.
    """
    return end_of(closing_date)


def transfer_date(closing_date: date, lag_business_days: int, calendar: BankCalendar) -> date:
    """The day on which the payouts of a closing are transferred.

    The `lag_business_days`-th bank business day after the closing day. The lag is at
    least 1, because the day of closing is over when its statements can be drawn up.
    """
    if lag_business_days < 1:
        raise ValueError("money moves after the closing day, never on it")
    return calendar.add_business_days(closing_date, lag_business_days)


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
