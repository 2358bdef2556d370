"""Time: civil days are Japan's, instants carry their offset, a day ends where the next begins."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.clock import TOKYO, OffsetClock, SetClock, civil_date, end_of, start_of

DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def test_half_past_eight_in_japan_is_that_day_though_utc_says_the_day_before() -> None:
    instant = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert civil_date(instant) == date(2026, 4, 1)
    assert instant.astimezone(TOKYO).hour == 8


def test_the_last_microsecond_belongs_to_the_day_and_midnight_to_the_next() -> None:
    midnight = datetime(2026, 4, 1, tzinfo=TOKYO)
    assert civil_date(midnight - timedelta(microseconds=1)) == date(2026, 3, 31)
    assert civil_date(midnight) == date(2026, 4, 1)


@given(DAYS)
def test_a_day_ends_where_the_next_begins(day: date) -> None:
    assert end_of(day) == start_of(day + timedelta(days=1))
    assert end_of(day) - start_of(day) == timedelta(hours=24)
    assert start_of(day).tzinfo is UTC


@given(INSTANTS)
def test_every_instant_lies_in_its_civil_day(instant: datetime) -> None:
    day = civil_date(instant)
    assert start_of(day) <= instant < end_of(day)


@given(INSTANTS, st.integers(-14, 14))
def test_the_civil_day_depends_on_the_instant_not_on_how_it_is_written(instant: datetime, hours: int) -> None:
    assert civil_date(instant.astimezone(timezone(timedelta(hours=hours)))) == civil_date(instant)


def test_a_set_clock_stands_still_until_it_is_moved() -> None:
    clock = SetClock(datetime(2026, 4, 1, 9, tzinfo=TOKYO))
    first = clock.now()
    assert clock.now() == first == datetime(2026, 4, 1, tzinfo=UTC)
    assert first.tzinfo is UTC
    clock.advance(timedelta(seconds=1))
    assert clock.now() == first + timedelta(seconds=1)
    clock.set(datetime(2026, 4, 2, 9, tzinfo=TOKYO))
    assert clock.now() == datetime(2026, 4, 2, tzinfo=UTC)


def test_a_clock_is_never_set_to_an_instant_without_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        SetClock(datetime(2026, 4, 1))  # noqa: DTZ001


def test_an_offset_clock_follows_the_machine_by_its_measured_offset() -> None:
    before = datetime.now(UTC)
    shifted = OffsetClock(timedelta(hours=1)).now() - timedelta(hours=1)
    assert before <= shifted <= datetime.now(UTC)
    assert OffsetClock().now().tzinfo is UTC
