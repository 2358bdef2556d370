"""A clerk's PIN: four to six digits, chosen by the clerk, good at their store's registers only.

Law: what is kept is argon2id of an HMAC under a key that the database does not know: argon2id alone would only slow
down the ten thousand tries that four digits are. PINs that everybody tries first are refused when they are chosen.
Tries are counted for a clerk at a register before they are compared, and a count passes by itself: a prankster keeps
a clerk out of one register for a while, never for good, and out of no other.
Source: NIST SP 800-63B section 5.1.1.2 (a list of common secrets: zxcvbn's); section 5.2.2 (throttling).
"""

import hashlib
import hmac
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from services.identity.recovery import make_code, read_recovery_code
from services.kit.errors import Kind, Refusal

SHORTEST, LONGEST = 4, 6
MIN_KEY_BYTES = 32
CODE_BYTES = 10
INVITED_FOR = timedelta(hours=24)
"""How long an invitation to choose a PIN is good."""
SPANS = {"short": (5, timedelta(minutes=15)), "day": (20, timedelta(hours=24))}
"""Wrong PINs of one clerk at one register: at most so many in each of these windows."""

_COMMON = frozenset(
    word for word in FREQUENCY_LISTS["passwords"] if word.isascii() and word.isdigit() and len(word) <= LONGEST
)
"""What was found most often in leaks: sequences, years, birthdays of famous people."""


class ClerkPinInvalid(Refusal):
    """Not `shortest` to `longest` digits; no try is lost."""

    code = "clerk_pin_invalid"


class ClerkPinGuessable(Refusal):
    """Among the first that somebody would try: one digit repeated, digits in a row, a year, a common one."""

    code = "clerk_pin_guessable"


class ClerkPinWrong(Refusal):
    """Clerk and PIN do not belong together; whether the clerk has one is not told."""

    code = "clerk_pin_wrong"
    kind = Kind.UNAUTHENTICATED


class ClerkPinThrottled(Refusal):
    """Too many wrong PINs of this clerk at this register; again in `retry_after_seconds`."""

    code = "clerk_pin_throttled"
    kind = Kind.THROTTLED


class PinInvitationRefused(Refusal):
    """Not the code of an invitation that still holds: mistyped, used, too old, or another has taken its place."""

    code = "pin_invitation_refused"
    kind = Kind.UNAUTHENTICATED


def read_pin(typed: str) -> str:
    """Digits as typed. Raises `ClerkPinInvalid`."""
    if not SHORTEST <= len(typed) <= LONGEST or not (typed.isascii() and typed.isdigit()):
        raise ClerkPinInvalid(shortest=SHORTEST, longest=LONGEST)
    return typed


def new_pin(typed: str) -> str:
    """A PIN that somebody chose. Raises `ClerkPinInvalid` and `ClerkPinGuessable`."""
    pin = read_pin(typed)
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    halves = {pin[:size] for size in (1, 2, 3) if len(pin) % size == 0 and pin == pin[:size] * (len(pin) // size)}
    is_year = len(pin) == SHORTEST and pin[:2] in {"19", "20"}
    if len(steps) == 1 or halves or is_year or pin in _COMMON:
        raise ClerkPinGuessable
    return pin


def peppered(key: bytes, store_id: UUID, account_id: UUID, pin: str) -> str:
    """What is hashed and compared in place of the PIN, another for each store and clerk."""
    return _mac(key, b"tanabata clerk pin\0" + store_id.bytes + account_id.bytes + pin.encode()).hex()


def invitation_code(key: bytes, invitation_id: UUID) -> str:
    """The code of an invitation, like `4GX2-9KQM-7T0P-ZB3H`; it follows from the invitation and is kept nowhere."""
    return make_code(_mac(key, b"tanabata pin invitation\0" + invitation_id.bytes)[:CODE_BYTES])


def invites(key: bytes, invitation_id: UUID, typed: str) -> bool:
    """Whether this is the invitation's code, in any width, case and grouping."""
    signs, right = read_recovery_code(typed), invitation_code(key, invitation_id).replace("-", "")
    return signs is not None and hmac.compare_digest(signs.encode(), right.encode())


def pair_of(register_id: UUID, account_id: UUID) -> UUID:
    """What the tries of one clerk at one register are counted under."""
    return UUID(bytes=hashlib.sha256(register_id.bytes + account_id.bytes).digest()[:16])


def _mac(key: bytes, content: bytes) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key of PINs has at least 32 bytes")
    return hmac.digest(key, content, "sha256")
