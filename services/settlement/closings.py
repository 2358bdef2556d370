"""The closing days of one programme's terms: which may be closed now, and which is the last.

Law: a programme's books close on the days of its calendar, each once and in their order,
from the first day of use. The final closing is the first one when nothing can be refunded
any more; up to it no day is left out. Afterwards points that a late refund revived may
still be spent: such deeds wait for a further closing, any day of the calendar, and every
one of these is final too.
"""

from datetime import date, datetime, timedelta

from services.campaigns.terms import ClosingRhythm, Settlement, Terms
from services.kit.clock import civil_date
from services.kit.errors import Kind, Refusal
from services.settlement.calendar import (
    MAX_RANGE_DAYS,
    MONTH_END,
    Closing,
    Rhythm,
    closing_dates,
    cutoff_instant,
)

ONE_DAY = timedelta(days=1)
LONGEST_GAP = timedelta(days=31)
"""No calendar has two closing days further apart than the longest month."""


class NotAClosingDate(Refusal):
    """The programme's calendar does not close on `date`, or `date` lies before its last close."""

    code = "closing_date_not_in_calendar"


class ClosingNotOver(Refusal):
    """`date` is not over in Japan: its deeds are still coming."""

    code = "closing_not_over"
    kind = Kind.CONFLICT


class ClosingOutOfOrder(Refusal):
    """`next` must be closed before `date`."""

    code = "closing_out_of_order"
    kind = Kind.CONFLICT


def closing_of(settlement: Settlement) -> Closing:
    """The closing calendar of a programme's terms; a monthly one closes on the month's last day."""
    day = {ClosingRhythm.WEEKLY: settlement.weekday, ClosingRhythm.MONTHLY: MONTH_END}.get(settlement.rhythm, 0)
    return Closing(Rhythm(settlement.rhythm.value), day)


def final_date(terms: Terms) -> date:
    """The first closing day at whose end nothing can be refunded any more."""
    over = terms.use.last + timedelta(days=terms.refund_days)
    return closing_dates(closing_of(terms.settlement), over, over + LONGEST_GAP)[0]


def is_final(terms: Terms, closing_date: date) -> bool:
    """Whether a close of that day pays whatever is due, however small."""
    return cutoff_instant(closing_date) >= terms.refunds_until


def due_dates(terms: Terms, last: date | None, now: datetime) -> tuple[date, ...]:
    """The closing days up to the final one that are over and not closed, in order; `last` was closed last."""
    return _regular(terms, last, civil_date(now))


def later_date(terms: Terms, last: date | None, now: datetime) -> date | None:
    """After the final close: the latest closing day that is over and comes after `last`, if there is one.

    One close there takes in everything that came since, so the days between are left out.
    """
    if last is None or last < final_date(terms):
        return None
    yesterday = civil_date(now) - ONE_DAY
    found = closing_dates(closing_of(terms.settlement), max(last + ONE_DAY, yesterday - LONGEST_GAP), yesterday)
    return found[-1] if found else None


def must_be_closable(terms: Terms, closing_date: date, last: date | None, now: datetime) -> None:
    """Raise unless `closing_date` may be closed now, `last` being the programme's last close."""
    first = terms.use.first if last is None else last + ONE_DAY
    if closing_date < first or not closing_of(terms.settlement).closes_on(closing_date):
        raise NotAClosingDate(date=closing_date.isoformat())
    if closing_date >= civil_date(now):
        raise ClosingNotOver(date=closing_date.isoformat())
    before = _regular(terms, last, closing_date)
    if before:
        raise ClosingOutOfOrder(date=closing_date.isoformat(), next=before[0].isoformat())


def _regular(terms: Terms, last: date | None, until: date) -> tuple[date, ...]:
    """Closing days after `last`, before `until`, not beyond the final one; of ten years at most."""
    first = terms.use.first if last is None else last + ONE_DAY
    end = min(until - ONE_DAY, final_date(terms), first + timedelta(days=MAX_RANGE_DAYS))
    return closing_dates(closing_of(terms.settlement), first, end)
