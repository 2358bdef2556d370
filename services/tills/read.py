"""Read a store's registers, who may sign in there, and who stands at one now."""

from dataclasses import dataclass
from uuid import UUID

from services.identity import read as identity
from services.identity.at_register import stay_at_register
from services.identity.people import AccountStatus
from services.identity.session import SessionEnded
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants import read as merchants
from services.merchants.appoint import require_may_appoint
from services.merchants.shops import MemberRole, MemberStatus, Store
from services.tills.register import Register, RegisterRefused
from services.tills.tables import pins
from services.tills.tables import registers as rows


@dataclass(frozen=True)
class StaffLine:
    """Somebody who may sign in at the register."""

    account_id: UUID
    name: str | None


@dataclass(frozen=True)
class AtRegister:
    """A register as it presents itself: what it is called, where it is, and whom it offers."""

    register: Register
    store: Store
    staff: tuple[StaffLine, ...]


@dataclass(frozen=True)
class Standing:
    """A request from a session at a register; `store_id` is the store that it is about, if any.

    `acts` puts off the end of the session: who only looks is idle.
    """

    account_id: UUID
    session_id: UUID
    store_id: UUID | None
    acts: bool


async def registers_of(tx: Tx, asked: tuple[UUID, UUID]) -> list[Register]:
    """A store's registers, for its owner and managers. Raises `Missing` and `Forbidden`."""
    store_id, actor_id = asked
    await require_may_appoint(tx, actor_id, store_id, MemberRole.CLERK, as_officer=False)
    return await rows.registers_of(tx, store_id)


async def at_register(tx: Tx, register_id: UUID) -> AtRegister:
    """Who has chosen a PIN and works there now. Raises `RegisterRefused`."""
    register = await rows.find_register(tx, register_id)
    if register is None:
        raise RegisterRefused
    store = await merchants.store(tx, register.store_id)
    known = await pins.with_pin(tx, store.id)
    active = [each for each in await merchants.members(tx, store.id) if each.status is MemberStatus.ACTIVE]
    ids = [each.account_id for each in active if each.account_id in known][: identity.MAX_ACCOUNTS]
    found = await identity.accounts(tx, ids)
    staff = [found[key] for key in ids if found[key].status is AccountStatus.ACTIVE]
    return AtRegister(register, store, tuple(StaffLine(each.id, each.name) for each in staff))


async def stand_at_register(tx: Tx, asked: Standing) -> UUID:
    """The register at which the session is. Raises `SessionEnded`, and `Missing` for another store's affairs."""
    found = await rows.register_of_session(tx, asked.account_id, asked.session_id)
    if found is None:
        raise SessionEnded
    register_id, store_id = found
    if asked.store_id is not None and asked.store_id != store_id:
        raise Missing
    if asked.acts:
        await stay_at_register(tx, asked.session_id)
    return register_id
