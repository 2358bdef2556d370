"""Which day may be closed follows from the terms alone; every boundary of a programme's calendar is here."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaigns.terms import ClosingRhythm, Terms
from services.kit.clock import TOKYO, end_of, start_of
from services.settlement.calendar import Closing, Rhythm, cutoff_instant
from services.settlement.closings import (
    ClosingNotOver,
    ClosingOutOfOrder,
    NotAClosingDate,
    closing_of,
    due_dates,
    final_date,
    is_final,
    later_date,
    must_be_closable,
)
from tests.settlement.office import FINAL, FIRST, SECOND, settled

TERMS = settled()
AFTERWARDS = datetime(2027, 6, 1, 12, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("rhythm", "weekday", "expected"),
    [
        (ClosingRhythm.DAILY, 3, Closing(Rhythm.DAILY)),
        (ClosingRhythm.WEEKLY, 4, Closing(Rhythm.WEEKLY, 4)),
        (ClosingRhythm.TWICE_MONTHLY, 4, Closing(Rhythm.TWICE_MONTHLY)),
        (ClosingRhythm.MONTHLY, 4, Closing(Rhythm.MONTHLY, 31)),
    ],
)
def test_a_rhythm_of_the_terms_is_a_calendar(rhythm: ClosingRhythm, weekday: int, expected: Closing) -> None:
    assert closing_of(settled(rhythm, weekday=weekday).settlement) == expected


@pytest.mark.parametrize(
    ("rhythm", "expected"),
    [
        (ClosingRhythm.DAILY, date(2026, 10, 14)),
        (ClosingRhythm.WEEKLY, date(2026, 10, 16)),
        (ClosingRhythm.TWICE_MONTHLY, date(2026, 10, 15)),
        (ClosingRhythm.MONTHLY, date(2026, 10, 31)),
    ],
)
def test_the_final_closing_is_the_first_after_which_nothing_is_refunded(rhythm: ClosingRhythm, expected: date) -> None:
    terms = settled(rhythm)
    assert final_date(terms) == expected
    assert is_final(terms, expected)
    assert cutoff_instant(expected) >= terms.refunds_until


def test_a_close_is_final_exactly_from_the_end_of_refunds_on() -> None:
    daily = settled(ClosingRhythm.DAILY)
    assert daily.refunds_until == end_of(date(2026, 10, 14))
    assert not is_final(daily, date(2026, 10, 13))
    assert is_final(daily, date(2026, 10, 14))
    assert is_final(daily, date(2027, 1, 1))


@pytest.mark.parametrize("day", [date(2026, 3, 31), date(2026, 4, 14), date(2026, 4, 16), date(1, 1, 15)])
def test_only_days_of_the_calendar_from_the_first_day_of_use_are_closed(day: date) -> None:
    with pytest.raises(NotAClosingDate):
        must_be_closable(TERMS, day, None, AFTERWARDS)


@pytest.mark.parametrize("day", [FIRST, date(2026, 4, 10), date(2026, 3, 31)])
def test_no_day_up_to_the_last_close_is_closed_again(day: date) -> None:
    with pytest.raises(NotAClosingDate):
        must_be_closable(settled(ClosingRhythm.DAILY), day, FIRST, AFTERWARDS)


def test_a_day_is_closed_from_the_very_midnight_after_it() -> None:
    midnight = start_of(FIRST + timedelta(days=1))
    must_be_closable(TERMS, FIRST, None, midnight)
    with pytest.raises(ClosingNotOver):
        must_be_closable(TERMS, FIRST, None, midnight - timedelta(microseconds=1))


@pytest.mark.parametrize("day", [date(2026, 12, 31), date.max.replace(day=31)])
def test_a_far_future_day_is_refused_like_tomorrow(day: date) -> None:
    with pytest.raises(ClosingNotOver):
        must_be_closable(TERMS, day, FIRST, start_of(SECOND))


def test_no_day_is_left_out_before_the_final_closing() -> None:
    with pytest.raises(ClosingOutOfOrder) as refused:
        must_be_closable(TERMS, date(2026, 5, 15), FIRST, AFTERWARDS)
    assert refused.value.params == {"date": "2026-05-15", "next": "2026-04-30"}
    with pytest.raises(ClosingOutOfOrder):
        must_be_closable(TERMS, FINAL, None, AFTERWARDS)


def test_after_the_final_closing_days_without_deeds_are_left_out() -> None:
    must_be_closable(TERMS, date(2026, 12, 31), FINAL, AFTERWARDS)
    assert later_date(TERMS, FINAL, AFTERWARDS) == date(2027, 5, 31)
    assert later_date(TERMS, FINAL, start_of(date(2026, 10, 31))) is None
    assert later_date(TERMS, FINAL, start_of(date(2026, 11, 1))) == date(2026, 10, 31)
    assert later_date(TERMS, date(2026, 9, 30), AFTERWARDS) is None
    assert later_date(TERMS, None, AFTERWARDS) is None


def test_due_days_run_from_the_first_day_of_use_to_the_final_closing() -> None:
    everything = due_dates(TERMS, None, AFTERWARDS)
    assert (everything[0], everything[-1], len(everything)) == (FIRST, FINAL, 13)
    assert due_dates(TERMS, None, start_of(FIRST)) == ()
    assert due_dates(TERMS, None, cutoff_instant(FIRST)) == (FIRST,)
    assert due_dates(TERMS, FINAL, AFTERWARDS) == ()


def test_a_correction_that_extends_the_use_makes_its_days_due_again() -> None:
    longer = replace(TERMS, use=replace(TERMS.use, last=date(2026, 12, 31)))
    assert due_dates(longer, FINAL, AFTERWARDS)[0] == date(2026, 10, 31)
    assert final_date(longer) == date(2027, 1, 15)


def test_a_programme_of_a_century_is_listed_ten_years_at_a_time() -> None:
    endless = replace(TERMS, use=replace(TERMS.use, first=date(1926, 4, 1), last=date(2126, 3, 31)))
    assert len(due_dates(endless, None, AFTERWARDS)) < 250
    with pytest.raises(ClosingOutOfOrder):
        must_be_closable(endless, date(2026, 4, 30), None, AFTERWARDS)


RHYTHMS = st.builds(settled, st.sampled_from(ClosingRhythm), weekday=st.integers(0, 6))
INSTANTS = st.datetimes(datetime(2026, 3, 1), datetime(2027, 3, 1), timezones=st.just(TOKYO))  # noqa: DTZ001


@given(RHYTHMS, INSTANTS)
def test_due_days_may_be_closed_one_after_the_other_and_no_others(terms: Terms, now: datetime) -> None:
    days = due_dates(terms, None, now)
    assert list(days) == sorted(set(days))
    last: date | None = None
    for day in days:
        must_be_closable(terms, day, last, now)
        last = day
    for earlier, later in pairwise(days):
        with pytest.raises(ClosingOutOfOrder):
            must_be_closable(terms, later, None if earlier == days[0] else earlier - timedelta(days=1), now)
