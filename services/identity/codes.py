"""One-time codes by SMS: six digits, five minutes, five tries, one use.

Law: a code is kept only as an HMAC under a key that the database does not know, bound to
the one attempt it was made for, so that a stolen table tells no code. With five tries a code and
five codes an hour a guesser meets a phone's code about once in 40,000 hours.
Source: RELIABILITY.md section 3 (once, at most 10 minutes, bound to the attempt); RFC 4226
section 7.3 (throttling).
"""

import hmac
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.kit.errors import Kind, Refusal

DIGITS = 6
ENTROPY_BYTES = 8
"""64 random bits reduced to 10^6 codes: the likeliest code leads the unlikeliest by 1 in 10^13."""

LIFETIME = timedelta(minutes=5)
TRIES = 5
PAUSE = timedelta(seconds=30)
"""Between two codes to one phone: an SMS takes seconds, and a second one only confuses."""
PERIOD = timedelta(hours=1)
CODES_A_PERIOD = 5
MIN_KEY_BYTES = 32
MAX_TYPED_LENGTH = 32


class CodeMalformed(Refusal):
    """Not six digits; no try is lost."""

    code = "code_malformed"


class CodeWrong(Refusal):
    """Another code was sent; `tries_left` more guesses at this one."""

    code = "code_wrong"
    kind = Kind.UNAUTHENTICATED


class CodeExpired(Refusal):
    """Too old, used, or never sent: the three are not told apart. A new one helps."""

    code = "code_expired"
    kind = Kind.UNAUTHENTICATED


class CodeExhausted(Refusal):
    """Guessed at too often; only a new code helps."""

    code = "code_exhausted"
    kind = Kind.UNAUTHENTICATED


class CodeThrottled(Refusal):
    """Codes were sent to this phone just now; the next may be asked for in `retry_after_seconds`."""

    code = "code_throttled"
    kind = Kind.THROTTLED


def make_code(entropy: bytes) -> str:
    """Six digits from `ENTROPY_BYTES` random bytes; equal bytes give an equal code."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError("a code is made of exactly ENTROPY_BYTES random bytes")
    return f"{int.from_bytes(entropy) % 10**DIGITS:0{DIGITS}d}"


def read_code(text: str) -> str:
    """The six digits of a code as typed, in any width, with spaces or a hyphen between.

    Raises `CodeMalformed`.
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_TYPED_LENGTH])
    digits = "".join(sign for sign in folded if not sign.isspace() and sign not in "-ー")
    if len(text) > MAX_TYPED_LENGTH or len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise CodeMalformed
    return digits


def code_mac(key: bytes, attempt_id: UUID, code: str) -> bytes:
    """HMAC-SHA256 of the attempt and its code. Raises ValueError for a key that is too short."""
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key of one-time codes has at least 32 bytes")
    return hmac.digest(key, attempt_id.bytes + code.encode(), "sha256")


def code_fits(key: bytes, attempt_id: UUID, code: str, stored: bytes) -> bool:
    """Whether this is the code of that attempt, in the same time for every wrong one."""
    return hmac.compare_digest(code_mac(key, attempt_id, code), stored)


def wait_seconds(sent_at: Sequence[datetime], now: datetime) -> int:
    """Whole seconds until another code may go to a phone that got codes at `sent_at`; 0 if now."""
    recent = sorted(instant for instant in sent_at if instant > now - PERIOD)
    waits = []
    if recent:
        waits.append(recent[-1] + PAUSE - now)
    if len(recent) >= CODES_A_PERIOD:
        waits.append(recent[-CODES_A_PERIOD] + PERIOD - now)
    longest = max(waits, default=timedelta(0))
    return max(0, -(-longest // timedelta(seconds=1)))
