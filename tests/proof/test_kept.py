"""When the books are due to be proven: after three at night in Japan, and after somebody asked."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.kit.clock import TOKYO
from services.proof.kept import Standing, Stretch, Wish, last_night

NIGHT = datetime(2026, 4, 6, 3, tzinfo=TOKYO)
MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
ASKED_AT = NIGHT + timedelta(hours=9)
WISH = Wish(UUID(int=1), ASKED_AT)


def standing(began_at: datetime | None, wish: Wish | None = None, took: timedelta = MINUTE) -> Standing:
    """As it is when the last proof that began was kept."""
    kept = None if began_at is None else Stretch(began_at, began_at + took)
    return Standing(kept, began_at, wish)


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
    assert standing(began_at).is_due(now) is due


@pytest.mark.parametrize(
    ("began_after", "waits"), [(timedelta(minutes=-1), True), (timedelta(0), True), (MOMENT, False)]
)
def test_only_a_proof_that_began_later_answers_a_wish(began_after: timedelta, waits: bool) -> None:
    found = standing(ASKED_AT + began_after, WISH)
    assert (found.wish, found.waiting) == ((WISH, WISH) if waits else (None, None))
    assert found.is_due(ASKED_AT + timedelta(hours=1)) is waits


@pytest.mark.parametrize(("begun_after", "waits"), [(-MINUTE, True), (timedelta(0), True), (MOMENT, False)])
def test_a_wish_waits_for_others_to_join_until_a_proof_begins(begun_after: timedelta, waits: bool) -> None:
    under_way = Standing(Stretch(NIGHT, NIGHT + MINUTE), ASKED_AT + begun_after, WISH)
    assert under_way.waiting == (WISH if waits else None)
    assert under_way.wish == WISH
    assert under_way.is_due(ASKED_AT + MINUTE)


def test_nobody_joins_a_wish_that_was_answered_though_nobody_said_that_the_proof_began() -> None:
    assert Standing(Stretch(ASKED_AT + MOMENT, ASKED_AT + MINUTE), None, WISH).waiting is None


def test_nobody_who_did_not_ask_waits() -> None:
    assert (standing(None).wish, standing(NIGHT).wish, standing(NIGHT).waiting) == (None, None, None)


@pytest.mark.parametrize("took", [timedelta(0), MINUTE, timedelta(hours=1)])
def test_a_proof_that_is_asked_for_begins_when_the_last_is_as_long_over_as_it_took(took: timedelta) -> None:
    found = standing(ASKED_AT, Wish(WISH.id, ASKED_AT + MOMENT), took)
    assert found.is_due(ASKED_AT + 2 * took)
    assert not found.is_due(ASKED_AT + 2 * took - MOMENT)


def test_the_nights_proof_waits_for_no_rest() -> None:
    found = standing(NIGHT - timedelta(hours=1), Wish(WISH.id, NIGHT - MINUTE), timedelta(hours=2))
    assert not found.is_due(NIGHT - MOMENT)
    assert found.is_due(NIGHT)
