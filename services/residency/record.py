"""Record a proof, or put a second one of the same before an officer; the officer's decision.

Law: one proven identity, one person. Proofs of one name and birth date, of one line of the register or of one
pseudonym take turns; the table refuses a line or a pseudonym on two persons whoever writes it.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.residency.names import name_key
from services.residency.residency import (
    ClaimDecided,
    ClaimIsSamePerson,
    ClaimStatus,
    Outcome,
    Proof,
    Residency,
    ResidencyOfOther,
    is_certain,
)
from services.residency.tables import residencies


@dataclass(frozen=True)
class DecideClaim:
    """Whether the second proof is the same person's, or another's who only bears the name."""

    claim_id: UUID
    status: ClaimStatus
    reason: str
    officer_id: UUID


async def record(tx: Tx, proof: Proof) -> Outcome:
    """Record the proof, or leave it to an officer where somebody else has proven the same.

    A person proves again what they have proven, for instance after moving. Raises ResidencyOfOther for a person
    who has proven to be somebody else.
    """
    await residencies.hold_identity(tx, proof)
    mine = await residencies.find(tx, proof.person_id)
    if mine is not None and not _is_same(mine, proof):
        raise ResidencyOfOther
    others = await residencies.of_same_identity(tx, proof)
    claims = await residencies.claims_between(tx, proof.person_id, [other.person_id for other in others])
    for other in others:
        claim_id, status = claims.get(other.person_id, (None, ClaimStatus.OPEN))
        if status is ClaimStatus.ANOTHER_PERSON and not is_certain(proof, other):
            continue
        if claim_id is None:
            claim_id = tx.new_id()
            await residencies.insert_claim(tx, claim_id, other.person_id, proof)
            said = {"how": proof.how.value, "held_by": other.person_id}
            await audit.record(tx, proof.proven_by, "residency.claimed_twice", proof.person_id, **said)
        return Outcome(proven=False, claim_id=claim_id)
    await residencies.put(tx, proof)
    await audit.record(tx, proof.proven_by, "residency.proven", proof.person_id, how=proof.how.value)
    return Outcome(proven=True)


async def decide(tx: Tx, command: DecideClaim) -> None:
    """Decide what a second proof is: another person's is recorded now, the same person's never.

    Raises Missing, ClaimDecided, and ClaimIsSamePerson for what two people cannot share.
    """
    found = await residencies.find_claims(tx, None, None, 1, only=command.claim_id)
    if not found:
        raise Missing
    claim = found[0]
    if claim.status is not ClaimStatus.OPEN:
        raise ClaimDecided(status=claim.status.value)
    held = await residencies.find(tx, claim.held_by)
    if command.status is ClaimStatus.ANOTHER_PERSON and held is not None and is_certain(claim.proof, held):
        raise ClaimIsSamePerson
    await residencies.decide_claim(tx, claim.id, command.status, command.officer_id)
    said = {"decision": command.status.value, "reason": command.reason, "held_by": claim.held_by}
    await audit.record(tx, command.officer_id, "residency.claim_decided", claim.person_id, **said)
    if command.status is ClaimStatus.ANOTHER_PERSON:
        await record(tx, claim.proof)


def _is_same(mine: Residency, proof: Proof) -> bool:
    """Whether a new proof is of the same identity as the person's earlier one."""
    named = (name_key(mine.details.name), mine.details.born_on)
    return is_certain(proof, mine) or named == (name_key(proof.details.name), proof.details.born_on)
