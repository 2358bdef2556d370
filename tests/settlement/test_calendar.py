"""Money is dated only on days that are certainly bank business days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.clock import civil_date
from services.settlement.calendar import (
    CERTAIN_THROUGH,
    FIRST_CERTAIN_YEAR,
    LAST_COMPUTED_YEAR,
    MAX_BUSINESS_DAYS,
    MAX_RANGE_DAYS,
    BankCalendar,
    CalendarNotCertain,
    Closing,
    Rhythm,
    closing_dates,
    cutoff_instant,
    transfer_date,
)

OFFICIAL = {
    2019: "0101 0114 0211 0321 0429 0430 0501 0502 0503 0504 0505 0506 0715 0811 0812 0916 0923 1014 1022 1103 "
    "1104 1123",
    2020: "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0723 0724 0810 0921 0922 1103 1123",
    2021: "0101 0111 0211 0223 0320 0429 0503 0504 0505 0722 0723 0808 0809 0920 0923 1103 1123",
    2026: "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123",
    2027: "0101 0111 0211 0223 0321 0322 0429 0503 0504 0505 0719 0811 0920 0923 1011 1103 1123",
}
"""国民の祝日・休日 as the Cabinet Office publishes them: the three years that special laws moved,
and those that lie ahead. The last year here is the last that the calendar believes."""

CALENDAR = BankCalendar()
CERTAIN_DAYS = st.dates(date(FIRST_CERTAIN_YEAR, 1, 1), date(CERTAIN_THROUGH - 1, 12, 31))
DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))
CLOSINGS = st.one_of(
    st.just(Closing(Rhythm.DAILY)),
    st.just(Closing(Rhythm.TWICE_MONTHLY)),
    st.builds(Closing, st.just(Rhythm.WEEKLY), st.integers(0, 6)),
    st.builds(Closing, st.just(Rhythm.MONTHLY), st.integers(1, 31)),
)


def official_days(year: int) -> set[date]:
    return {date(year, int(day[:2]), int(day[2:])) for day in OFFICIAL[year].split()}


@pytest.mark.parametrize("year", OFFICIAL)
def test_banks_close_on_exactly_the_official_days(year: int) -> None:
    closings = {date(year, 1, 1), date(year, 1, 2), date(year, 1, 3), date(year, 12, 31)}
    for offset in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
        day = date(year, 1, 1) + timedelta(days=offset)
        closed = day.weekday() >= 5 or day in official_days(year) | closings
        assert CALENDAR.is_business_day(day) is not closed, day


def test_the_calendar_believes_no_year_without_an_official_list() -> None:
    assert max(OFFICIAL) == CERTAIN_THROUGH
    assert CALENDAR.certain_through == CERTAIN_THROUGH


@pytest.mark.parametrize("day", [date(CERTAIN_THROUGH + 1, 1, 4), date(FIRST_CERTAIN_YEAR - 1, 12, 29)])
def test_a_day_outside_the_certain_years_is_refused_not_guessed(day: date) -> None:
    with pytest.raises(CalendarNotCertain) as refused:
        CALENDAR.is_business_day(day)
    assert refused.value.params == {
        "date": day.isoformat(),
        "first": FIRST_CERTAIN_YEAR,
        "last": CERTAIN_THROUGH,
    }


def test_the_step_over_the_last_certain_day_is_refused() -> None:
    assert CALENDAR.on_or_after(date(CERTAIN_THROUGH, 12, 30)) == date(CERTAIN_THROUGH, 12, 30)
    with pytest.raises(CalendarNotCertain):
        CALENDAR.on_or_after(date(CERTAIN_THROUGH, 12, 31))
    with pytest.raises(CalendarNotCertain):
        CALENDAR.next_business_day(date(CERTAIN_THROUGH, 12, 30))


def test_an_operator_may_believe_another_year_but_never_past_the_formula() -> None:
    assert BankCalendar(CERTAIN_THROUGH + 1).is_business_day(date(CERTAIN_THROUGH + 1, 1, 4))
    with pytest.raises(CalendarNotCertain):
        BankCalendar(2020).is_business_day(date(2021, 1, 4))
    for year in (LAST_COMPUTED_YEAR + 1, FIRST_CERTAIN_YEAR - 1):
        with pytest.raises(ValueError, match="year"):
            BankCalendar(year)


@given(CERTAIN_DAYS)
def test_the_next_business_day_skips_none(day: date) -> None:
    found = CALENDAR.next_business_day(day)
    assert found > day
    assert CALENDAR.is_business_day(found)
    between = [day + timedelta(days=step) for step in range(1, (found - day).days)]
    assert not any(CALENDAR.is_business_day(each) for each in between)
    assert CALENDAR.on_or_after(day) == (day if CALENDAR.is_business_day(day) else found)


@given(st.dates(date(2007, 1, 1), date(2025, 12, 31)), st.integers(0, 40))
def test_adding_business_days_counts_exactly_them(day: date, count: int) -> None:
    found = CALENDAR.add_business_days(day, count)
    passed = [day + timedelta(days=step) for step in range(1, (found - day).days + 1)]
    worked = sum(CALENDAR.is_business_day(each) for each in passed)
    assert worked == count or (count == 0 and worked == 1 and not CALENDAR.is_business_day(day))
    assert CALENDAR.is_business_day(found)


@pytest.mark.parametrize("count", [-1, MAX_BUSINESS_DAYS + 1])
def test_a_count_of_business_days_is_bounded(count: int) -> None:
    with pytest.raises(ValueError, match="year"):
        CALENDAR.add_business_days(date(2020, 1, 6), count)


@given(CLOSINGS, DAYS, DAYS)
def test_closing_days_are_the_days_that_close_and_no_other(closing: Closing, first: date, last: date) -> None:
    found = closing_dates(closing, first, last)
    expected = [
        first + timedelta(days=step)
        for step in range((last - first).days + 1)
        if closing.closes_on(first + timedelta(days=step))
    ]
    assert list(found) == expected


@given(CLOSINGS, st.integers(2019, 2029))
def test_a_year_has_its_number_of_closings(closing: Closing, year: int) -> None:
    expected = {
        Rhythm.DAILY: {365, 366},
        Rhythm.WEEKLY: {52, 53},
        Rhythm.TWICE_MONTHLY: {24},
        Rhythm.MONTHLY: {12},
    }[closing.rhythm]
    assert len(closing_dates(closing, date(year, 1, 1), date(year, 12, 31))) in expected


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (Closing(Rhythm.DAILY), "0226 0227 0228 0229 0301"),
        (Closing(Rhythm.WEEKLY, 4), "0228"),
        (Closing(Rhythm.TWICE_MONTHLY), "0229"),
        (Closing(Rhythm.MONTHLY, 31), "0229"),
        (Closing(Rhythm.MONTHLY, 30), "0229"),
        (Closing(Rhythm.MONTHLY, 27), "0227"),
        (Closing(Rhythm.MONTHLY, 1), "0301"),
    ],
)
def test_a_leap_february_closes_by_the_calendar(closing: Closing, expected: str) -> None:
    found = closing_dates(closing, date(2020, 2, 26), date(2020, 3, 1))
    assert [f"{day:%m%d}" for day in found] == expected.split()


@pytest.mark.parametrize(("rhythm", "day"), [(Rhythm.DAILY, 1), (Rhythm.WEEKLY, 7), (Rhythm.MONTHLY, 0)])
def test_a_closing_without_its_day_cannot_be_made(rhythm: Rhythm, day: int) -> None:
    with pytest.raises(ValueError, match="closing day"):
        Closing(rhythm, day)


def test_closing_days_are_listed_for_ten_years_at_most() -> None:
    first = date(2020, 1, 1)
    assert closing_dates(Closing(Rhythm.DAILY), first, first - timedelta(days=1)) == ()
    with pytest.raises(ValueError, match="ten years"):
        closing_dates(Closing(Rhythm.MONTHLY, 1), first, first + timedelta(days=MAX_RANGE_DAYS + 1))


def test_a_closing_day_ends_at_midnight_in_japan() -> None:
    assert cutoff_instant(date(2021, 2, 28)) == datetime(2021, 2, 28, 15, 0, tzinfo=UTC)


@given(DAYS)
def test_the_cutoff_is_the_first_instant_of_the_next_civil_day(day: date) -> None:
    cutoff = cutoff_instant(day)
    assert cutoff.utcoffset() == timedelta(0)
    assert civil_date(cutoff) == day + timedelta(days=1)
    assert civil_date(cutoff - timedelta(microseconds=1)) == day


@pytest.mark.parametrize(
    ("closing_day", "lag", "expected"),
    [
        (date(2026, 11, 15), 1, date(2026, 11, 16)),
        (date(2026, 11, 30), 3, date(2026, 12, 3)),
        (date(2026, 12, 29), 1, date(2026, 12, 30)),
        (date(2026, 12, 30), 1, date(2027, 1, 4)),
        (date(2026, 4, 30), 2, date(2026, 5, 7)),
        (date(2026, 9, 18), 1, date(2026, 9, 24)),
    ],
)
def test_payouts_move_on_the_nth_business_day_after_the_closing(closing_day: date, lag: int, expected: date) -> None:
    assert transfer_date(closing_day, lag, CALENDAR) == expected


def test_money_never_moves_on_the_closing_day_itself() -> None:
    with pytest.raises(ValueError, match="after the closing day"):
        transfer_date(date(2026, 11, 16), 0, CALENDAR)
