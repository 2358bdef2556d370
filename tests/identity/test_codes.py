"""One-time codes: how they are made, kept and read, and when the next may be asked for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.codes import (
    CODES_A_PERIOD,
    PERIOD,
    CodeMalformed,
    code_fits,
    code_mac,
    make_code,
    read_code,
    wait_seconds,
)

NOW = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
KEY = bytes(range(32))
ATTEMPT = UUID("019f3a00-0000-7000-8000-00000000000a")
OTHER = UUID("019f3a00-0000-7000-8000-00000000000b")


@given(st.binary(min_size=8, max_size=8))
def test_a_code_has_six_digits(entropy: bytes) -> None:
    code = make_code(entropy)
    assert len(code) == 6
    assert read_code(code) == code
    assert make_code(entropy) == code


def test_codes_keep_their_leading_zeros() -> None:
    assert make_code(bytes(8)) == "000000"
    assert make_code((1_000_042).to_bytes(8)) == "000042"


def test_a_code_is_made_of_enough_entropy_only() -> None:
    with pytest.raises(ValueError, match="random bytes"):
        make_code(bytes(7))


@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "123-456", "１２３４５６", "1 2 3 4 5 6"])
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert read_code(typed) == "123456"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-12345", "1" * 100_000])
def test_what_is_no_code_is_told_before_it_costs_a_try(typed: str) -> None:
    with pytest.raises(CodeMalformed):
        read_code(typed)


def test_a_code_belongs_to_its_attempt_and_to_the_key() -> None:
    stored = code_mac(KEY, ATTEMPT, "123456")
    assert code_fits(KEY, ATTEMPT, "123456", stored)
    assert not code_fits(KEY, ATTEMPT, "123457", stored)
    assert not code_fits(KEY, OTHER, "123456", stored)
    assert not code_fits(bytes(32), ATTEMPT, "123456", stored)
    assert b"123456" not in stored


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        code_mac(bytes(31), ATTEMPT, "123456")


def test_the_next_code_waits_half_a_minute() -> None:
    assert wait_seconds([], NOW) == 0
    assert wait_seconds([NOW], NOW) == 30
    assert wait_seconds([NOW - timedelta(seconds=29, milliseconds=1)], NOW) == 1
    assert wait_seconds([NOW - timedelta(seconds=30)], NOW) == 0


def test_the_sixth_code_waits_for_the_first_to_be_an_hour_old() -> None:
    sent = [NOW - timedelta(minutes=minutes) for minutes in (50, 40, 30, 20, 10)]
    assert wait_seconds(sent, NOW) == 600
    assert wait_seconds(sent[1:], NOW) == 0
    assert wait_seconds([*sent, NOW - timedelta(minutes=61)], NOW) == 600


@given(st.lists(st.integers(0, 7_200), max_size=40))
def test_whoever_waits_as_told_is_let_on_and_never_more_than_five_an_hour(asked: list[int]) -> None:
    sent: list[datetime] = []
    for second in sorted(asked):
        now = NOW + timedelta(seconds=second)
        wait = wait_seconds(sent, now)
        if wait == 0:
            sent.append(now)
        else:
            assert wait_seconds(sent, now + timedelta(seconds=wait)) == 0
            assert wait_seconds(sent, now + timedelta(seconds=wait - 1)) > 0
    for instant in sent:
        assert sum(instant - PERIOD < other <= instant for other in sent) <= CODES_A_PERIOD
