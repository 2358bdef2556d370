"""Statements that read payments, and what a payment must read of a store."""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, case, func, select

from services.identity.clauses import is_open
from services.kit.db import Tx
from services.kit.sets import any_of
from services.merchants import clauses
from services.merchants.at_till import StoreAtTill, store_at_till
from services.payments.payment import DeedKind, Mode, Payment, Return, TillCode
from services.payments.tables.schema import (
    AllocationRow,
    CodeUseRow,
    LegRow,
    PaymentRow,
    ReturnedRow,
    ReturnRow,
    TillCodeRow,
)

PAYMENT = tuple(getattr(PaymentRow, name) for name in Payment.__dataclass_fields__)
RETURN = tuple(getattr(ReturnRow, name) for name in Return.__dataclass_fields__)
TILL_CODE = tuple(getattr(TillCodeRow, name) for name in TillCode.__dataclass_fields__)


def _payment(row: Any) -> Payment:
    values = dict(zip(Payment.__dataclass_fields__, row, strict=True))
    values["mode"] = Mode(values["mode"])
    return Payment(**values)


def _return(row: Any) -> Return:
    values = dict(zip(Return.__dataclass_fields__, row, strict=True))
    values["kind"] = DeedKind(values["kind"])
    return Return(**values)


async def store_by_id(tx: Tx, store_id: UUID, account_id: UUID) -> StoreAtTill | None:
    """The store and what the account may do there; None for an account that is disabled."""
    values = {"store_id": store_id, "account_id": account_id}
    row = (await tx.connection.execute(_staffed_store(), values)).one_or_none()
    return store_at_till(row) if row else None


async def store_named(tx: Tx, store_id: UUID) -> StoreAtTill | None:
    """The store as anybody may know it."""
    row = (await tx.connection.execute(clauses.stores_at_till(None).where(clauses.store_id == store_id))).one_or_none()
    return store_at_till(row) if row else None


async def store_by_code(tx: Tx, code: str) -> StoreAtTill | None:
    row = (await tx.connection.execute(_store_of_code(), {"code": code})).one_or_none()
    return store_at_till(row) if row else None


async def store_by_till_code(tx: Tx, number: str) -> tuple[StoreAtTill, TillCode, bool] | None:
    """The store of a register's code, the code, and whether it has paid already."""
    row = (await tx.connection.execute(_store_of_till(), {"number": number})).one_or_none()
    if row is None:
        return None
    return store_at_till(row[:8]), TillCode(*row[8:-1]), row[-1]


@cache
def _staffed_store() -> Select[*tuple[Any, ...]]:
    account: BindParameter[Any] = bindparam("account_id")
    return clauses.stores_at_till(account).where(clauses.store_id == bindparam("store_id"), is_open(account))


@cache
def _store_of_code() -> Select[*tuple[Any, ...]]:
    return clauses.stores_at_till(None).where(clauses.store_code == bindparam("code"))


@cache
def _store_of_till() -> Select[*tuple[Any, ...]]:
    used = select(CodeUseRow.code_id).where(CodeUseRow.code_id == TillCodeRow.id).exists()
    query = clauses.stores_at_till(None).join(TillCodeRow, TillCodeRow.store_id == clauses.store_id)
    return query.where(TillCodeRow.number == bindparam("number")).add_columns(*TILL_CODE, used)


async def find_till_code(tx: Tx, store_id: UUID, till_code_id: UUID) -> tuple[TillCode, UUID | None] | None:
    """A store's register's code, and the payment that used it."""
    query = select(*TILL_CODE, CodeUseRow.payment_id).outerjoin(CodeUseRow, CodeUseRow.code_id == TillCodeRow.id)
    query = query.where(TillCodeRow.id == till_code_id, TillCodeRow.store_id == store_id)
    row = (await tx.connection.execute(query)).one_or_none()
    return (TillCode(*row[:-1]), row[-1]) if row else None


