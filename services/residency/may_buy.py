"""May this account buy for that person: the question that a purchase asks before it reserves.

Law: where the programme says residents only, the person has proven to be one. Whatever the programme says, an
account that is nothing but an e-mail address buys for proven persons only: such addresses cost nothing, and each
would be another cap. It may hold what the city grants.
"""

from uuid import UUID

from services.identity import read as identity
from services.kit.db import Tx
from services.residency.residency import ResidencyUnproven
from services.residency.tables import residencies


async def require_residency(tx: Tx, account_id: UUID, person_id: UUID, *, residents_only: bool) -> None:
    """Raises ResidencyUnproven."""
    asked = residents_only or (await identity.account(tx, account_id)).phone is None
    if asked and await residencies.find(tx, person_id) is None:
        raise ResidencyUnproven
