"""What people proved, at the counter or otherwise; and second proofs of the same, which an officer decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import CityStaff, Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.residents import BirthDate, DetailsAnswer, OutcomeAnswer
from infra.http.strict import Answer, Body, Name, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import LookLimits, TooManyLooks
from services.kit.db import Tx
from services.residency import read
from services.residency.prove import AtTheCounter, prove_at_counter
from services.residency.record import DecideClaim, decide
from services.residency.residency import (
    Claim,
    ClaimDecided,
    ClaimIsSamePerson,
    ClaimStatus,
    Outcome,
    Residency,
    ResidencyDetailsInvalid,
    ResidencyOfOther,
)
from services.wallets.read import person_of_number

routes = router("residency")

Why = Annotated[Reason, Query(description="Why one looks, such as what the resident asked for.")]


class ProvenAnswer(Answer):
    """What a person has proven; nothing yet where `details` is null."""

    how: str | None = Field(description="`registry`, `counter` or `oidc`.")
    proven_at: datetime | None
    details: DetailsAnswer | None


class CounterRequest(Body):
    """Who stands at the counter, as their paper says it. A 個人番号 is neither asked for nor kept."""

    name: Name
    kana: Name
    birth_date: BirthDate
    postal_code: ShortText
    evidence: Reason = Field(description="What was shown.", examples=["driving licence"])


class ClaimLine(Answer):
    """A second proof, without anybody's name."""

    id: UUID
    found_at: datetime
    how: str
    status: str = Field(description="`open`, `same_person` or `another_person`.")
    decided_by: UUID | None
    decided_at: datetime | None


class ClaimsAnswer(Answer):
    """Second proofs, oldest first; ask on with `after` = `next` until that is null."""

    claims: Sequence[ClaimLine]
    next: UUID | None


class ClaimAnswer(ClaimLine):
    """Both proofs, side by side."""

    claimed: DetailsAnswer
    held: ProvenAnswer


class DecidedAnswer(Answer):
    status: str


class Decision(Body):
    """Whether it is one person, or another who only bears the name."""

    decision: Literal["same_person", "another_person"]
    reason: Reason


@dataclass(frozen=True)
class _Look:
    number: str
    officer_id: UUID
    reason: str
    limits: LookLimits


@dataclass(frozen=True)
class _Counter:
    number: str
    officer_id: UUID
    body: CounterRequest


@routes.get("/wallets/{number}/residency", responses=refuses(*NUMBER_REFUSALS, TooManyLooks))
async def look_at_residency(number: ShortText, reason: Why, token: CityStaff, here: Here) -> ProvenAnswer:
    """What a wallet's person has proven. Who looked, when and why is kept in the audit log."""
    asked = _Look(wallet_number(number), token.account_id, reason, here.look_limits)
    return _proven(await here.database.transact(_look, asked))


@routes.post(
    "/wallets/{number}/residency",
    status_code=201,
    responses=refuses(*NUMBER_REFUSALS, ResidencyDetailsInvalid, ResidencyOfOther),
)
async def record_at_counter(number: ShortText, body: CounterRequest, token: Officer, command: Command) -> OutcomeAnswer:
    """Record what an officer has seen of a wallet's person. What somebody else has proven already is put aside."""
    asked = _Counter(wallet_number(number), token.account_id, body)
    said = (asked.number, body.model_dump(mode="json"))
    return OutcomeAnswer.told(
        await command.perform(token.account_id, "city.residency.counter", _at_counter, asked, Outcome, said=said)
    )


@routes.get("/residency-claims")
async def list_claims(
    _token: CityStaff,
    here: Here,
    status: Annotated[Literal["open", "same_person", "another_person"] | None, Query()] = "open",
    after: UUID | None = None,
    limit: PageSize = 100,
) -> ClaimsAnswer:
    """Proofs of what another person has proven already, without names; by `status`."""
    asked = read.ClaimPage(None if status is None else ClaimStatus(status), after, limit + 1)
    shown, following = paged(await here.database.transact(read.claims, asked), limit, lambda each: each.id)
    return ClaimsAnswer(claims=[_line(each) for each in shown], next=following)


@routes.get("/residency-claims/{claim_id}", responses=refuses(TooManyLooks))
async def look_at_claim(claim_id: UUID, reason: Why, token: CityStaff, here: Here) -> ClaimAnswer:
    """Both proofs side by side. Who looked, when and why is kept in the audit log, for both persons."""
    asked = read.LookAtClaim(claim_id, token.account_id, reason, here.look_limits)
    both = await here.database.transact(read.look_at_claim, asked)
    details = DetailsAnswer.told(both.claim.proof.details)
    return ClaimAnswer(**_line(both.claim).model_dump(), claimed=details, held=_proven(both.held))


@routes.post("/residency-claims/{claim_id}/decision", responses=refuses(ClaimDecided, ClaimIsSamePerson))
async def decide_claim(claim_id: UUID, body: Decision, token: Officer, command: Command) -> DecidedAnswer:
    """Decide: another person's proof is recorded now; the same person's never, and its account stays unproven."""
    asked = DecideClaim(claim_id, ClaimStatus(body.decision), body.reason, token.account_id)
    await command.perform(token.account_id, "city.residency.decide", decide, asked, type(None))
    return DecidedAnswer(status=body.decision)


def _line(claim: Claim) -> ClaimLine:
    return ClaimLine(
        id=claim.id,
        found_at=claim.found_at,
        how=claim.proof.how.value,
        status=claim.status.value,
        decided_by=claim.decided_by,
        decided_at=claim.decided_at,
    )


def _proven(found: Residency | None) -> ProvenAnswer:
    if found is None:
        return ProvenAnswer(how=None, proven_at=None, details=None)
    details = DetailsAnswer.told(found.details)
    return ProvenAnswer(how=found.how.value, proven_at=found.proven_at, details=details)


async def _look(tx: Tx, asked: _Look) -> Residency | None:
    person_id = await person_of_number(tx, asked.number)
    return await read.look(tx, read.Look(person_id, asked.officer_id, asked.reason, asked.limits))


async def _at_counter(tx: Tx, asked: _Counter) -> Outcome:
    person_id, body = await person_of_number(tx, asked.number), asked.body
    seen = (body.name, body.kana, body.birth_date, body.postal_code, body.evidence)
    return await prove_at_counter(tx, AtTheCounter(person_id, asked.officer_id, *seen))
