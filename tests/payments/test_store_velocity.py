"""From when on a store is told of: its own usual, between a floor and a ceiling."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from infra.bad_setting import BadSetting
from infra.settings import Settings
from services.payments.store_velocity import (
    LEAST_DAYS,
    UNKNOWN,
    USUAL_STORES,
    Bounds,
    PastDay,
    ReturnBounds,
    Span,
    StoreLimits,
    Usual,
    Window,
    level_of,
    returns_of,
    rush_of,
    usual_of,
)
from services.payments.velocity import Most

STORE = UUID(int=7)
LIMITS = StoreLimits(
    Bounds(Most(10, 10_000), Most(100, 100_000)), Bounds(Most(20, 20_000), Most(200, 200_000)), ReturnBounds(3, 20, 60)
)
DAY = Window(STORE, Span.DAY, datetime(2026, 4, 5, 15, tzinfo=UTC), 0, 0, 0, 0)
HOUR = replace(DAY, span=Span.HOUR)
ORDINARY = Usual(LEAST_DAYS, Most(8, 9_000), Most(8, 9_000), 8)


@pytest.mark.parametrize(
    ("usual", "is_known", "level"),
    [
        (Most(0, 0), False, Most(100, 100_000)),
        (Most(3, 3_000), True, Most(10, 10_000)),
        (Most(8, 3_334), True, Most(24, 10_002)),
        (Most(40, 40_000), True, Most(100, 100_000)),
    ],
)
def test_the_level_is_three_times_the_usual_between_floor_and_ceiling(usual: Most, is_known: bool, level: Most) -> None:
    assert level_of(LIMITS.an_hour, usual, 3, is_known=is_known) == level


@pytest.mark.parametrize(
    ("payments", "yen", "score"),
    [(23, 26_999, None), (24, 1, 500), (1, 27_000, 500), (48, 1, 750), (24, 54_000, 750)],
)
def test_a_store_is_told_of_by_either_measure_from_its_level_on(payments: int, yen: int, score: int | None) -> None:
    rush = rush_of(LIMITS, replace(HOUR, payments=payments, paid_yen=yen), ORDINARY)
    assert (rush and rush.score_permille) == score
    if rush is not None:
        assert (rush.rule, rush.rests_on, rush.figures["began"]) == ("store_hour", payments, "2026-04-06 00:00")
        assert (rush.figures["level_payments"], rush.figures["level_yen"]) == (24, 27_000)


@pytest.mark.parametrize(
    ("usual", "returns", "returned_yen", "is_told"),
    [
        (ORDINARY, 3, 2_400, True),  # three times its own 8 percent
        (ORDINARY, 3, 2_399, False),
        (ORDINARY, 2, 9_000, False),
        (replace(ORDINARY, returned_percent=1), 3, 2_000, True),
        (replace(ORDINARY, returned_percent=90), 3, 6_000, True),
        (UNKNOWN, 3, 5_999, False),
        (UNKNOWN, 3, 6_000, True),
    ],
)
def test_what_is_given_back_is_measured_against_the_days_sales(
    usual: Usual, returns: int, returned_yen: int, is_told: bool
) -> None:
    window = replace(DAY, payments=30, paid_yen=10_000, returns=returns, returned_yen=returned_yen)
    assert (returns_of(LIMITS, window, usual) is not None) is is_told


def test_returns_on_a_day_without_sales_are_told() -> None:
    rush = returns_of(LIMITS, replace(DAY, returns=3, returned_yen=1), ORDINARY)
    assert rush is not None
    assert (rush.rests_on, rush.figures["began"]) == (3, "2026-04-06")


def test_what_is_usual_is_the_middle_of_the_past_and_a_few_odd_days_do_not_move_it() -> None:
    day = PastDay(STORE, 5, 5_000, 500, 2, 2_000)
    odd = PastDay(STORE, 900, 900_000, 0, 300, 300_000)
    past = [day] * 6 + [odd] * 2
    assert replace(usual_of(past), returned_percent=0) == Usual(8, Most(2, 2_000), Most(5, 5_000), 0)
    assert usual_of([day] * 6) == Usual(6, Most(2, 2_000), Most(5, 5_000), 10)
    assert not usual_of([day] * 6).is_known
    assert usual_of([]) == UNKNOWN


def test_the_operator_sets_the_limits() -> None:
    assert Settings.from_env({}).stores == USUAL_STORES
    given = {
        "TANABATA_STORE_HOUR": "10 10000 100 100000",
        "TANABATA_STORE_DAY": "20 20000 200 200000",
        "TANABATA_STORE_RETURNS": "3 20 60",
        "TANABATA_STORE_USUAL": "3",
    }
    assert Settings.from_env(given).stores == LIMITS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TANABATA_STORE_HOUR", "10 10000 100"),
        ("TANABATA_STORE_HOUR", "0 10000 100 100000"),
        ("TANABATA_STORE_HOUR", "101 10000 100 100000"),
        ("TANABATA_STORE_DAY", "20 20000 200 19999"),
        ("TANABATA_STORE_DAY", "20 20000 200 2e9"),
        ("TANABATA_STORE_RETURNS", "3 60 20"),
        ("TANABATA_STORE_RETURNS", "3 20"),
        ("TANABATA_STORE_RETURNS", "3 20 60 80"),
        ("TANABATA_STORE_USUAL", "1"),
        ("TANABATA_STORE_USUAL", "101"),
        ("TANABATA_STORE_USUAL", "3.5"),
    ],
)
def test_a_wrong_limit_of_stores_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings.from_env({name: value})
