"""Let somebody choose a PIN for a store's registers, and take PINs away.

Law: nobody chooses another's PIN. Who may appoint a clerk may invite them, and by that takes the PIN that they had;
what the clerk then types is read by nobody. A PIN ends with the work for the store, and does not come back with it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.at_register import end_sessions_at
from services.identity.session import EndedAs
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.appoint import require_may_appoint
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.read import roles_in
from services.merchants.shops import MemberRole
from services.tills.pin import INVITED_FOR
from services.tills.tables import pins, registers


@dataclass(frozen=True)
class InviteClerk:
    """An owner invites anybody who works for the store, a manager clerks, and each of them themselves."""

    actor_id: UUID
    store_id: UUID
    account_id: UUID


@dataclass(frozen=True)
class Invitation:
    """What the code follows from that the clerk types with their new PIN; it is stored nowhere."""

    id: UUID
    until: datetime


async def invite_clerk(tx: Tx, command: InviteClerk) -> Invitation:
    """A new invitation in place of the earlier one and of the PIN. Raises `Missing` and `Forbidden`."""
    actor_id, store_id, account_id = command.actor_id, command.store_id, command.account_id
    await require_may_appoint(tx, actor_id, store_id, MemberRole.CLERK, as_officer=False)
    role = (await roles_in(tx, store_id, [account_id])).get(account_id)
    if role is None:
        raise Missing
    if account_id != actor_id:
        await require_may_appoint(tx, actor_id, store_id, role, as_officer=False)
    made = Invitation(tx.new_id(), tx.now + INVITED_FOR)
    await pins.invite(tx, store_id, account_id, actor_id, made.id, made.until)
    await _end_sessions(tx, actor_id, store_id, account_id)
    await audit.record(tx, actor_id, "pin.invited", account_id, store_id=store_id)
    return made


async def let_go(tx: Tx, command: DisableMember) -> None:
    """End an account's work for a store, with its PIN there. Raises as `disable_member` does."""
    await disable_member(tx, command)
    await pins.take_away(tx, command.store_id, command.account_id)
    await _end_sessions(tx, command.actor_id, command.store_id, command.account_id)


async def _end_sessions(tx: Tx, actor_id: UUID, store_id: UUID, account_id: UUID) -> None:
    ids = [each.id for each in await registers.registers_of(tx, store_id)]
    await end_sessions_at(tx, actor_id, ids, EndedAs.PIN_TAKEN, account_id)
