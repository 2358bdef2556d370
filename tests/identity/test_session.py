"""Refresh tokens as values: their form, what follows from them, and what one is worth."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.people import AccountKind
from services.identity.session import (
    ENTROPY_BYTES,
    LIVES,
    RETRY,
    Carrier,
    Kept,
    RefreshRefused,
    RefreshToken,
    Verdict,
    begins,
    client_name,
    goes_on,
    hash_of,
    judge,
    new_token,
    next_token,
    read_token,
    write_token,
)

NOW = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
SESSION, NAME, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
SECRET = bytes(range(32))
FIRST = new_token(SESSION, bytes(range(100, 148)))
SECOND = next_token(SECRET, FIRST, NAME)
KEPT = Kept(
    id=SESSION,
    account_id=UUID(int=9),
    kind=AccountKind.RESIDENT,
    active=True,
    carrier=Carrier.BEARER,
    family_hash=hash_of(FIRST.family),
    turn_hash=hash_of(FIRST.turn),
    refreshed_at=NOW,
    expires_at=NOW + timedelta(days=90),
    latest_at=NOW + timedelta(days=365),
    ended=False,
)
TURNED = replace(KEPT, turn_hash=hash_of(SECOND.turn))


def verdict(kept: Kept, token: RefreshToken, name: UUID = NAME, now: datetime = NOW) -> Verdict:
    return judge(kept, token, next_token(SECRET, token, name), now)


@given(st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES), st.uuids())
def test_a_token_is_read_as_it_was_written(entropy: bytes, session_id: UUID) -> None:
    token = new_token(session_id, entropy)
    assert read_token(write_token(token)) == token


@given(st.text(max_size=200))
def test_no_other_text_is_a_token_and_none_breaks_the_reading(text: str) -> None:
    with pytest.raises(RefreshRefused):
        read_token(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "=",
        lambda t: t + "A",
        lambda t: t[:-1],
        lambda t: t[:-1] + "B",
        lambda t: t[:40] + "." + t[41:],
        lambda t: " " + t[1:],
        lambda t: "é" + t[1:],
    ],
)
def test_a_token_has_one_spelling(change: object) -> None:
    text = write_token(FIRST)
    assert callable(change)
    with pytest.raises(RefreshRefused):
        read_token(change(text))


def test_the_current_turn_begins_the_next() -> None:
    assert verdict(KEPT, FIRST) is Verdict.TURNS
    assert verdict(TURNED, SECOND, OTHER) is Verdict.TURNS


def test_the_same_request_is_answered_again_and_no_other() -> None:
    """The client whose answer was lost sends the same; a thief does not know the request's name."""
    assert verdict(TURNED, FIRST, NAME) is Verdict.REPEATS
    assert verdict(TURNED, FIRST, OTHER) is Verdict.REUSED


def test_a_repeated_request_is_answered_for_a_day() -> None:
    assert verdict(TURNED, FIRST, now=NOW + RETRY - timedelta(microseconds=1)) is Verdict.REPEATS
    assert verdict(TURNED, FIRST, now=NOW + RETRY) is Verdict.REUSED


def test_a_turn_is_over_for_good_once_the_next_one_is_over() -> None:
    third = next_token(SECRET, SECOND, OTHER)
    later = replace(TURNED, turn_hash=hash_of(third.turn))
    assert verdict(later, FIRST, NAME) is Verdict.REUSED
    assert verdict(later, SECOND, OTHER) is Verdict.REPEATS
    assert verdict(later, third, NAME) is Verdict.TURNS


def test_an_invented_token_ends_nothing() -> None:
    """Else anybody who has seen a session's id could end it."""
    for family, turn in ((bytes(16), FIRST.turn), (bytes(16), bytes(32)), (FIRST.turn[:16], FIRST.turn)):
        assert verdict(KEPT, RefreshToken(SESSION, family, turn)) is Verdict.NOTHING


def test_a_session_that_is_over_is_over_whatever_comes() -> None:
    for over in (
        replace(TURNED, ended=True),
        replace(TURNED, active=False),
        replace(TURNED, expires_at=NOW),
    ):
        for token in (FIRST, SECOND):
            assert verdict(over, token) is Verdict.ENDED
    assert verdict(replace(TURNED, expires_at=NOW + timedelta(microseconds=1)), SECOND) is Verdict.TURNS


def test_nobody_without_the_secret_knows_the_next_turn() -> None:
    turns = {
        SECOND.turn,
        next_token(bytes(32), FIRST, NAME).turn,
        next_token(SECRET, FIRST, OTHER).turn,
        next_token(SECRET, replace(FIRST, session_id=OTHER), NAME).turn,
        next_token(SECRET, replace(FIRST, turn=bytes(32)), NAME).turn,
    }
    assert len(turns) == 5
    with pytest.raises(ValueError, match="32 bytes"):
        next_token(bytes(31), FIRST, NAME)
    with pytest.raises(ValueError, match="ENTROPY_BYTES"):
        new_token(SESSION, bytes(47))


@pytest.mark.parametrize("kind", AccountKind)
def test_a_session_lives_on_by_refreshes_but_not_for_ever(kind: AccountKind) -> None:
    idle, longest = LIVES[kind].idle, LIVES[kind].longest
    expires_at, latest_at = begins(kind, NOW)
    assert (expires_at, latest_at) == (NOW + idle, NOW + longest)
    kept = replace(KEPT, kind=kind, expires_at=expires_at, latest_at=latest_at)
    assert goes_on(kept, NOW + idle / 2) == NOW + idle * 1.5
    assert goes_on(kept, latest_at - timedelta(seconds=1)) == latest_at


def test_the_citys_staff_sign_in_every_working_day() -> None:
    assert LIVES[AccountKind.CITY].longest <= timedelta(hours=12)


def test_what_a_client_says_of_itself_is_cut_and_printable() -> None:
    assert client_name("phone\x00\n\u202e") == "phone"
    assert client_name("x" * 500) == "x" * 200


def test_no_token_is_shown() -> None:
    assert "turn" not in repr(FIRST)
    assert "hash" not in repr(KEPT)
