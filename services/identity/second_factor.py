"""What stands between a right password and a session: an attempt, and something that only its owner has.

Law: an attempt is one sign-in: it lives ten minutes, works once, and is worth nothing without the second
factor. Guesses are counted for the account, over all its attempts, or a new attempt would buy new guesses.
Source: RELIABILITY.md section 3 (staff need a second factor; the attempt is bound).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.identity.people import Account
from services.kit.errors import Kind, Refusal

LIFETIME = timedelta(minutes=10)
TRIES, WINDOW = 5, timedelta(hours=1)
"""Wrong codes for one account in a window, and for each client that had signed in there before."""


class AttemptExpired(Refusal):
    """Unknown, used, too old, or its account has changed: the three are not told apart. Sign in again."""

    code = "attempt_expired"
    kind = Kind.UNAUTHENTICATED


class FactorWrong(Refusal):
    """Not the code of now, one that was used, or no code at all: which it is, is never told."""

    code = "second_factor_wrong"
    kind = Kind.UNAUTHENTICATED


class FactorThrottled(Refusal):
    """Too many wrong codes; again in `retry_after_seconds`."""

    code = "second_factor_throttled"
    kind = Kind.THROTTLED


class FactorEnrolled(Refusal):
    """The account has its second factor already; another comes after signing in, or after the office's reset."""

    code = "second_factor_enrolled"
    kind = Kind.CONFLICT


class FactorNotEnrolled(Refusal):
    """There is no second factor yet: enrol one with this attempt first."""

    code = "second_factor_not_enrolled"
    kind = Kind.CONFLICT


class Way(StrEnum):
    """What can be shown as the second factor."""

    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    PASSKEY = "passkey"


@dataclass(frozen=True)
class FactorAsked:
    """A right password: what it still needs. No `ways` means that one has to be enrolled with this attempt."""

    attempt_id: UUID
    account: Account
    ways: tuple[Way, ...]
    expires_at: datetime


@dataclass(frozen=True)
class Enrolment:
    """A new secret for an authenticator app; it counts once a code of it was shown."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def counted_as(account_id: UUID, session_id: UUID | None) -> str:
    """Under which name an account's wrong codes are counted: apart for a client that was here before."""
    return f"second factor {account_id}" + ("" if session_id is None else f" {session_id}")
