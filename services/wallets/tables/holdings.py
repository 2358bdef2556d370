"""Statements on lots: what is held, taken, given back, expired."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import ReturningUpdate

from services.kit.clock import civil_date
from services.kit.db import Tx
from services.kit.sets import any_of, arrays, as_rows, insert_later, insert_rows, rows_later
from services.wallets.lots import Lot, Origin, Parts
from services.wallets.tables.schema import ExpiryRow, GrantRow, LotRow, SpentTodayRow

LOT = tuple(getattr(LotRow, name) for name in Lot.__dataclass_fields__)


def _lot(row: Sequence[Any]) -> Lot:
    values = dict(zip(Lot.__dataclass_fields__, row, strict=True))
    values["store_classes"] = tuple(values["store_classes"].split(","))
    values["origin"] = Origin(values["origin"])
    return Lot(**values)


async def insert_lots(tx: Tx, lots: Sequence[Lot]) -> None:
    """Write new lots, any number in one statement."""
    rows = [vars(lot) | {"origin": lot.origin.value, "store_classes": ",".join(lot.store_classes)} for lot in lots]
    await tx.connection.execute(insert_rows(LotRow, rows))


async def read_lots(tx: Tx, wallet_id: UUID) -> list[Lot]:
    """Every lot of a wallet that still holds something, expired or not."""
    query = select(*LOT).where(LotRow.wallet_id == wallet_id, LotRow.paid_yen + LotRow.premium_yen > 0)
    return [_lot(row) for row in await tx.connection.execute(query.order_by(LotRow.id))]


async def read_lots_by_id(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, Lot]:
    query = select(*LOT).where(LotRow.id == any_of(lot_ids))
    return {row[0]: _lot(row) for row in await tx.connection.execute(query)}


async def read_lots_of_deed(tx: Tx, origin_id: UUID) -> list[Lot]:
    query = select(*LOT).where(LotRow.origin_id == origin_id).order_by(LotRow.id)
    return [_lot(row) for row in await tx.connection.execute(query)]


async def read_last_lot(tx: Tx, wallet_id: UUID) -> Lot | None:
    """The lot of a wallet that lives longest, empty or not."""
    query = select(*LOT).where(LotRow.wallet_id == wallet_id).order_by(LotRow.expires_at.desc(), LotRow.id).limit(1)
    row = (await tx.connection.execute(query)).one_or_none()
    return _lot(row) if row else None


async def lot_ids_of(tx: Tx, wallet_id: UUID) -> list[UUID]:
    query = select(LotRow.id).where(LotRow.wallet_id == wallet_id).order_by(LotRow.id)
    return list((await tx.connection.execute(query)).scalars())


@cache
def _spendable() -> Select[*tuple[Any, ...]]:
    today = and_(
        SpentTodayRow.wallet_id == LotRow.wallet_id,
        SpentTodayRow.programme_id == LotRow.programme_id,
        SpentTodayRow.day == bindparam("day"),
    )
    return (
        select(*LOT, func.coalesce(SpentTodayRow.spent_yen, 0))
        .outerjoin(SpentTodayRow, today)
        .where(LotRow.wallet_id == bindparam("wallet_id"), LotRow.paid_yen + LotRow.premium_yen > 0)
    )


async def read_spendable(tx: Tx, wallet_id: UUID) -> tuple[list[Lot], dict[UUID, int]]:
    """A locked wallet's lots that hold something, and what was spent today by programme."""
    values = {"wallet_id": wallet_id, "day": civil_date(tx.now)}
    rows = (await tx.connection.execute(_spendable(), values)).all()
    return [_lot(row[:-1]) for row in rows], {row.programme_id: row[-1] for row in rows}


PARTS = (LotRow.id, LotRow.paid_yen, LotRow.premium_yen)


@cache
def _change_lots() -> ReturningUpdate[Any]:
    change = rows_later("change", PARTS)
    return (
        update(LotRow)
        .where(LotRow.id == change.c.id)
        .values(
            paid_yen=LotRow.paid_yen + change.c.paid_yen,
            premium_yen=LotRow.premium_yen + change.c.premium_yen,
        )
        .returning(LotRow.id)
    )


def _changes(parts: Sequence[Parts], sign: int) -> dict[str, list[Any]]:
    rows = [
        {"id": part.lot_id, "paid_yen": sign * part.paid_yen, "premium_yen": sign * part.premium_yen} for part in parts
    ]
    return arrays("change", ("id", "paid_yen", "premium_yen"), rows)


SPENT = ("wallet_id", "programme_id", "day", "spent_yen", "limit_yen")


