"""Recovery codes: printed once, kept as HMACs, each good for one sign-in without the authenticator.

Law: a code has 80 random bits, so that nobody guesses one, and is kept under a key that the database does not
know. It is read as people copy it: in any width and case, with a letter O for a zero and an I or L for a one.
"""

import hmac
import unicodedata
from uuid import UUID

from services.kit.numbers import ALPHABET

CODES = 10
CODE_BYTES = 10
LENGTH, GROUP = 16, 4
ENTROPY_BYTES = CODES * CODE_BYTES
MIN_KEY_BYTES = 32
MAX_TYPED_LENGTH = 40
_ALIKE = str.maketrans("OIL", "011")


def make_recovery_codes(entropy: bytes) -> tuple[str, ...]:
    """Ten codes from `ENTROPY_BYTES` random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError("recovery codes are made of exactly ENTROPY_BYTES random bytes")
    return tuple(make_code(entropy[at : at + CODE_BYTES]) for at in range(0, ENTROPY_BYTES, CODE_BYTES))


def make_code(noise: bytes) -> str:
    """A code like `4GX2-9KQM-7T0P-ZB3H` from `CODE_BYTES` random bytes."""
    if len(noise) != CODE_BYTES:
        raise ValueError("a code is made of exactly CODE_BYTES random bytes")
    number = int.from_bytes(noise)
    signs = "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH))
    return "-".join(signs[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def read_recovery_code(text: str) -> str | None:
    """The sixteen signs of a code as typed; None for what cannot be one."""
    if len(text) > MAX_TYPED_LENGTH:
        return None
    folded = unicodedata.normalize("NFKC", text).upper()
    signs = "".join(sign for sign in folded if not sign.isspace() and sign not in "-ー").translate(_ALIKE)
    return signs if len(signs) == LENGTH and set(signs) <= set(ALPHABET) else None


def recovery_mac(key: bytes, account_id: UUID, code: str) -> bytes:
    """HMAC-SHA256 of the account and its code without hyphens."""
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key of recovery codes has at least 32 bytes")
    return hmac.digest(key, b"tanabata recovery code" + account_id.bytes + code.replace("-", "").encode(), "sha256")
