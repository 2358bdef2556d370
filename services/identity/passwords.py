"""Passwords: argon2id, a length that resists guessing, and none that everybody tries first.

Law: what is stored can only be tried, never read, and an address that does not exist costs
as much to try as one that does. Nothing here knows where hashing runs; `hashing.py` does.
Source: RFC 9106 section 4 (argon2id, second recommended option); NIST SP 800-63B section
5.1.1.2 (length instead of composition rules, normalisation, a list of known ones: zxcvbn's).
"""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from services.kit.errors import Kind, Refusal

MIN_LENGTH, MAX_LENGTH = 12, 128
SALT_BYTES = 16
MIN_DISTINCT = 5
MIN_NAME_IN_PASSWORD = 4
TRIES, WINDOW = 10, timedelta(minutes=15)
"""Wrong passwords for one address in a window (twice as many around its end), and for each client that
had signed in there before: a stranger who guesses keeps out only who comes for the first time."""

SPREAD_TRIES, SPREAD_WINDOW = 20, timedelta(hours=1)
"""Wrong tries of one password over all addresses in a window: who tries one on everybody is stopped here."""
SPREAD_BUCKETS = 65_536
MIN_SPREAD_KEY_BYTES = 32

_WORDS = (
    "password passwort passw0rd p@ssword p@ssw0rd pass pasuwado qwerty qwertyuiop asdfgh asdfghjkl zxcvbn "
    "admin administrator root user guest test tester welcome letmein changeme default secret login master "
    "iloveyou sunshine princess dragon monkey football baseball superman batman trustno hello computer "
    "internet samsung google apple windows sakura hiratsuka tanabata starlight nihon japan tokyo kanagawa "
    "qazwsx qazwsxedc qweasd qweasdzxc abc abcd abcdef aa temp temporary office officer clerk store shop"
)
_WHOLE = (
    "1q2w3e4r5t6y 1q2w3e4r5t6y7u q1w2e3r4t5y6 1qaz2wsx3edc 1qaz2wsx3edc4rfv zaq12wsxcde3 "
    "zaq1xsw2cde3 zaq1zaq1zaq1 correcthorsebatterystaple thequickbrownfox ilovejesus123 "
    "unknown12345 qwe123qwe123 abc123abc123 a1b2c3d4e5f6 1a2b3c4d5e6f 123qwe123qwe 1234qwerasdf "
    "qwer1234asdf asdf1234qwer q1w2e3r4t5y6u7i8 qwertyasdfgh passwordqwerty password1password"
)
_LEAKED = FREQUENCY_LISTS["passwords"]
"""30,000 passwords of leaks, the commonest first."""
_LEAKED_WORDS = 3_000
_SHORTEST_WORD = 4
"""Of the commonest, those of letters count as words as well: with a year behind them they are tried, too."""
_COMMON_WORDS = frozenset(_WORDS.split()) | {
    word for word in _LEAKED[:_LEAKED_WORDS] if len(word) >= _SHORTEST_WORD and word.isalpha()
}
_COMMON = frozenset(_WHOLE.split()) | frozenset(_LEAKED)
_ROWS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


class PasswordTooShort(Refusal):
    """Fewer than `minimum` characters."""

    code = "password_too_short"


class PasswordTooLong(Refusal):
    """More than `maximum` characters, or one that no keyboard makes."""

    code = "password_too_long"


class PasswordGuessable(Refusal):
    """Among the first that a stranger would try: a common one, a simple row, the address itself."""

    code = "password_guessable"


class PasswordUnchanged(Refusal):
    """The new password is the old one."""

    code = "password_unchanged"


class SignInRefused(Refusal):
    """Address and password do not belong together; which of the two is wrong is never told."""

    code = "sign_in_refused"
    kind = Kind.UNAUTHENTICATED


class SignInThrottled(Refusal):
    """Too many wrong passwords for this address; again in `retry_after_seconds`."""

    code = "sign_in_throttled"
    kind = Kind.THROTTLED


@dataclass(frozen=True)
class PasswordCost:
    """What one hash costs: passes over the memory, kibibytes of memory, parallel lanes."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


RECOMMENDED = PasswordCost()
"""RFC 9106's second option: 64 MiB, about 50 to 150 ms."""

