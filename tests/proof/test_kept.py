"""When the books are due to be proven: after three at night in Japan, and after somebody asked."""

from datetime import datetime, timedelta

import pytest

from services.kit.clock import TOKYO
from services.proof.kept import Standing, last_night

NIGHT = datetime(2026, 4, 6, 3, tzinfo=TOKYO)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (NIGHT, NIGHT),
        (NIGHT + MOMENT, NIGHT),
        (NIGHT - MOMENT, NIGHT - timedelta(days=1)),
        (NIGHT + timedelta(hours=20, minutes=59), NIGHT),
        (NIGHT + timedelta(hours=21), NIGHT),
        (NIGHT + timedelta(days=1), NIGHT + timedelta(days=1)),
    ],
)
def test_the_last_night_is_the_last_three_oclock_in_japan(now: datetime, night: datetime) -> None:
    assert last_night(now) == night


@pytest.mark.parametrize(
    ("began_at", "now", "due"),
    [
        (None, NIGHT - timedelta(hours=1), True),
        (NIGHT - MOMENT, NIGHT, True),
        (NIGHT, NIGHT + timedelta(hours=23), False),
        (NIGHT - timedelta(hours=5), NIGHT - MOMENT, False),
        (NIGHT + timedelta(hours=7), NIGHT + timedelta(hours=24), True),
    ],
)
def test_the_books_are_due_once_a_night(began_at: datetime | None, now: datetime, due: bool) -> None:
    assert Standing(began_at, None).is_due(now) is due


@pytest.mark.parametrize(
    ("began_after", "waits"), [(timedelta(minutes=-1), True), (timedelta(0), True), (MOMENT, False)]
)
def test_only_a_proof_that_began_later_answers_a_wish(began_after: timedelta, waits: bool) -> None:
    asked_at = NIGHT + timedelta(hours=9)
    standing = Standing(asked_at + began_after, asked_at)
    assert (standing.wish is not None, standing.is_due(asked_at + timedelta(hours=1))) == (waits, waits)


def test_nobody_who_did_not_ask_waits() -> None:
    assert Standing(None, None).wish is None
