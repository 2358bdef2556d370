"""Read what people proved. Every look of the office's is written down, with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.identity.bulk_reading import RECOMMENDED, Looker, LookLimits
from services.identity.look_at import look_at
from services.kit.db import Tx
from services.kit.errors import Missing
from services.residency.residency import Claim, ClaimStatus, Residency
from services.residency.tables import residencies


@dataclass(frozen=True)
class Look:
    """An officer looks at a person, and says why."""

    person_id: UUID
    officer_id: UUID
    reason: str
    limits: LookLimits = RECOMMENDED


@dataclass(frozen=True)
class LookAtClaim:
    claim_id: UUID
    officer_id: UUID
    reason: str
    limits: LookLimits = RECOMMENDED


@dataclass(frozen=True)
class ClaimPage:
    """Claims in the order in which they were found; `status` None shows all."""

    status: ClaimStatus | None
    after: UUID | None
    limit: int


@dataclass(frozen=True)
class TwoProofs:
    """A second proof beside the first; `held` is None where the first was given up since."""

    claim: Claim
    held: Residency | None


async def residency(tx: Tx, person_id: UUID) -> Residency | None:
    """What a person has proven, for themselves; None for nothing."""
    return await residencies.find(tx, person_id)


async def persons_named(tx: Tx, name: str, born_on: date, limit: int) -> Sequence[UUID]:
    """Who has proven this name and birth date; whoever asks records the look."""
    return await residencies.persons_named(tx, name, born_on, limit)


async def names(tx: Tx, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The proven names of those persons that have one; whoever asks records the look."""
    return await residencies.names_of(tx, person_ids)


async def look(tx: Tx, asked: Look) -> Residency | None:
    """What a person has proven, for an officer. That they looked is written down, whatever is found.

    Raises TooManyLooks.
    """
    looker = Looker(asked.officer_id, asked.limits)
    await look_at(tx, looker, "residency.looked_at", [asked.person_id], reason=asked.reason)
    return await residencies.find(tx, asked.person_id)


async def claims(tx: Tx, asked: ClaimPage) -> Sequence[Claim]:
    """Second proofs, oldest first; whoever shows them leaves the personal data out."""
    return await residencies.find_claims(tx, asked.status, asked.after, asked.limit)


async def look_at_claim(tx: Tx, asked: LookAtClaim) -> TwoProofs:
    """Both proofs side by side, for whoever decides. Raises Missing and TooManyLooks."""
    found = await residencies.find_claims(tx, None, None, 1, only=asked.claim_id)
    if not found:
        raise Missing
    both, looker = (found[0].person_id, found[0].held_by), Looker(asked.officer_id, asked.limits)
    await look_at(tx, looker, "residency.looked_at", both, reason=asked.reason, claim=asked.claim_id)
    return TwoProofs(found[0], await residencies.find(tx, found[0].held_by))