CHEAPEST = PasswordCost(passes=1, memory_kib=8, lanes=1)
"""What argon2 permits at least, for tests and simulations with invented people only."""


def check_new_password(password: str, email: str) -> None:
    """Refuse a password that is too short, too long, or easily guessed for this address.

    Raises `PasswordTooShort`, `PasswordTooLong`, `PasswordGuessable`.
    """
    if len(password) > MAX_LENGTH:
        raise PasswordTooLong(maximum=MAX_LENGTH)
    known = unicodedata.normalize("NFKC", password)
    if len(known) < MIN_LENGTH:
        raise PasswordTooShort(minimum=MIN_LENGTH)
    if len(known) > MAX_LENGTH:
        raise PasswordTooLong(maximum=MAX_LENGTH)
    folded = known.casefold()
    local = email.partition("@")[0].casefold()
    holds_address = len(local) >= MIN_NAME_IN_PASSWORD and local in folded
    if holds_address or len(set(folded)) < MIN_DISTINCT or folded in _COMMON or _is_simple(folded):
        raise PasswordGuessable


def hash_password(password: str, cost: PasswordCost, salt: bytes) -> str:
    """The argon2id hash in PHC form, from a salt of `SALT_BYTES` random bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has SALT_BYTES bytes")
    return _hasher(cost).hash(_bytes(password), salt=salt)


def password_fits(stored: str | None, password: str, cost: PasswordCost) -> bool:
    """Whether `password` made the `stored` hash; without one, the same work is done for nothing.

    A password longer than any that can be set is tried in its first characters, which
    cannot fit, so that its length tells nothing either.
    """
    tried = password if len(password) <= MAX_LENGTH else password[:MAX_LENGTH]
    try:
        fits = _hasher(cost).verify(stored or _hash_of_nobody(cost), _bytes(tried))
    except (VerificationError, InvalidHashError):
        return False
    return fits and stored is not None and len(password) <= MAX_LENGTH


def tries_of(email: str, session_id: UUID | None) -> str:
    """Under which name tries at an address are counted: apart for a client that had signed in there before."""
    return email if session_id is None else f"{email} {session_id}"


def spread_bucket(key: bytes, password: str) -> int:
    """Where tries of a password are counted over all addresses, without keeping what was typed.

    One of so few buckets, found by an HMAC, says next to nothing of a password; and as few buckets bound
    what a guesser can make us write. Two passwords share one by chance once in 65,536.
    """
    if len(key) < MIN_SPREAD_KEY_BYTES:
        raise ValueError("the key of buckets has at least 32 bytes")
    digest = hmac.digest(key, b"tanabata password spread\0" + _bytes(password), "sha256")
    return int.from_bytes(digest[:8]) % SPREAD_BUCKETS


def wait_seconds(window_began_at: datetime, now: datetime, window: timedelta = WINDOW) -> int:
    """Whole seconds until the window of tries is over, at least one."""
    return max(1, -(-(window_began_at + window - now) // timedelta(seconds=1)))


@lru_cache(maxsize=8)
def _hasher(cost: PasswordCost) -> PasswordHasher:
    return PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)


@lru_cache(maxsize=8)
def _hash_of_nobody(cost: PasswordCost) -> str:
    return _hasher(cost).hash(b"nobody has this password", salt=bytes(SALT_BYTES))


def _bytes(password: str) -> bytes:
    """NFKC in UTF-8, so that every keyboard spells it alike; half a surrogate pair is kept as it is."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _is_simple(folded: str) -> bool:
    """A common word with digits and signs around it or repeated, or a walk along a row of keys."""
    core = folded.strip("0123456789!?#$%&*+-_.,:;/\\@()[]{}<>=~^ ")
    words = {core[:length] for length in range(1, len(core) + 1) if core == core[:length] * (len(core) // length)}
    if not core or words & _COMMON_WORDS:
        return True
    rows = [direction for row in _ROWS for direction in (row, row[::-1])]
    return any(folded in row for row in rows)
