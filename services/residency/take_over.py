"""Two persons were one: what both have proven is the proof of the one who is kept.

Law: one identity, one person. Two birth dates, two lines of the register or two pseudonyms of the sign-in service are
two people, and nothing joins them. A line or a pseudonym that the given-up person had proven goes to the other; the
rest of that proof stays, marked, so that whoever proves the same name is still met by it.
"""

from uuid import UUID

from services.identity.take_over import TakeOver
from services.kit import audit
from services.kit.db import Tx
from services.residency.residency import ClaimStatus, Proof, Residency
from services.residency.tables import residencies


async def is_proven(tx: Tx, person_id: UUID) -> bool:
    return await residencies.find(tx, person_id) is not None


async def cannot_be_one(tx: Tx, one: UUID, other: UUID) -> bool:
    """Whether what the two have proven excludes that they are one person."""
    mine, theirs = await residencies.find(tx, one), await residencies.find(tx, other)
    if mine is None or theirs is None:
        return False
    differ = mine.details.born_on != theirs.details.born_on
    return differ or _two(mine.reference, theirs.reference) or _two(mine.subject, theirs.subject)


async def take_over_proof(tx: Tx, command: TakeOver) -> None:
    """Join the proofs, and decide what was open between the two: it was one person."""
    given_up, kept = await residencies.find(tx, command.given_up_id), await residencies.find(tx, command.kept_id)
    for each in (given_up, kept):
        if each is not None:
            await residencies.hold_identity(tx, _as_proof(each))
    if given_up is not None and kept is not None:
        await residencies.give_up(tx, given_up.person_id)
        await residencies.add_to(tx, kept.person_id, given_up.reference, given_up.subject)
    both = (command.given_up_id, command.kept_id)
    for claim_id in await residencies.open_between(tx, both):
        await residencies.decide_claim(tx, claim_id, ClaimStatus.SAME_PERSON, command.officer_id)
        said = {"decision": ClaimStatus.SAME_PERSON.value, "claim": claim_id}
        await audit.record(tx, command.officer_id, "residency.claim_decided", command.given_up_id, **said)


def _two(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _as_proof(held: Residency) -> Proof:
    return Proof(held.person_id, held.proven_by, held.how, held.details, held.reference, held.subject)
