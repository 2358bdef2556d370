"""Time-based one-time passwords of an authenticator app: six digits, thirty seconds, each used once.

Law: a step of time that was used, and every one before it, is over: a code that somebody read over a shoulder
or from the line is worth nothing once its owner has signed in. One step before and after the instant is
forgiven, for phones whose clocks are off. The secret is kept sealed under a key that the database does not know.
Source: RFC 6238 (SHA-1, 30 s, and section 5.2: one use, one step of delay); RFC 4226 section 4 (160 bits).
"""

import base64
import hmac
from datetime import datetime
from uuid import UUID

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STEP_SECONDS = 30
FORGIVEN_STEPS = 1
SECRET_BYTES, NONCE_BYTES = 20, 12
MIN_KEY_BYTES = 32
ISSUER = "Tanabata"


def secret_text(secret: bytes) -> str:
    """The secret in base32, as authenticator apps take it: 32 letters and digits."""
    return base64.b32encode(secret).decode("ascii")


def enrolment_uri(secret: bytes, email: str, issuer: str = ISSUER) -> str:
    """The `otpauth://` address that an app reads from a QR code."""
    return pyotp.TOTP(secret_text(secret), interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name=issuer)


def code_at(secret: bytes, step: int) -> str:
    """The six digits of a step of time (whole half minutes since 1970)."""
    return pyotp.HOTP(secret_text(secret)).at(step)


def step_of(instant: datetime) -> int:
    """The step of time that an instant lies in."""
    return int(instant.timestamp()) // STEP_SECONDS


def fitting_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step whose code this is, of the one at `now` and its neighbours; every one of them is compared."""
    middle = step_of(now)
    steps = range(middle - FORGIVEN_STEPS, middle + FORGIVEN_STEPS + 1)
    fitting = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code.encode())]
    return max(fitting, default=None)


def seal_secret(key: bytes, account_id: UUID, secret: bytes, nonce: bytes) -> bytes:
    """The secret as it is kept: AES-256-GCM, bound to its account. Raises ValueError for a key that is too short."""
    return nonce + _cipher(key).encrypt(nonce, secret, account_id.bytes)


def open_secret(key: bytes, account_id: UUID, sealed: bytes) -> bytes:
    """The secret again. Raises ValueError for one that was altered, or sealed for another account."""
    try:
        return _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], account_id.bytes)
    except InvalidTag as error:
        raise ValueError("a sealed secret is not what was sealed") from error


def _cipher(key: bytes) -> AESGCM:
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key of sealed secrets has at least 32 bytes")
    return AESGCM(hmac.digest(key, b"tanabata totp secrets", "sha256"))
