"""End an account's work for a store; its other stores and its sign-in stay."""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.appoint import require_may_appoint
from services.merchants.shops import status_reason
from services.merchants.tables import stores


@dataclass(frozen=True)
class DisableMember:
    """`as_officer` says that the city's office acts, which may disable anybody."""

    actor_id: UUID
    as_officer: bool
    store_id: UUID
    account_id: UUID
    reason: str


async def disable_member(tx: Tx, command: DisableMember) -> None:
    """From the next request on the account has no role in the store.

    Raises `Missing` (no such member, or not the actor's store), `Forbidden` (a manager
    disables clerks only), `MerchantReasonMissing`.
    """
    reason = status_reason(command.reason)
    role = (await stores.active_roles(tx, command.store_id, [command.account_id])).get(command.account_id)
    if role is None:
        raise Missing
    await require_may_appoint(tx, command.actor_id, command.store_id, role, as_officer=command.as_officer)
    await stores.disable_member(tx, command.store_id, command.account_id)
    await audit.record(
        tx, command.actor_id, "member.disabled", command.account_id, store_id=command.store_id, reason=reason
    )
