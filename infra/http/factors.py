"""The second half of a staff sign-in, as stores and the city offer it: enrol a second factor, show it.

An API's routes are its own, so that each has its rule; what they do is here, once.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from infra.http.browser import CrossSite, Visit
from infra.http.context import Context
from infra.http.staff import ReturningRequest, earlier_session
from infra.http.strict import Answer, Body, Secret
from infra.http.tokens import opening
from services.identity.people import AccountKind
from services.identity.prove_factor import Enrol, FactorGuess, SignedInTwice, enrol, prove_factor
from services.identity.second_factor import (
    AttemptExpired,
    FactorAsked,
    FactorEnrolled,
    FactorNotEnrolled,
    FactorThrottled,
    FactorWrong,
)
from services.identity.tokens import AUDIENCE_OF
from services.kit.errors import Refusal

FACTOR_REFUSALS: tuple[type[Refusal], ...] = (
    AttemptExpired,
    FactorNotEnrolled,
    FactorThrottled,
    FactorWrong,
    CrossSite,
)
ENROLMENT_REFUSALS: tuple[type[Refusal], ...] = (AttemptExpired, FactorEnrolled)
RECOVERY_CODES: Any = Field(
    default=[],
    repr=False,
    description="New ones, when an authenticator was just enrolled: shown this once, each good for one sign-in.",
)


class FactorAskedAnswer(Answer):
    """The password is right; nobody is signed in before `POST /sign-in/second-factor` has seen the second factor."""

    attempt_id: UUID
    ways: list[str] = Field(
        description="What can be shown: `totp`, `recovery_code`, `passkey`. If nothing, enrol first: "
        "`POST /sign-in/second-factor/enrolment`."
    )
    expires_at: datetime


class AttemptRequest(Body):
    """A sign-in whose password was right."""

    attempt_id: UUID


class EnrolmentAnswer(Answer):
    """A secret for an authenticator app; it counts once a code of it was shown."""

    secret: str = Field(repr=False, description="In base32, to be typed into the app.")
    uri: str = Field(repr=False, description="The same as an `otpauth://` address, for a QR code.")


class FactorRequest(ReturningRequest):
    """What the authenticator shows, or a recovery code."""

    attempt_id: UUID
    code: Secret = Field(
        repr=False, description="Six digits, or the sixteen signs of a recovery code, in any grouping."
    )


def factor_asked(asked: FactorAsked) -> FactorAskedAnswer:
    """What a right password is answered where it is not enough."""
    ways = [way.value for way in asked.ways]
    return FactorAskedAnswer(attempt_id=asked.attempt_id, ways=ways, expires_at=asked.expires_at)


async def enrol_factor(here: Context, kind: AccountKind, body: AttemptRequest) -> EnrolmentAnswer:
    """A new secret for whoever has no second factor yet."""
    return EnrolmentAnswer.of(await here.database.transact(enrol, Enrol(kind, body.attempt_id, here.code_key)))


async def show_factor(here: Context, visit: Visit, kind: AccountKind, body: FactorRequest) -> SignedInTwice:
    """Compare what was shown, and open the session."""
    entering = opening(visit, here, body.carrier)
    earlier = earlier_session(visit, AUDIENCE_OF[kind], body)
    guess = FactorGuess(kind, body.attempt_id, body.code, here.code_key, opening=entering, earlier=earlier)
    return await prove_factor(here.database, guess)
