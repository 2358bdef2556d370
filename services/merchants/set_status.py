"""Suspend a merchant or a store, or let it take payments again, and say why.

Law: a payment reads both states in its own transaction, so what is suspended here is
refused by every payment that begins after this commit. What a suspended merchant is owed is
held back from bank files until it is active again; a store suspended alone is still paid.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.shops import Status, status_reason
from services.merchants.tables import businesses, stores


@dataclass(frozen=True)
class SetMerchantStatus:
    actor_id: UUID
    merchant_id: UUID
    status: Status
    reason: str


@dataclass(frozen=True)
class SetStoreStatus:
    actor_id: UUID
    store_id: UUID
    status: Status
    reason: str


async def set_merchant_status(tx: Tx, command: SetMerchantStatus) -> None:
    """For all of a merchant's stores at once. Raises `Missing`, `MerchantReasonMissing`."""
    reason = status_reason(command.reason)
    if not await businesses.update_merchant_status(tx, command.merchant_id, command.status):
        raise Missing
    action = f"merchant.{_done(command.status)}"
    await audit.record(tx, command.actor_id, action, command.merchant_id, reason=reason)


async def set_store_status(tx: Tx, command: SetStoreStatus) -> None:
    """For one store. Raises `Missing`, `MerchantReasonMissing`."""
    reason = status_reason(command.reason)
    if not await stores.update_store_status(tx, command.store_id, command.status):
        raise Missing
    action = f"store.{_done(command.status)}"
    await audit.record(tx, command.actor_id, action, command.store_id, reason=reason)


def _done(status: Status) -> str:
    return "suspended" if status is Status.SUSPENDED else "activated"