async def find_payment(tx: Tx, payment_id: UUID) -> Payment | None:
    row = (await tx.connection.execute(select(*PAYMENT).where(PaymentRow.id == payment_id))).one_or_none()
    return _payment(row) if row else None


async def find_payments(tx: Tx, payment_ids: Collection[UUID]) -> dict[UUID, Payment]:
    query = select(*PAYMENT).where(PaymentRow.id == any_of(payment_ids))
    return {row[0]: _payment(row) for row in await tx.connection.execute(query)}


async def find_returns(
    tx: Tx, *, payment_ids: Collection[UUID] = (), return_ids: Collection[UUID] = ()
) -> list[Return]:
    """Cancels and refunds, by what they return or by their own ids, oldest first."""
    column, ids = (ReturnRow.payment_id, payment_ids) if payment_ids else (ReturnRow.id, return_ids)
    query = select(*RETURN).where(column == any_of(ids)).order_by(ReturnRow.id)
    return [_return(row) for row in await tx.connection.execute(query)]


async def payments_of_store(
    tx: Tx, store_id: UUID, since: datetime, until: datetime, after: UUID | None, limit: int
) -> list[tuple[Payment, int]]:
    """A store's payments of a time, newest first, each with the yen that went back of it."""
    query = (
        select(*PAYMENT, func.coalesce(ReturnedRow.returned_yen, 0))
        .outerjoin(ReturnedRow, ReturnedRow.payment_id == PaymentRow.id)
        .where(PaymentRow.store_id == store_id, PaymentRow.effective_at >= since, PaymentRow.effective_at < until)
        .order_by(PaymentRow.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(PaymentRow.id < after)
    return [(_payment(row[:-1]), row[-1]) for row in await tx.connection.execute(query)]


async def sum_store(tx: Tx, store_id: UUID, since: datetime, until: datetime) -> dict[DeedKind, tuple[int, int]]:
    """A store's deeds of a time: kind → (number of deeds, yen)."""
    query = (
        select(LegRow.kind, func.count(LegRow.deed_id.distinct()), func.sum(LegRow.amount_yen))
        .where(LegRow.store_id == store_id, LegRow.effective_at >= since, LegRow.effective_at < until)
        .group_by(LegRow.kind)
    )
    return {DeedKind(row[0]): (row[1], int(row[2])) for row in await tx.connection.execute(query)}


async def parts_of_payment(tx: Tx, payment_id: UUID) -> list[tuple[UUID, UUID, int]]:
    """What each lot paid: (programme, lot, yen), in the order of spending."""
    yen = AllocationRow.paid_yen + AllocationRow.premium_yen
    query = (
        select(LegRow.programme_id, AllocationRow.lot_id, yen)
        .join(AllocationRow, AllocationRow.leg_id == LegRow.id)
        .where(LegRow.payment_id == payment_id, LegRow.kind == DeedKind.PAYMENT.value)
        .order_by(AllocationRow.turn)
    )
    return [(row[0], row[1], row[2]) for row in await tx.connection.execute(query)]


async def outstanding(tx: Tx, payment_id: UUID) -> list[tuple[int, UUID, UUID, int, int]]:
    """What a payment took from each lot less what went back: (turn, lot, programme, paid yen, premium yen)."""
    is_payment = LegRow.kind == DeedKind.PAYMENT.value
    sign = case((is_payment, 1), else_=-1)
    query = (
        select(
            func.max(case((is_payment, AllocationRow.turn))),
            AllocationRow.lot_id,
            LegRow.programme_id,
            func.sum(sign * AllocationRow.paid_yen),
            func.sum(sign * AllocationRow.premium_yen),
        )
        .join(AllocationRow, AllocationRow.leg_id == LegRow.id)
        .where(LegRow.payment_id == payment_id)
        .group_by(AllocationRow.lot_id, LegRow.programme_id)
    )
    return [(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in await tx.connection.execute(query)]
