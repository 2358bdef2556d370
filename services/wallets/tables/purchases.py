"""Statements on purchases and on what each wallet has bought."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.kit.db import Tx
from services.kit.statements import Statement
from services.wallets.purchase import Purchase, PurchaseStatus
from services.wallets.tables.access import in_line_of, merged_into
from services.wallets.tables.schema import BoughtRow, PurchaseRow

Id = UUID | ColumnElement[UUID]
PURCHASE = tuple(getattr(PurchaseRow, name) for name in Purchase.__dataclass_fields__)


def _purchase(row: Any) -> Purchase:
    values = dict(zip(Purchase.__dataclass_fields__, row, strict=True))
    values["status"] = PurchaseStatus(values["status"])
    return Purchase(**values)


async def insert_purchase(tx: Tx, purchase: Purchase) -> None:
    values = {f"new_{name}": getattr(purchase, name) for name in Purchase.__dataclass_fields__}
    await _INSERT.rows(tx, values | {"new_status": purchase.status.value})


def _insert() -> Executable:
    return insert(PurchaseRow).values({each.key: bindparam(f"new_{each.key}", type_=each.type) for each in PURCHASE})


async def find_purchase(tx: Tx, purchase_id: UUID) -> Purchase | None:
    rows = await _OF_ID.rows(tx, {"purchase_id": purchase_id})
    return _purchase(rows[0]) if rows else None


async def find_by_checkout(tx: Tx, checkout_id: str) -> Purchase | None:
    rows = await _OF_CHECKOUT.rows(tx, {"checkout_id": checkout_id})
    return _purchase(rows[0]) if rows else None


_INSERT = Statement(_insert)
_OF_ID = Statement(lambda: select(*PURCHASE).where(PurchaseRow.id == bindparam("purchase_id", type_=Uuid())))
_OF_CHECKOUT = Statement(
    lambda: select(*PURCHASE).where(PurchaseRow.checkout_id == bindparam("checkout_id", type_=Text()))
)


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
    await _ATTACH.rows(tx, {"purchase_id": purchase_id, "its_checkout": checkout_id})


def _attach() -> Executable:
    its = PurchaseRow.id == bindparam("purchase_id", type_=Uuid())
    return update(PurchaseRow).where(its).values(checkout_id=bindparam("its_checkout", type_=Text()))


_ATTACH = Statement(_attach)


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
    values = {"of_wallet": wallet_id, "of_programme": programme_id, "yen": yen, "most_yen": cap_yen}
    if await _COUNT_BOUGHT.rows(tx, values):
        return None
    return max(0, cap_yen - await bought(tx, wallet_id, programme_id))


def _count_bought() -> Executable:
    wallet_id, programme_id = (bindparam(name, type_=Uuid()) for name in ("of_wallet", "of_programme"))
    yen, cap_yen = (cast(bindparam(name, type_=BigInteger()), BigInteger) for name in ("yen", "most_yen"))
    before = _bought_before(wallet_id, programme_id)
    row = (cast(wallet_id, Uuid()), cast(programme_id, Uuid()), yen, cap_yen)
    fits = select(*row).where(before + yen <= cap_yen)
    statement = insert(BoughtRow).from_select(["wallet_id", "programme_id", "bought_yen", "cap_yen"], fits)
    return statement.on_conflict_do_update(
        index_elements=["wallet_id", "programme_id"],
        set_={"bought_yen": BoughtRow.bought_yen + yen, "cap_yen": cap_yen},
        where=BoughtRow.bought_yen + before + yen <= cap_yen,
    ).returning(BoughtRow.bought_yen)


_COUNT_BOUGHT = Statement(_count_bought)


def _bought_before(wallet_id: Id, programme_id: Id) -> ColumnElement[int]:
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
