"""Two persons were one: where the one is known to work, the other works. Nobody pays their own store with either."""

from uuid import UUID

from services.kit.db import Tx
from services.merchants.tables import stores


async def take_over_members(tx: Tx, given_up_id: UUID, kept_id: UUID) -> None:
    await stores.rename_person(tx, given_up_id, kept_id)
