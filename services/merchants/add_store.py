"""Add a store to a merchant."""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.shops import (
    STORE_CODE_LENGTH,
    STORE_PREFIX,
    Status,
    Store,
    StoreDetails,
    store_details,
)
from services.merchants.tables import businesses, stores


@dataclass(frozen=True)
class AddStore:
    actor_id: UUID
    merchant_id: UUID
    details: StoreDetails


async def add_store(tx: Tx, command: AddStore) -> Store:
    """The new store, active at once under a new code.

    Raises `Missing` for an unknown merchant and what `store_details` raises.
    """
    details = store_details(command.details)
    if await businesses.find_merchant(tx, command.merchant_id) is None:
        raise Missing
    code = tx.new_number(STORE_PREFIX, STORE_CODE_LENGTH)
    store = Store(tx.new_id(), code, command.merchant_id, details, Status.ACTIVE, tx.now)
    await stores.insert_store(tx, store)
    await audit.record(tx, command.actor_id, "store.added", store.id, code=code, store_class=details.store_class)
    return store
