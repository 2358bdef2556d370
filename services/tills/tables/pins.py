"""Statements on clerks' PINs and on the tries at them: what is counted before it is compared."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.db import Tx
from services.tills.tables.schema import ClerkPinRow, RegisterTriesRow


@dataclass(frozen=True)
class Kept:
    """What is known of somebody's PIN at a store."""

    invitation_id: UUID | None
    invitation_until: datetime | None
    pin_hash: str | None = field(repr=False)


async def invite(
    tx: Tx, store_id: UUID, account_id: UUID, invited_by: UUID, invitation_id: UUID, until: datetime
) -> None:
    """A new invitation; the PIN that there was is gone."""
    row: dict[str, UUID | datetime | None] = {"store_id": store_id, "account_id": account_id, "invited_by": invited_by}
    row |= {"invitation_id": invitation_id, "invitation_until": until, "pin_hash": None, "set_at": None}
    statement = upsert(ClerkPinRow).values(row)
    changed = {key: value for key, value in row.items() if key not in {"store_id", "account_id"}}
    keys = [ClerkPinRow.store_id, ClerkPinRow.account_id]
    await tx.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


async def find(tx: Tx, store_id: UUID, account_id: UUID, *, hold: bool = False) -> Kept | None:
    """With `hold` nobody changes it until this transaction ends."""
    query = select(ClerkPinRow.invitation_id, ClerkPinRow.invitation_until, ClerkPinRow.pin_hash)
    query = query.where(ClerkPinRow.store_id == store_id, ClerkPinRow.account_id == account_id)
    row = (await tx.connection.execute(query.with_for_update() if hold else query)).one_or_none()
    return Kept(*row) if row else None


async def set_pin(tx: Tx, store_id: UUID, account_id: UUID, invitation_id: UUID, pin_hash: str) -> bool:
    """Use an invitation up; False for one that does not hold any more."""
    its = (ClerkPinRow.store_id == store_id, ClerkPinRow.account_id == account_id)
    holds = (ClerkPinRow.invitation_id == invitation_id, ClerkPinRow.invitation_until > tx.now)
    values = {"invitation_id": None, "invitation_until": None, "pin_hash": pin_hash, "set_at": tx.now}
    statement = update(ClerkPinRow).where(*its, *holds).values(values).returning(ClerkPinRow.account_id)
    return (await tx.connection.execute(statement)).first() is not None


async def take_away(tx: Tx, store_id: UUID, account_id: UUID) -> None:
    """Neither PIN nor invitation is left."""
    its = (ClerkPinRow.store_id == store_id, ClerkPinRow.account_id == account_id)
    values = {"invitation_id": None, "invitation_until": None, "pin_hash": None, "set_at": None}
    await tx.connection.execute(update(ClerkPinRow).where(*its).values(values))


async def with_pin(tx: Tx, store_id: UUID) -> frozenset[UUID]:
    """The accounts that have chosen a PIN for the store."""
    query = select(ClerkPinRow.account_id).where(ClerkPinRow.store_id == store_id, ClerkPinRow.pin_hash.is_not(None))
    return frozenset((await tx.connection.execute(query)).scalars())


async def take_try(tx: Tx, pair: UUID, span: str, window: timedelta, most: int) -> bool:
    """Count one more try; False when the window holds `most` already. One statement on one row."""
    over = RegisterTriesRow.window_began_at <= tx.now - window
    statement = (
        upsert(RegisterTriesRow)
        .values(pair=pair, span=span, window_began_at=tx.now, tries=1)
        .on_conflict_do_update(
            index_elements=[RegisterTriesRow.pair, RegisterTriesRow.span],
            set_={
                "window_began_at": case((over, tx.now), else_=RegisterTriesRow.window_began_at),
                "tries": case((over, 1), else_=RegisterTriesRow.tries + 1),
            },
            where=or_(over, RegisterTriesRow.tries < most),
        )
        .returning(RegisterTriesRow.tries)
    )
    return (await tx.connection.execute(statement)).one_or_none() is not None


async def give_tries_back(tx: Tx, pair: UUID) -> None:
    """Take a right PIN's own try out of each window; wrong ones stay counted."""
    its = (RegisterTriesRow.pair == pair, RegisterTriesRow.tries > 0)
    await tx.connection.execute(update(RegisterTriesRow).where(*its).values(tries=RegisterTriesRow.tries - 1))


async def window_of(tx: Tx, pair: UUID, span: str) -> datetime:
    """When the window of tries began."""
    its = (RegisterTriesRow.pair == pair, RegisterTriesRow.span == span)
    began: datetime = (await tx.connection.execute(select(RegisterTriesRow.window_began_at).where(*its))).scalar_one()
    return began
