"""When points are spent. See docs/algorithms/synthetic-city.md, "When"."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.synthetic.calendar import Steps, cumulative_by_day, day_factors, normal_cdf, spent_after

days = st.dates(date(2020, 1, 1), date(2030, 1, 1))


@settings(max_examples=50, deadline=None)
@given(days, st.integers(1, 200))
def test_the_weeks_of_a_lot_have_the_curves_shares_whatever_lies_in_them(first: date, count: int) -> None:
    cumulative = cumulative_by_day(first, first + timedelta(days=count - 1))
    ends = np.append(np.arange(7, count, 7), count)
    assert cumulative[ends - 1] == pytest.approx(spent_after(ends / 7, count / 7))
    assert (np.diff(cumulative, prepend=0.0) >= 0).all()


def test_the_curve_is_the_published_one() -> None:
    weeks = np.array([2.0, 7.0, 18.0, 19.0])
    assert 0.998 * spent_after(weeks, 19.0) == pytest.approx([0.46, 0.855, 0.989, 0.998], abs=0.004)


def test_weekends_holidays_and_paydays_are_busier() -> None:
    """+8 to +17 % at weekends; 13 October 2025 is a holiday, 24 December a plain Wednesday."""
    factors = day_factors(date(2025, 10, 10), 90)
    friday, saturday, _, holiday, tuesday = factors[:5]
    assert friday == tuesday == 1.0
    assert 1.08 <= saturday <= 1.17
    assert holiday > 1.0
    assert (
        factors[(date(2025, 12, 25) - date(2025, 10, 10)).days]
        > factors[(date(2025, 12, 24) - date(2025, 10, 10)).days]
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(0.01, 10.0), min_size=1, max_size=5), min_size=1, max_size=4), st.floats(0, 0.999))
def test_each_of_many_distributions_is_drawn_from_by_itself(weights: list[list[float]], quantile: float) -> None:
    cumulatives = [np.cumsum(each) for each in weights]
    which = np.arange(len(weights))
    found = Steps(cumulatives).draw(which, np.full(len(weights), quantile))
    for place, cumulative in zip(found, cumulatives, strict=True):
        share = cumulative / cumulative[-1]
        assert share[place] > quantile - 1e-9
        assert place == 0 or share[place - 1] <= quantile + 1e-9


def test_the_normal_distribution_is_the_one_of_the_tables() -> None:
    assert normal_cdf(np.array([-1.96, 0.0, 1.96, 40.0])) == pytest.approx([0.025, 0.5, 0.975, 1.0], abs=1e-4)
    assert normal_cdf(np.array([40.0]))[0] < 1
