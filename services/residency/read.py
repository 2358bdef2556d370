"""Read what people proved. Every look of the office's is written down, with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
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


@dataclass(frozen=True)
class LookAtClaim:
    claim_id: UUID
    officer_id: UUID
    reason: str


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


async def look(tx: Tx, asked: Look) -> Residency | None:
    """What a person has proven, for an officer. That they looked is written down, whatever is found."""
    await audit.record(tx, asked.officer_id, "residency.looked_at", asked.person_id, reason=asked.reason)
    return await residencies.find(tx, asked.person_id)


async def claims(tx: Tx, asked: ClaimPage) -> Sequence[Claim]:
    """Second proofs, oldest first; whoever shows them leaves the personal data out."""
    return await residencies.find_claims(tx, asked.status, asked.after, asked.limit)


async def look_at_claim(tx: Tx, asked: LookAtClaim) -> TwoProofs:
    """Both proofs side by side, for whoever decides. Raises Missing."""
    found = await residencies.find_claims(tx, None, None, 1, only=asked.claim_id)
    if not found:
        raise Missing
    said = {"reason": asked.reason, "claim": asked.claim_id}
    for person_id in (found[0].person_id, found[0].held_by):
        await audit.record(tx, asked.officer_id, "residency.looked_at", person_id, **said)
    return TwoProofs(found[0], await residencies.find(tx, found[0].held_by))