@cache
def _take() -> Insert:
    count = insert_later(SpentTodayRow, SPENT)
    count = count.on_conflict_do_update(
        index_elements=["wallet_id", "programme_id", "day"],
        set_={
            "spent_yen": SpentTodayRow.spent_yen + count.excluded.spent_yen,
            "limit_yen": count.excluded.limit_yen,
        },
    )
    return count.add_cte(_change_lots().cte("changed"))


async def take_from_lots(
    tx: Tx, wallet_id: UUID, parts: Sequence[Parts], spent: Mapping[UUID, tuple[int, int]]
) -> None:
    """Take parts from a locked wallet's lots and count them against the day, in one statement.

    `spent` maps a programme to (yen, the day's limit in yen). The CHECKs on both tables
    are the guarantee that nothing is overdrawn.
    """
    rows = [
        {
            "wallet_id": wallet_id,
            "programme_id": programme_id,
            "day": civil_date(tx.now),
            "spent_yen": yen,
            "limit_yen": limit_yen,
        }
        for programme_id, (yen, limit_yen) in spent.items()
    ]
    values = arrays(SpentTodayRow.__tablename__, SPENT, rows) | _changes(parts, -1)
    await tx.connection.execute(_take(), values)


async def give_to_lots(tx: Tx, parts: Sequence[Parts]) -> None:
    await tx.connection.execute(_change_lots(), _changes(parts, +1))


async def empty_lots(tx: Tx, parts: Sequence[Parts]) -> None:
    """Take parts from locked lots without counting them as spent: expiry, an undone purchase."""
    await tx.connection.execute(_change_lots(), _changes(parts, -1))


async def extend_lots(tx: Tx, until: Mapping[UUID, datetime]) -> None:
    """Give lots a new expiry."""
    rows = [{"id": lot_id, "expires_at": instant} for lot_id, instant in until.items()]
    change = as_rows("change", (LotRow.id, LotRow.expires_at), rows)
    statement = update(LotRow).where(LotRow.id == change.c.id).values(expires_at=change.c.expires_at)
    await tx.connection.execute(statement)


async def uncount_spent(tx: Tx, wallet_id: UUID, day: date, spent: Mapping[UUID, int]) -> None:
    """A payment cancelled on its own day no longer counts against that day's limits."""
    rows = [{"programme_id": programme_id, "spent_yen": yen} for programme_id, yen in spent.items()]
    change = as_rows("change", (SpentTodayRow.programme_id, SpentTodayRow.spent_yen), rows)
    statement = (
        update(SpentTodayRow)
        .where(
            SpentTodayRow.wallet_id == wallet_id,
            SpentTodayRow.day == day,
            SpentTodayRow.programme_id == change.c.programme_id,
        )
        .values(spent_yen=SpentTodayRow.spent_yen - change.c.spent_yen)
    )
    await tx.connection.execute(statement)


async def wallets_with_expired(tx: Tx, limit: int) -> list[UUID]:
    """Wallets that hold lots whose time is over, in the order of their ids."""
    query = (
        select(LotRow.wallet_id)
        .where(LotRow.expires_at <= tx.now, LotRow.paid_yen + LotRow.premium_yen > 0)
        .distinct()
        .order_by(LotRow.wallet_id)
        .limit(limit)
    )
    return list((await tx.connection.execute(query)).scalars())


async def read_expired(tx: Tx, wallet_ids: Collection[UUID]) -> list[Lot]:
    query = (
        select(*LOT)
        .where(
            LotRow.wallet_id == any_of(wallet_ids),
            LotRow.expires_at <= tx.now,
            LotRow.paid_yen + LotRow.premium_yen > 0,
        )
        .order_by(LotRow.wallet_id, LotRow.id)
    )
    return [_lot(row) for row in await tx.connection.execute(query)]


async def insert_expiries(tx: Tx, expiries: Sequence[tuple[UUID, UUID, Parts]]) -> None:
    """Rows of (expiry id, wallet id, parts lost)."""
    rows = [
        {
            "id": expiry_id,
            "lot_id": parts.lot_id,
            "wallet_id": wallet_id,
            "paid_yen": parts.paid_yen,
            "premium_yen": parts.premium_yen,
            "expired_at": tx.now,
        }
        for expiry_id, wallet_id, parts in expiries
    ]
    await tx.connection.execute(insert_rows(ExpiryRow, rows))


async def insert_grants(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    await tx.connection.execute(insert_rows(GrantRow, rows))


async def sum_held(tx: Tx, programme_id: UUID) -> int:
    """What all lots of a programme hold, in yen, whether their time is over or not."""
    held = func.coalesce(func.sum(LotRow.paid_yen + LotRow.premium_yen), 0)
    return int((await tx.connection.execute(select(held).where(LotRow.programme_id == programme_id))).scalar_one())
