"""The second yes comes from a second person: asked before every approval, in its own transaction.

The use cases themselves refuse the very account that proposed. Here it is also refused to
an account that the proposer could have signed in as, or the other way around, and to another account of the
proposer's own. Nor does anybody decide on what goes to themselves or to their household.
"""

from collections.abc import Collection
from uuid import UUID

from services.identity.read import are_independent, persons_near
from services.kit.db import Tx
from services.kit.four_eyes import OwnInterest, SecondOfficerNeeded
from services.wallets.read import persons_in_care_with


async def require_second_officer(tx: Tx, proposed_by: UUID, approved_by: UUID) -> None:
    """Raises SecondOfficerNeeded unless nobody is behind both accounts."""
    if not await are_independent(tx, proposed_by, approved_by):
        raise SecondOfficerNeeded


async def require_no_interest(tx: Tx, officer_id: UUID, gaining: Collection[UUID]) -> None:
    """Raises OwnInterest if the officer, or somebody of their household, is among the persons who would gain.

    Whom they care for, and who cares for them, is of their household.
    """
    near = set(await persons_near(tx, officer_id))
    near |= await persons_in_care_with(tx, near)
    if not near.isdisjoint(gaining):
        raise OwnInterest
