"""Bulk reading: how many different people one account of the city's may look at, and what is said when it does.

Law: people are counted, not looks: whom somebody has looked at within the span costs nothing to see again. Beyond
the lower limit an alarm is raised; at the higher one the next new face has to wait until an earlier one is a span ago.
A search that finds nobody counts as one more person, or numbers could be tried for ever.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.kit.errors import Kind, Refusal

MAX_NOTE_LENGTH = 200
MOST_PEOPLE = 100_000
"""No limit is set above it."""


class TooManyLooks(Refusal):
    """The account has looked at as many people as it may within a span; it waits `retry_after_seconds`."""

    code = "too_many_looks"
    kind = Kind.THROTTLED


class AlarmClosed(Refusal):
    """Somebody has closed this alarm already."""

    code = "look_alarm_closed"
    kind = Kind.CONFLICT


class LookNoteMissing(Refusal):
    """A look for another purpose than those of the list says in words what for."""

    code = "look_note_missing"


class Purpose(StrEnum):
    """Why one of the city's staff looks at a person."""

    PAYMENT_DECLINED = "payment_declined"
    PHONE_LOST = "phone_lost"
    CARD_LOST = "card_lost"
    PURCHASE = "purchase"
    DUPLICATE = "duplicate"
    COMPLAINT = "complaint"
    OTHER = "other"


class Span(StrEnum):
    """What people are counted over, back from the instant of a look."""

    HOUR = "hour"
    DAY = "day"


LENGTH = {Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1)}


@dataclass(frozen=True)
class Limit:
    """Different people within a span: above `alarm` it is told, `stop` is the most."""

    alarm: int
    stop: int

    def __post_init__(self) -> None:
        if not 1 <= self.alarm <= self.stop <= MOST_PEOPLE:
            raise ValueError("an alarm comes before the stop, and both are bounded")


@dataclass(frozen=True)
class LookLimits:
    """The limits of one installation."""

    hour: Limit = Limit(40, 80)
    day: Limit = Limit(200, 400)

    def of(self, span: Span) -> Limit:
        return self.hour if span is Span.HOUR else self.day


RECOMMENDED = LookLimits()


@dataclass(frozen=True)
class Looker:
    """Who looks, and how many people they may."""

    account_id: UUID
    limits: LookLimits = RECOMMENDED


@dataclass(frozen=True)
class Why:
    """What a look is for; `note` is kept with it."""

    purpose: Purpose
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LookAlarm:
    """That an account looked at more people than is usual; `people` is the most that it came to."""

    id: UUID
    looker_id: UUID
    span: Span
    people: int
    allowed: int
    raised_at: datetime
    closed_at: datetime | None
    closed_by: UUID | None
    note: str | None


def must_say_why(why: Why) -> Why:
    """Raises LookNoteMissing for `other` without a word."""
    if why.purpose is Purpose.OTHER and not (why.note or "").strip():
        raise LookNoteMissing
    return why


def goes_beyond(before: int, after: int, most: int) -> bool:
    """Whether a look brings somebody new, and the people of the span to more than `most`."""
    return after > most and after > before


def wait_seconds(oldest: datetime, now: datetime, span: Span) -> int:
    """Whole seconds until a look of `oldest` is a span ago; at least one."""
    return max(1, -((now - oldest - LENGTH[span]) // timedelta(seconds=1)))
