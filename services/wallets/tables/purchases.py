"""Statements on purchases and on what each wallet has bought."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Uuid, and_, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.kit.db import Tx
from services.wallets.purchase import Purchase, PurchaseStatus
from services.wallets.tables.access import in_line_of, merged_into
from services.wallets.tables.schema import BoughtRow, PurchaseRow

PURCHASE = tuple(getattr(PurchaseRow, name) for name in Purchase.__dataclass_fields__)


def _purchase(row: Any) -> Purchase:
    values = dict(zip(Purchase.__dataclass_fields__, row, strict=True))
    values["status"] = PurchaseStatus(values["status"])
    return Purchase(**values)


async def insert_purchase(tx: Tx, purchase: Purchase) -> None:
    row = vars(purchase) | {"status": purchase.status.value}
    await tx.connection.execute(insert(PurchaseRow).values(row))


async def find_purchase(tx: Tx, purchase_id: UUID) -> Purchase | None:
    row = (await tx.connection.execute(select(*PURCHASE).where(PurchaseRow.id == purchase_id))).one_or_none()
    return _purchase(row) if row else None


async def find_by_checkout(tx: Tx, checkout_id: str) -> Purchase | None:
    row = (await tx.connection.execute(select(*PURCHASE).where(PurchaseRow.checkout_id == checkout_id))).one_or_none()
    return _purchase(row) if row else None


async def find_by_number(tx: Tx, number: str) -> Purchase | None:
    row = (await tx.connection.execute(select(*PURCHASE).where(PurchaseRow.number == number))).one_or_none()
    return _purchase(row) if row else None


async def purchases_of(tx: Tx, wallet_id: UUID, after: UUID | None, limit: int) -> list[Purchase]:
    """Newest first: of the wallet, and of those that were merged into it."""
    query = select(*PURCHASE).where(in_line_of(PurchaseRow.wallet_id, wallet_id))
    query = query.order_by(PurchaseRow.id.desc()).limit(limit)
    if after is not None:
        query = query.where(PurchaseRow.id < after)
    return [_purchase(row) for row in await tx.connection.execute(query)]


async def attach_checkout(tx: Tx, purchase_id: UUID, checkout_id: str) -> None:
    statement = update(PurchaseRow).where(PurchaseRow.id == purchase_id).values(checkout_id=checkout_id)
    await tx.connection.execute(statement)


async def set_status(tx: Tx, purchase_id: UUID, status: PurchaseStatus, *, received_yen: int | None = None) -> None:
    """`received_yen` is noted where money came."""
    values: dict[str, Any] = {"status": status.value}
    values["paid_at" if status is PurchaseStatus.PAID else "ended_at"] = tx.now
    if received_yen is not None:
        values["received_yen"] = received_yen
    await tx.connection.execute(update(PurchaseRow).where(PurchaseRow.id == purchase_id).values(values))


async def set_money_returned(tx: Tx, purchase_id: UUID) -> None:
    statement = update(PurchaseRow).where(PurchaseRow.id == purchase_id).values(money_returned_at=tx.now)
    await tx.connection.execute(statement)


async def open_purchases(tx: Tx, after: UUID | None, limit: int) -> list[Purchase]:
    """Purchases that wait for the channel's word or for their money to go back, by id, from the one after `after`."""
    waiting = PurchaseRow.status.in_([PurchaseStatus.RESERVED.value, PurchaseStatus.LATE.value])
    owed = and_(PurchaseRow.status == PurchaseStatus.UNDONE.value, PurchaseRow.money_returned_at.is_(None))
    query = select(*PURCHASE).where(or_(waiting, owed)).order_by(PurchaseRow.id).limit(limit)
    if after is not None:
        query = query.where(PurchaseRow.id > after)
    return [_purchase(row) for row in await tx.connection.execute(query)]


async def count_bought(tx: Tx, wallet_id: UUID, programme_id: UUID, yen: int, cap_yen: int) -> int | None:
    """Count `yen` against the person's cap; None if it fits, else the yen that are left to buy.

    One statement that locks the counter's row, so that any number at once stays exact. What wallets that were merged
    into this one had bought counts as well; it never grows, and is read under the wallet's lock.
    """
    before = _bought_before(wallet_id, programme_id)
    row = (literal(wallet_id, Uuid()), literal(programme_id, Uuid()), literal(yen, BigInteger))
    fits = select(*row, literal(cap_yen, BigInteger)).where(before + yen <= cap_yen)
    statement = insert(BoughtRow).from_select(["wallet_id", "programme_id", "bought_yen", "cap_yen"], fits)
    statement = statement.on_conflict_do_update(
        index_elements=["wallet_id", "programme_id"],
        set_={"bought_yen": BoughtRow.bought_yen + yen, "cap_yen": cap_yen},
        where=BoughtRow.bought_yen + before + yen <= cap_yen,
    )
    done = await tx.connection.execute(statement.returning(BoughtRow.bought_yen))
    if done.one_or_none() is not None:
        return None
    return max(0, cap_yen - await bought(tx, wallet_id, programme_id))


def _bought_before(wallet_id: UUID, programme_id: UUID) -> ColumnElement[int]:
    """What a programme counts of the wallets that were merged into this one."""
    theirs = merged_into(wallet_id)
    its = (BoughtRow.wallet_id == theirs.c.id, BoughtRow.programme_id == programme_id)
    query = select(func.coalesce(func.sum(BoughtRow.bought_yen), 0)).join(theirs, its[0]).where(its[1])
    return cast(query.scalar_subquery(), BigInteger)


async def uncount_bought(tx: Tx, wallet_id: UUID, programme_id: UUID, yen: int) -> None:
    """Free the cap of a purchase that lapsed or was undone."""
    statement = (
        update(BoughtRow)
        .where(BoughtRow.wallet_id == wallet_id, BoughtRow.programme_id == programme_id)
        .values(bought_yen=BoughtRow.bought_yen - yen)
    )
    await tx.connection.execute(statement)


async def bought(tx: Tx, wallet_id: UUID, programme_id: UUID) -> int:
    """What counts against the cap: of the wallet, and of those that were merged into it."""
    own = select(BoughtRow.bought_yen).where(BoughtRow.wallet_id == wallet_id, BoughtRow.programme_id == programme_id)
    total = func.coalesce(own.scalar_subquery(), 0) + _bought_before(wallet_id, programme_id)
    return int((await tx.connection.execute(select(total))).scalar_one())
