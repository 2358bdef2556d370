"""A person without an account: somebody who has no phone, and whom a printed card serves."""

from uuid import UUID

from services.identity.tables import accounts
from services.kit import audit
from services.kit.db import Tx


async def open_person(tx: Tx, officer_id: UUID) -> UUID:
    """A new person, for whom no account acts yet."""
    person_id = await accounts.insert_person_alone(tx)
    await audit.record(tx, officer_id, "person.opened", person_id)
    return person_id
