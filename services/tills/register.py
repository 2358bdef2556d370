"""A register: a tablet or a till of one store, at which its staff sign in by PIN.

Law: a register by itself can do one thing, which is to offer who works at its store. What it shows for itself is a
text that follows from its id and a key that the database does not know, so a copied database makes none, and it is
stored nowhere; whether it still counts is asked of the tables each time.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.base64url import base64url, unbase64url
from services.kit.errors import Kind, Refusal
from services.kit.visible import seen_name

TOKEN_PREFIX = "TR1."  # noqa: S105 - the text's kind, no secret
ID_BYTES, SECRET_BYTES = 16, 32
MIN_KEY_BYTES = 32
MAX_NAME_LENGTH = 40
MOST_REGISTERS = 50
"""Of one store that work at a time."""


class RegisterRefused(Refusal):
    """Not a register of ours, or one that was revoked: which, is never told."""

    code = "register_refused"
    kind = Kind.UNAUTHENTICATED


class RegisterNameInvalid(Refusal):
    """Empty, longer than `limit` characters, or with signs that nobody sees."""

    code = "register_name_invalid"


class RegistersTooMany(Refusal):
    """The store has `limit` registers that work; one is revoked before another is enrolled."""

    code = "registers_too_many"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Register:
    """A register of a store; from `revoked_at` on nobody signs in there."""

    id: UUID
    store_id: UUID
    name: str
    enrolled_by: UUID
    enrolled_at: datetime
    revoked_at: datetime | None


def register_name(text: str) -> str:
    """What the store calls it, such as 「1番レジ」. Raises `RegisterNameInvalid`."""
    name = seen_name(text, MAX_NAME_LENGTH)
    if name is None:
        raise RegisterNameInvalid(limit=MAX_NAME_LENGTH)
    return name


def register_token(key: bytes, register_id: UUID) -> str:
    """What the register shows for itself: its id and 256 bits that follow from it."""
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key of registers has at least 32 bytes")
    secret = hmac.digest(key, b"tanabata register\0" + register_id.bytes, "sha256")
    return TOKEN_PREFIX + base64url(register_id.bytes + secret)


def read_register_token(key: bytes, text: str) -> UUID:
    """The register that shows this text. Raises `RegisterRefused`."""
    try:
        content = unbase64url(text.removeprefix(TOKEN_PREFIX))
    except ValueError as error:
        raise RegisterRefused from error
    if len(content) != ID_BYTES + SECRET_BYTES:
        raise RegisterRefused
    register_id = UUID(bytes=content[:ID_BYTES])
    if not hmac.compare_digest(register_token(key, register_id).encode(), text.encode()):
        raise RegisterRefused
    return register_id
