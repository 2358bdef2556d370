"""The second yes comes from a second person: asked before every approval, in its own transaction.

The use cases themselves refuse the very account that proposed. Here it is also refused to
an account that the proposer could have signed in as, or the other way around.
"""

from uuid import UUID

from services.identity.read import are_independent
from services.kit.db import Tx
from services.kit.four_eyes import SecondOfficerNeeded


async def require_second_officer(tx: Tx, proposed_by: UUID, approved_by: UUID) -> None:
    """Raises SecondOfficerNeeded unless nobody is behind both accounts."""
    if not await are_independent(tx, proposed_by, approved_by):
        raise SecondOfficerNeeded
