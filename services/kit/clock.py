"""Time: UTC instants in storage, Asia/Tokyo civil time for people, the clock an argument."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")


class Clock(Protocol):
    """Gives the instant of a deed, as an aware UTC datetime."""

    def now(self) -> datetime: ...


class OffsetClock:
    """The database's time: the machine's clock corrected by a measured offset."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class SetClock:
    """A clock that stands where it was put, for tests and simulations."""

    def __init__(self, instant: datetime) -> None:
        if instant.tzinfo is None:
            raise ValueError("an instant carries its offset")
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        return self._instant

    def set(self, instant: datetime) -> None:
        self._instant = instant.astimezone(UTC)

    def advance(self, step: timedelta) -> None:
        self._instant += step


def civil_date(instant: datetime) -> date:
    """The calendar day in Japan at `instant`."""
    return instant.astimezone(TOKYO).date()


def start_of(day: date) -> datetime:
    """The first instant of a civil day in Japan, in UTC."""
    return datetime.combine(day, time(0), TOKYO).astimezone(UTC)


def last_day_before(instant: datetime) -> date:
    """The last civil day in Japan on which something is valid that ends at `instant`."""
    return civil_date(instant - timedelta(microseconds=1))


def end_of(day: date) -> datetime:
    """The first instant after a civil day in Japan, in UTC: what is valid until `day` ends here."""
    return start_of(day + timedelta(days=1))
