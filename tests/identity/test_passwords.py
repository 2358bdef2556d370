"""Passwords: which are taken, how they are kept, and that nobody costs as much as somebody."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from services.identity.passwords import (
    CHEAPEST,
    RECOMMENDED,
    PasswordCost,
    PasswordGuessable,
    PasswordTooLong,
    PasswordTooShort,
    check_new_password,
    hash_password,
    password_fits,
    wait_seconds,
)
from services.kit.errors import Refusal

EMAIL = "hanako.ito@example.jp"
GOOD = "七夕の夜に竹を飾り願う"
SALT = bytes(range(16))


@pytest.mark.parametrize(
    "password", ["vivid-otter-lamp-42", "七夕の夜に竹を飾り願いを書く", "correct horse battery", "9f!Kq2#vLm0z"]
)
def test_a_long_unusual_password_is_taken(password: str) -> None:
    check_new_password(password, EMAIL)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", PasswordTooShort),
        ("short-one-1", PasswordTooShort),
        (GOOD, PasswordTooShort),
        ("x" * 129, PasswordTooLong),
        ("x" * 100_000, PasswordTooLong),
        ("㌖" * 60, PasswordTooLong),  # six letters each, once normalised
        ("aaaaaaaaaaaa", PasswordGuessable),
        ("abababababab", PasswordGuessable),
        ("123456789012", PasswordGuessable),
        ("987654321098", PasswordGuessable),
        ("abcdefghijkl", PasswordGuessable),
        ("qwertyuiopas", PasswordGuessable),
        ("Password2026", PasswordGuessable),
        ("PASSWORD!!!!!!", PasswordGuessable),
        ("passwordpassword", PasswordGuessable),
        ("ｐａｓｓｗｏｒｄ２０２６", PasswordGuessable),
        ("Hiratsuka2026", PasswordGuessable),
        ("tanabata-2026!", PasswordGuessable),
        ("1q2w3e4r5t6y", PasswordGuessable),
        ("CorrectHorseBatteryStaple", PasswordGuessable),
        ("20260707-2026-0707", PasswordGuessable),
        ("x-Hanako.Ito-42", PasswordGuessable),
    ],
)
def test_what_is_tried_first_is_refused(password: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        check_new_password(password, EMAIL)


@given(st.text(max_size=200))
def test_no_text_breaks_the_check_or_the_comparison(text: str) -> None:
    try:
        check_new_password(text, EMAIL)
    except (PasswordTooShort, PasswordTooLong, PasswordGuessable):
        return
    assert password_fits(hash_password(text, CHEAPEST, SALT), text, CHEAPEST)


def test_a_password_is_kept_as_argon2id_with_the_given_cost() -> None:
    stored = hash_password("vivid-otter-lamp-42", PasswordCost(2, 64, 1), SALT)
    parameters = extract_parameters(stored)
    assert parameters.type is Type.ID
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (2, 64, 1)
    assert (parameters.salt_len, parameters.hash_len, parameters.version) == (16, 32, 0x13)
    assert "otter" not in stored


def test_the_recommended_cost_is_rfc_9106s_second_option() -> None:
    assert PasswordCost(passes=3, memory_kib=64 * 1024, lanes=4) == RECOMMENDED


def test_only_the_password_fits() -> None:
    stored = hash_password("vivid-otter-lamp-42", CHEAPEST, SALT)
    assert password_fits(stored, "vivid-otter-lamp-42", CHEAPEST)
    assert password_fits(stored, "ｖｉｖｉｄ-otter-lamp-42", CHEAPEST)  # the same keys on another keyboard
    for wrong in ("vivid-otter-lamp-43", "Vivid-otter-lamp-42", "vivid-otter-lamp-42 ", "", "\ud800"):
        assert not password_fits(stored, wrong, CHEAPEST)
    assert hash_password("vivid-otter-lamp-42", CHEAPEST, bytes(16)) != stored


@pytest.mark.parametrize(
    "typed",
    ["がまのほ-otter-42", "か\u3099まのほ-otter-42", "がまのほ-ｏｔｔｅｒ-４２", "がまのほ－otter－42"],
    ids=["as it was chosen", "marks that combine", "full width", "full-width hyphens"],
)
def test_a_password_is_itself_on_every_keyboard(typed: str) -> None:
    for chosen in ("がまのほ-otter-42", "か\u3099まのほ-ｏｔｔｅｒ-42"):
        assert password_fits(hash_password(chosen, CHEAPEST, SALT), typed, CHEAPEST)


def test_an_overlong_password_never_fits_by_its_beginning() -> None:
    stored = hash_password("ab" * 64, CHEAPEST, SALT)
    assert password_fits(stored, "ab" * 64, CHEAPEST)
    assert not password_fits(stored, "ab" * 64 + "c", CHEAPEST)


def test_nobody_has_no_password_at_all() -> None:
    assert not password_fits(None, "nobody has this password", CHEAPEST)
    assert not password_fits(None, "", CHEAPEST)
    assert not password_fits("not a hash", "not a hash", CHEAPEST)


def test_a_salt_has_its_length() -> None:
    with pytest.raises(ValueError, match="SALT_BYTES"):
        hash_password("vivid-otter-lamp-42", CHEAPEST, bytes(8))


def test_the_wait_ends_with_the_window() -> None:
    began = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
    assert wait_seconds(began, began) == 900
    assert wait_seconds(began, began + timedelta(seconds=899, milliseconds=1)) == 1
    assert wait_seconds(began, began + timedelta(seconds=901)) == 1
