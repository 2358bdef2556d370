"""Sessions: what a sign-in opens, and the refresh token that keeps it open.

Law: a refresh token works once. It has two halves: the family's, the same for as long as the session
lives, and the turn's, which each refresh replaces. Both are kept as hashes. A token with the right family
and a turn that is over was copied, by whoever sent it or whoever sent it first: the session ends. A token
of a foreign family is nothing, so that nobody can end a session by inventing tokens for it.

The next turn follows from this one, the name that the client gave its request, and a secret of ours. So a
client whose answer was lost sends the same request again and gets the same token, once the turn is over as
well; whoever copied the token does not know the name, and is found out. Nothing else is forgiven.
Source: RFC 9700 section 4.14.2 (rotation, reuse ends the family).
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from uuid import UUID

from services.identity.people import AccountKind
from services.kit.base64url import base64url, unbase64url
from services.kit.errors import Kind, Refusal

ID_BYTES, FAMILY_BYTES, TURN_BYTES = 16, 16, 32
ENTROPY_BYTES = FAMILY_BYTES + TURN_BYTES
MIN_SECRET_BYTES = 32
MAX_CLIENT_LENGTH = 200
TOKEN_CHARACTERS = 86
RETRY = timedelta(hours=24)
"""How long a client that lost its answer may send the same request again."""
NEW_PHONE = timedelta(hours=24)
"""How long a phone counts as new: time for its owner to read the notice and have it blocked."""
MOST_OPEN = 50
"""Open sessions of one account; the one that was refreshed longest ago makes room for another."""


class SessionEnded(Refusal):
    """The sign-in is over: signed out, ended by the office, or not refreshed for too long."""

    code = "session_ended"
    kind = Kind.UNAUTHENTICATED


class RefreshRefused(Refusal):
    """Not a refresh token of ours for this API; why is not told."""

    code = "refresh_refused"
    kind = Kind.UNAUTHENTICATED


class RefreshReused(Refusal):
    """This refresh token was used before: somebody has a copy, so the session has ended for everybody."""

    code = "refresh_reused"
    kind = Kind.UNAUTHENTICATED


class Carrier(StrEnum):
    """What carries a session's tokens: a program of the client's, or cookies that no script can read."""

    BEARER = "bearer"
    COOKIE = "cookie"


class EndedAs(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    CROWDED_OUT = "crowded_out"
    REFRESH_REUSED = "refresh_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason
    ACCOUNT_DISABLED = "account_disabled"
    FACTOR_RESET = "factor_reset"
    PASSKEY_CLONED = "passkey_cloned"
    PHONE_LOST = "phone_lost"
    BY_OFFICE = "by_office"
    SWITCHED = "switched"
    PIN_TAKEN = "pin_taken"
    REGISTER_REVOKED = "register_revoked"


@dataclass(frozen=True)
class Life:
    """How long a session lives without a refresh, and at most."""

    idle: timedelta
    longest: timedelta


LIVES = {
    AccountKind.RESIDENT: Life(timedelta(days=90), timedelta(days=365)),
    AccountKind.MERCHANT: Life(timedelta(days=14), timedelta(days=90)),
    AccountKind.CITY: Life(timedelta(hours=1), timedelta(hours=12)),
}
"""A resident signs in about once a year, a store once a quarter, the city's staff every working day."""


