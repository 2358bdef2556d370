"""Enrol a register of a store, and revoke one: by its owner or managers, who have signed in in full."""

from dataclasses import dataclass
from uuid import UUID

from services.identity.at_register import end_sessions_at
from services.identity.session import EndedAs
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.appoint import require_may_appoint
from services.merchants.shops import MemberRole
from services.tills.register import MOST_REGISTERS, Register, RegistersTooMany, register_name
from services.tills.tables import registers


@dataclass(frozen=True)
class EnrolRegister:
    actor_id: UUID
    store_id: UUID
    name: str


@dataclass(frozen=True)
class RevokeRegister:
    actor_id: UUID
    store_id: UUID
    register_id: UUID
    reason: str


async def enrol_register(tx: Tx, command: EnrolRegister) -> Register:
    """A new register. Raises `Missing`, `Forbidden`, `RegisterNameInvalid` and `RegistersTooMany`."""
    name = register_name(command.name)
    await require_may_appoint(tx, command.actor_id, command.store_id, MemberRole.CLERK, as_officer=False)
    await registers.lock_store(tx, command.store_id)
    if len(await registers.registers_of(tx, command.store_id, working=True)) >= MOST_REGISTERS:
        raise RegistersTooMany(limit=MOST_REGISTERS)
    made = Register(tx.new_id(), command.store_id, name, command.actor_id, tx.now, None)
    await registers.insert_register(tx, made)
    await audit.record(tx, command.actor_id, "register.enrolled", made.id, store_id=command.store_id)
    return made


async def revoke_register(tx: Tx, command: RevokeRegister) -> None:
    """From the next request on the register offers nobody and whoever is signed in there is not.

    Raises `Missing`, also for one that was revoked, and `Forbidden`.
    """
    await require_may_appoint(tx, command.actor_id, command.store_id, MemberRole.CLERK, as_officer=False)
    if not await registers.revoke(tx, command.store_id, command.register_id):
        raise Missing
    await end_sessions_at(tx, command.actor_id, [command.register_id], EndedAs.REGISTER_REVOKED)
    said = {"store_id": command.store_id, "reason": command.reason}
    await audit.record(tx, command.actor_id, "register.revoked", command.register_id, **said)
