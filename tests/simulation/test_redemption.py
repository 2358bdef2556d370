"""The published curve of use (docs/sources.md, "redemption over time"), at every week's end and between."""

from datetime import date, timedelta

import pytest

from infra.simulation.redemption import SPENT_AT_THE_END, SpendingDays, day_factor, share_spent

PUBLISHED = ((2.0, 0.46), (7.0, 0.855))
KOREA_WEEKS = 18.8
"""The programme whose curve was published ended about here: the curve says 98.9 % a week before."""

FIRST, LAST = date(2020, 10, 1), date(2021, 1, 31)


@pytest.mark.parametrize(("weeks", "share"), PUBLISHED)
def test_the_curve_goes_through_the_published_points(weeks: float, share: float) -> None:
    assert share_spent(weeks, KOREA_WEEKS) == pytest.approx(share, abs=0.005)


def test_the_last_week_has_its_rush() -> None:
    before = share_spent(KOREA_WEEKS - 1, KOREA_WEEKS)
    assert before == pytest.approx(0.989, abs=0.002)
    assert share_spent(KOREA_WEEKS, KOREA_WEEKS) == SPENT_AT_THE_END
    natural = share_spent(KOREA_WEEKS, KOREA_WEEKS + 2) - before
    assert 0.006 <= SPENT_AT_THE_END - before - natural <= 0.009


def test_nothing_is_spent_before_it_is_issued_and_the_rest_never() -> None:
    assert share_spent(0, 10) == share_spent(-1, 10) == 0
    assert share_spent(11, 10) == share_spent(10, 10) < 1


@pytest.mark.parametrize("issued_on", [FIRST, date(2020, 10, 9), date(2020, 12, 31), date(2021, 1, 30), LAST])
def test_days_move_value_within_a_week_only(issued_on: date) -> None:
    days = SpendingDays(issued_on, LAST)
    horizon = ((LAST - issued_on).days + 1) / 7
    for week in range(1, int(horizon) + 1):
        end = issued_on + timedelta(days=7 * week - 1)
        assert days.share_by(end) == pytest.approx(share_spent(week, horizon), abs=1e-9)
    assert days.share_by(LAST) == SPENT_AT_THE_END


def test_a_quantile_falls_on_the_day_that_reaches_it() -> None:
    days = SpendingDays(FIRST, LAST)
    for quantile in (1e-9, 0.1, 0.46, 0.855, 0.99, SPENT_AT_THE_END):
        day = days.day_of(quantile)
        assert day is not None
        assert days.share_by(day - timedelta(days=1)) < quantile <= days.share_by(day)
    assert days.day_of(SPENT_AT_THE_END + 1e-6) is None


def test_weekends_holidays_and_paydays_are_busier() -> None:
    thursday, saturday, culture_day, payday = (
        date(2020, 11, 5),
        date(2020, 11, 7),
        date(2020, 11, 3),
        date(2020, 11, 25),
    )
    assert day_factor(thursday) == 1
    assert 1.08 <= day_factor(saturday) <= 1.17
    assert day_factor(culture_day) > 1
    assert day_factor(payday) > 1