AT_REGISTER = Life(timedelta(minutes=10), timedelta(hours=12))
"""At a store's register, by PIN: idle is who does nothing there; refreshing alone keeps nobody signed in."""


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token as it was sent."""

    session_id: UUID
    family: bytes = field(repr=False)
    turn: bytes = field(repr=False)


@dataclass(frozen=True)
class Kept:
    """A session as it is kept, with what its account is now."""

    id: UUID
    account_id: UUID
    kind: AccountKind
    active: bool
    carrier: Carrier
    family_hash: bytes = field(repr=False)
    turn_hash: bytes = field(repr=False)
    refreshed_at: datetime
    expires_at: datetime
    latest_at: datetime
    ended: bool
    register_id: UUID | None = None


@dataclass(frozen=True)
class OpenedSession:
    """A session that goes on, and the one token that refreshes it next.

    `new_client`: it has just been opened where the account had none before, and its owner is to be told.
    """

    id: UUID
    carrier: Carrier
    refresh_token: str = field(repr=False)
    expires_at: datetime
    new_client: bool = False


@dataclass(frozen=True)
class NewPhone:
    """Until when a phone that is new to its account pays at most `limit_yen` at once."""

    until: datetime
    limit_yen: int


@dataclass(frozen=True)
class Session:
    """A session as its account sees it; `client` is what the client said of itself."""

    id: UUID
    carrier: Carrier
    client: str
    opened_at: datetime
    refreshed_at: datetime
    expires_at: datetime


class Verdict(Enum):
    """What a refresh token is worth."""

    TURNS = "the next turn begins"
    REPEATS = "this very request was answered already; the same answer again"
    ENDED = "the session is over"
    REUSED = "a turn that is over: somebody has a copy"
    NOTHING = "no token of this family"


def new_token(session_id: UUID, entropy: bytes) -> RefreshToken:
    """The first token of a session, from `ENTROPY_BYTES` random bytes."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError("a refresh token is made of exactly ENTROPY_BYTES random bytes")
    return RefreshToken(session_id, entropy[:FAMILY_BYTES], entropy[FAMILY_BYTES:])


def next_token(secret: bytes, token: RefreshToken, name: UUID) -> RefreshToken:
    """The token that follows this one in a request of that name; nobody without our secret can tell it."""
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError("the secret of sessions has at least 32 bytes")
    content = b"tanabata refresh\0" + token.session_id.bytes + token.turn + name.bytes
    return RefreshToken(token.session_id, token.family, hmac.digest(secret, content, "sha256"))


def write_token(token: RefreshToken) -> str:
    return base64url(token.session_id.bytes + token.family + token.turn)


def read_token(text: str) -> RefreshToken:
    """Raises `RefreshRefused` for what has not exactly the form of ours."""
    if len(text) != TOKEN_CHARACTERS or not text.isascii():
        raise RefreshRefused
    try:
        content = unbase64url(text)
    except ValueError as error:
        raise RefreshRefused from error
    family, turn = content[ID_BYTES:][:FAMILY_BYTES], content[ID_BYTES + FAMILY_BYTES :]
    return RefreshToken(UUID(bytes=content[:ID_BYTES]), family, turn)


def reminder(text: str) -> str:
    """What reminds us of a session that may be over: its token without a turn. It refreshes nothing.

    A client that shows it at a new sign-in is told from a stranger who guesses at the same address.
    """
    return write_token(replace(read_token(text), turn=bytes(TURN_BYTES)))


def hash_of(half: bytes) -> bytes:
    """How one half of a token is kept: at least 128 random bits need no salt and no slowness."""
    return hashlib.sha256(half).digest()


def client_name(text: str) -> str:
    """What a client says of itself, for its owner's eye: printable, at most 200 characters."""
    return "".join(sign for sign in text if sign.isprintable())[:MAX_CLIENT_LENGTH]


def begins(kind: AccountKind, opened_at: datetime, *, at_register: bool = False) -> tuple[datetime, datetime]:
    """When a new session expires unless it is refreshed (at a register: used), and when in any case."""
    life = AT_REGISTER if at_register else LIVES[kind]
    return opened_at + min(life.idle, life.longest), opened_at + life.longest


def goes_on(kept: Kept, now: datetime) -> datetime:
    """When a session that is refreshed now expires unless it is refreshed again."""
    if kept.register_id is not None:
        return kept.expires_at
    return min(idle_until(kept.kind, now), kept.latest_at)


def idle_until(kind: AccountKind, now: datetime) -> datetime:
    """When a session that is refreshed now is idle for too long, unless it is over before."""
    return now + LIVES[kind].idle


def judge(kept: Kept, token: RefreshToken, follower: RefreshToken, now: datetime) -> Verdict:
    """What a token is worth now; `follower` is its `next_token` under the name of this request."""
    if not hmac.compare_digest(kept.family_hash, hash_of(token.family)):
        return Verdict.NOTHING
    if kept.ended or not kept.active or now >= kept.expires_at:
        return Verdict.ENDED
    if hmac.compare_digest(kept.turn_hash, hash_of(token.turn)):
        return Verdict.TURNS
    if hmac.compare_digest(kept.turn_hash, hash_of(follower.turn)) and now < kept.refreshed_at + RETRY:
        return Verdict.REPEATS
    return Verdict.REUSED
