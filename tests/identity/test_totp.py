"""Authenticator codes: RFC 6238's own figures, a window of three steps, secrets that open for their account only."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.totp import (
    NONCE_BYTES,
    STEP_SECONDS,
    code_at,
    enrolment_uri,
    fitting_step,
    open_secret,
    seal_secret,
    secret_text,
    step_of,
)

SECRET, KEY = b"12345678901234567890", bytes(range(32))
NOW = datetime(2026, 7, 7, 3, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)
VECTORS = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
"""RFC 6238 appendix B, SHA-1, the last six of its eight digits."""


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    instant = datetime.fromtimestamp(seconds, UTC)
    assert code_at(SECRET, step_of(instant)) == code
    assert fitting_step(SECRET, code, instant) == seconds // STEP_SECONDS


@pytest.mark.parametrize(("off", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(off: int, fits: bool) -> None:
    shown = code_at(SECRET, step_of(NOW) + off)
    assert (fitting_step(SECRET, shown, NOW) is not None) is fits


@given(st.binary(min_size=20, max_size=20), st.integers(STEP_SECONDS, 4_000_000_000))
def test_an_app_that_reads_our_address_shows_our_codes(secret: bytes, seconds: int) -> None:
    app = pyotp.parse_uri(enrolment_uri(secret, "sato+night@city.example.jp"))
    instant = datetime.fromtimestamp(seconds, UTC)
    assert isinstance(app, pyotp.TOTP)
    assert app.at(instant) == code_at(secret, step_of(instant))
    assert app.secret == secret_text(secret)
    assert fitting_step(secret, app.at(instant + timedelta(seconds=STEP_SECONDS)), instant) is not None


def test_a_sealed_secret_opens_for_its_account_only() -> None:
    sealed = seal_secret(KEY, ONE, SECRET, bytes(NONCE_BYTES))
    assert SECRET not in sealed
    assert open_secret(KEY, ONE, sealed) == SECRET
    for key, account, text in (
        (KEY, OTHER, sealed),
        (bytes(32), ONE, sealed),
        (KEY, ONE, sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(ValueError, match="sealed"):
            open_secret(key, account, text)
    with pytest.raises(ValueError, match="32 bytes"):
        seal_secret(bytes(31), ONE, SECRET, bytes(NONCE_BYTES))
