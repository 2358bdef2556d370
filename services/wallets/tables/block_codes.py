"""Statements on printed codes that block phones."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.kit.db import Tx
from services.wallets.tables.schema import BlockCodeRow, WalletRow


@dataclass(frozen=True)
class Kept:
    """A code that still works."""

    wallet_id: UUID
    secret_hash: str = field(repr=False)


async def keep(tx: Tx, wallet_id: UUID, locator: str, secret_hash: str) -> bool:
    """A new code in place of the wallet's earlier ones; False when its locator is taken."""
    await end_codes(tx, wallet_id)
    row = {"locator": locator, "wallet_id": wallet_id, "secret_hash": secret_hash, "made_at": tx.now}
    statement = insert(BlockCodeRow).values(row | {"window_began_at": tx.now, "tries": 0}).on_conflict_do_nothing()
    return (await tx.connection.execute(statement.returning(BlockCodeRow.locator))).first() is not None


async def end_codes(tx: Tx, wallet_id: UUID) -> None:
    living = (BlockCodeRow.wallet_id == wallet_id, BlockCodeRow.ended_at.is_(None))
    await tx.connection.execute(update(BlockCodeRow).where(*living).values(ended_at=tx.now))


async def take_try(tx: Tx, locator: str, window: timedelta, tries: int) -> Kept | None:
    """Count a try of a living code, whoever else takes one; None where there is none to take."""
    over = BlockCodeRow.window_began_at <= tx.now - window
    counted = {
        "window_began_at": case((over, tx.now), else_=BlockCodeRow.window_began_at),
        "tries": case((over, 1), else_=BlockCodeRow.tries + 1),
    }
    its = (BlockCodeRow.locator == locator, BlockCodeRow.ended_at.is_(None), or_(over, BlockCodeRow.tries < tries))
    statement = update(BlockCodeRow).where(*its).values(counted)
    returned = statement.returning(BlockCodeRow.wallet_id, BlockCodeRow.secret_hash)
    row = (await tx.connection.execute(returned)).one_or_none()
    return Kept(*row) if row else None


async def window_of(tx: Tx, locator: str) -> datetime | None:
    """When the tries of a living code began to be counted; None for what is no code."""
    query = select(BlockCodeRow.window_began_at).where(BlockCodeRow.locator == locator, BlockCodeRow.ended_at.is_(None))
    began: datetime | None = (await tx.connection.execute(query)).scalar_one_or_none()
    return began


async def has_living(tx: Tx, person_id: UUID) -> bool:
    """Whether a code of the person's wallet could still be used."""
    living = select(BlockCodeRow.locator).join(WalletRow, WalletRow.id == BlockCodeRow.wallet_id)
    its = (WalletRow.person_id == person_id, BlockCodeRow.ended_at.is_(None))
    return (await tx.connection.execute(living.where(*its).limit(1))).first() is not None


async def find_living(tx: Tx, locator: str, person_id: UUID) -> Kept | None:
    """A living code of the person's own wallet; its tries are whoever's who asks."""
    living = select(BlockCodeRow.wallet_id, BlockCodeRow.secret_hash)
    living = living.join(WalletRow, WalletRow.id == BlockCodeRow.wallet_id)
    its = (BlockCodeRow.locator == locator, BlockCodeRow.ended_at.is_(None), WalletRow.person_id == person_id)
    row = (await tx.connection.execute(living.where(*its))).one_or_none()
    return Kept(*row) if row else None


async def use(tx: Tx, locator: str) -> bool:
    """Use a code up; False when it was used meanwhile."""
    its = (BlockCodeRow.locator == locator, BlockCodeRow.ended_at.is_(None))
    statement = update(BlockCodeRow).where(*its).values(ended_at=tx.now).returning(BlockCodeRow.locator)
    return (await tx.connection.execute(statement)).first() is not None
