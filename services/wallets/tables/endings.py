"""Statements on lots whose time is over: found, emptied, put aside.

A lot is put aside (`lapsed_at`) when it is emptied or found empty after its time, and taken up again
when a refund gives it more time. So a search meets every lot once, however many there have been and
however late a lot or its new time is committed.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Executable,
    Integer,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)

from services.kit.db import Tx
from services.kit.sets import by_columns, rows_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.wallets.lots import Lot, Parts
from services.wallets.tables.holdings import LOT, lot_of
from services.wallets.tables.schema import ExpiryRow, LotRow

_NOW = cast(bindparam("now", type_=Instant), Instant)


def _is_due() -> ColumnElement[bool]:
    """True of lots whose time is over at the parameter `now`, and that still hold something."""
    return and_(LotRow.lapsed_at.is_(None), LotRow.expires_at <= _NOW, LotRow.paid_yen + LotRow.premium_yen > 0)


def _find_due() -> Executable:
    query = select(LotRow.id, LotRow.wallet_id).where(_is_due())
    return query.order_by(LotRow.expires_at, LotRow.id).limit(cast(bindparam("limit", type_=Integer), Integer))


_FIND_DUE = Statement(_find_due)


async def find_due(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Lots that hold something though their time is over, each with its wallet; nothing is locked."""
    return [(row[0], row[1]) for row in await _FIND_DUE.rows(tx, {"now": tx.now, "limit": limit})]


def _read_due() -> Executable:
    ids = func.any(cast(bindparam("lot_ids", type_=ARRAY(Uuid())), ARRAY(Uuid())))
    return select(*LOT).where(LotRow.id == ids, _is_due()).order_by(LotRow.id)


_READ_DUE = Statement(_read_due)


async def read_due(tx: Tx, lot_ids: Collection[UUID]) -> list[Lot]:
    """Those of the lots that are still due, as they are now; lock their wallets first."""
    return [lot_of(row) for row in await _READ_DUE.rows(tx, {"now": tx.now, "lot_ids": list(lot_ids)})]


EXPIRY = ("id", "lot_id", "wallet_id", "paid_yen", "premium_yen")


def _lapse() -> Executable:
    given = rows_later(ExpiryRow.__tablename__, tuple(getattr(ExpiryRow, key) for key in EXPIRY))
    lost = select(*(given.c[key] for key in EXPIRY), _NOW.label("expired_at")).cte("lost")
    emptied = (
        update(LotRow)
        .where(LotRow.id == lost.c.lot_id)
        .values(
            paid_yen=LotRow.paid_yen - lost.c.paid_yen,
            premium_yen=LotRow.premium_yen - lost.c.premium_yen,
            lapsed_at=lost.c.expired_at,
        )
        .returning(LotRow.id)
    )
    return insert(ExpiryRow).from_select([*EXPIRY, "expired_at"], select(lost)).add_cte(emptied.cte("emptied"))


_LAPSE = Statement(_lapse)


async def lapse_lots(tx: Tx, lost: Sequence[tuple[UUID, UUID, Parts]]) -> None:
    """Take what lots of locked wallets lose, as (expiry id, wallet id, parts), and write it down."""
    rows = [
        (expiry_id, parts.lot_id, wallet_id, parts.paid_yen, parts.premium_yen) for expiry_id, wallet_id, parts in lost
    ]
    await _LAPSE.rows(tx, by_columns(ExpiryRow.__tablename__, EXPIRY, rows) | {"now": tx.now})


async def retire_spent(tx: Tx, limit: int) -> int:
    """Mark empty lots whose time is over, so that no search meets them again; how many.

    What somebody changes at this moment is left for another time: nobody waits here, and nobody is
    kept waiting for long.
    """
    spent = (
        select(LotRow.id)
        .where(LotRow.lapsed_at.is_(None), LotRow.expires_at <= tx.now, LotRow.paid_yen + LotRow.premium_yen == 0)
        .order_by(LotRow.expires_at, LotRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("spent")
    )
    marked = update(LotRow).where(LotRow.id == spent.c.id).values(lapsed_at=tx.now).returning(LotRow.id)
    return len((await tx.connection.execute(marked)).all())
