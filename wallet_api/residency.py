"""Prove where one lives by the code in the city's letter, and see what one has proven."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from infra.http.apps import router
from infra.http.auth import Resident
from infra.http.context import Context, Here
from infra.http.openapi import refuses
from infra.http.residents import BirthDate, DetailsAnswer, OutcomeAnswer
from infra.http.strict import Answer, Body, Name, Secret, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.kit.db import Tx
from services.residency import read
from services.residency.prove import LetterGuess, prove_by_letter
from services.residency.prove_by_service import BeginAttempt, CameBack, begin, prove_by_service
from services.residency.residency import Residency, ResidencyNotMatched, ResidencyOfOther, ResidencyThrottled
from services.residency.sign_in_service import (
    MAX_CODE_LENGTH,
    LivesElsewhere,
    SignInService,
    SignInServiceAbsent,
    SignInServiceRefused,
    SignInServiceSilent,
    secrets_of,
)
from wallet_api.wallets import Mine, own_wallet

routes = router("residency")


class OwnResidencyAnswer(Answer):
    """What the wallet's person has proven; nothing yet where `details` is null."""

    proven: bool
    how: str | None = Field(description="`registry`, `counter` or `oidc`.")
    proven_at: datetime | None
    details: DetailsAnswer | None


class LetterRequest(Body):
    """The name and birth date of the person, and the code in the letter to them."""

    name: Name = Field(repr=False)
    birth_date: BirthDate = Field(repr=False)
    code: ShortText = Field(repr=False, description="Ten signs; case, width, spaces and hyphens are forgiven.")


class AttemptAnswer(Answer):
    """Where to go, and which attempt it is when one comes back."""

    attempt_id: UUID
    address: str = Field(description="The page of the sign-in service; open it in the person's browser.")
    expires_at: datetime


class CameBackRequest(Body):
    """What the service sent the browser back with."""

    state: Secret = Field(repr=False)
    code: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_CODE_LENGTH)] = Field(repr=False)


@dataclass(frozen=True)
class _Person:
    person_id: UUID


@routes.get("/wallets/{wallet_id}/residency")
async def get_own_residency(wallet_id: UUID, token: Resident, here: Here) -> OwnResidencyAnswer:
    """What was proven of the wallet's person."""
    found = await here.database.transact(_read, Mine(wallet_id, token.account_id))
    if found is None:
        return OwnResidencyAnswer(proven=False, how=None, proven_at=None, details=None)
    details = DetailsAnswer.told(found.details)
    return OwnResidencyAnswer(proven=True, how=found.how.value, proven_at=found.proven_at, details=details)


@routes.post(
    "/wallets/{wallet_id}/residency/letter",
    responses=refuses(*NUMBER_REFUSALS, ResidencyNotMatched, ResidencyOfOther, ResidencyThrottled),
)
async def prove_by_own_letter(wallet_id: UUID, body: LetterRequest, token: Resident, here: Here) -> OutcomeAnswer:
    """Prove by the letter. A wrong try is not told apart from an unknown name; five tries a day.

    It needs no `Idempotency-Key`: proven once more, it is proven.
    """
    person = await here.database.transact(_find, Mine(wallet_id, token.account_id))
    guess = LetterGuess(token.account_id, person.person_id, body.name, body.birth_date, body.code, here.code_key)
    return OutcomeAnswer.told(await prove_by_letter(here.database, guess))


@routes.post("/wallets/{wallet_id}/residency/service", responses=refuses(SignInServiceAbsent, SignInServiceSilent))
async def go_to_the_service(wallet_id: UUID, token: Resident, here: Here) -> AttemptAnswer:
    """Begin to prove by the government's sign-in service (My Number card); it takes ten minutes at most.

    It needs no `Idempotency-Key`: an attempt that nobody finishes does nothing.
    """
    service = _service(here)
    person = await here.database.transact(_find, Mine(wallet_id, token.account_id))
    attempt = await here.database.transact(begin, BeginAttempt(token.account_id, person.person_id))
    address = await service.address(secrets_of(here.code_key, attempt.id))
    return AttemptAnswer(attempt_id=attempt.id, address=address, expires_at=attempt.expires_at)


@routes.post(
    "/wallets/{wallet_id}/residency/service/{attempt_id}",
    responses=refuses(SignInServiceAbsent, SignInServiceRefused, SignInServiceSilent, LivesElsewhere, ResidencyOfOther),
)
async def come_back_from_the_service(
    wallet_id: UUID, attempt_id: UUID, body: CameBackRequest, token: Resident, here: Here
) -> OutcomeAnswer:
    """Finish an attempt with what the service sent back. It works once, for the account that began it."""
    service = _service(here)
    person = await here.database.transact(_find, Mine(wallet_id, token.account_id))
    back = CameBack(attempt_id, token.account_id, person.person_id, body.state, body.code, here.code_key)
    return OutcomeAnswer.told(await prove_by_service(here.database, service, back))


def _service(here: Context) -> SignInService:
    if here.sign_in_service is None:
        raise SignInServiceAbsent
    return here.sign_in_service


async def _find(tx: Tx, mine: Mine) -> _Person:
    return _Person((await own_wallet(tx, mine)).person_id)


async def _read(tx: Tx, mine: Mine) -> Residency | None:
    return await read.residency(tx, (await own_wallet(tx, mine)).person_id)
