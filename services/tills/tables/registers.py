"""Statements on registers."""

from uuid import UUID

from sqlalchemy import insert, select, update

from services.identity.clauses import is_open, stands_at
from services.kit.db import Tx
from services.kit.turns import take_turn
from services.tills.register import Register
from services.tills.tables.schema import RegisterRow

REGISTER = tuple(getattr(RegisterRow, name) for name in Register.__dataclass_fields__)


async def insert_register(tx: Tx, register: Register) -> None:
    await tx.connection.execute(insert(RegisterRow).values(vars(register)))


async def lock_store(tx: Tx, store_id: UUID) -> None:
    """Let one enrolment at a store count its registers at a time."""
    await take_turn(tx, f"registers:{store_id}")


async def registers_of(tx: Tx, store_id: UUID, *, working: bool = False) -> list[Register]:
    """A store's registers in the order of their enrolment; `working` leaves out those that were revoked."""
    query = select(*REGISTER).where(RegisterRow.store_id == store_id).order_by(RegisterRow.id)
    if working:
        query = query.where(RegisterRow.revoked_at.is_(None))
    return [Register(*row) for row in await tx.connection.execute(query)]


async def find_register(tx: Tx, register_id: UUID, *, hold: bool = False) -> Register | None:
    """A register that works; with `hold` nobody revokes it until this transaction ends."""
    query = select(*REGISTER).where(RegisterRow.id == register_id, RegisterRow.revoked_at.is_(None))
    row = (await tx.connection.execute(query.with_for_update(read=True) if hold else query)).one_or_none()
    return Register(*row) if row else None


async def revoke(tx: Tx, store_id: UUID, register_id: UUID) -> bool:
    """False where the store has no such register that works."""
    its = (RegisterRow.id == register_id, RegisterRow.store_id == store_id, RegisterRow.revoked_at.is_(None))
    statement = update(RegisterRow).where(*its).values(revoked_at=tx.now).returning(RegisterRow.id)
    return (await tx.connection.execute(statement)).first() is not None


async def register_of_session(tx: Tx, account_id: UUID, session_id: UUID) -> tuple[UUID, UUID] | None:
    """The register that works at which an open session of an active account is, and its store."""
    there = stands_at(session_id, account_id, RegisterRow.id, tx.now)
    query = select(RegisterRow.id, RegisterRow.store_id)
    query = query.where(RegisterRow.revoked_at.is_(None), there, is_open(account_id))
    row = (await tx.connection.execute(query)).one_or_none()
    return (row[0], row[1]) if row else None
