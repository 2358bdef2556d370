"""Statements that read payments, and what a payment must read of a store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Executable,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import LateralFromClause

from services.identity.clauses import is_open
from services.kit.db import Tx
from services.kit.frozen import quick
from services.kit.ids import first_id_of
from services.kit.sets import any_of, values_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.merchants import clauses
from services.merchants.at_till import StoreAtTill, store_at_till
from services.payments.payment import DeedKind, Mode, Payment, Return, TillCode
from services.payments.tables.schema import (
    AllocationRow,
    CodeUseRow,
    LegRow,
    PaidLatelyRow,
    PaymentRow,
    ReturnRow,
    TillCodeRow,
)
from services.payments.velocity import Lately, day_of, hour_of

PAYMENT = tuple(getattr(PaymentRow, name) for name in Payment.__dataclass_fields__)
RETURN = tuple(getattr(ReturnRow, name) for name in Return.__dataclass_fields__)
TILL_CODE = tuple(getattr(TillCodeRow, name) for name in TillCode.__dataclass_fields__)


def payment_of(row: Any) -> Payment:
    values = dict(zip(Payment.__dataclass_fields__, row, strict=True))
    values["mode"] = Mode(values["mode"])
    return Payment(**values)


def _return(row: Any) -> Return:
    values = dict(zip(Return.__dataclass_fields__, row, strict=True))
    values["kind"] = DeedKind(values["kind"])
    return Return(**values)


async def store_by_id(tx: Tx, store_id: UUID, account_id: UUID) -> StoreAtTill | None:
    """The store and what the account may do there; None for an account that is disabled."""
    rows = await _STAFFED_STORE.rows(tx, {"store_id": store_id, "account_id": account_id})
    return store_at_till(rows[0]) if rows else None


async def store_named(tx: Tx, store_id: UUID) -> StoreAtTill | None:
    """The store as anybody may know it."""
    rows = await _STORE_OF_ID.rows(tx, {"store_id": store_id})
    return store_at_till(rows[0]) if rows else None


async def store_by_code(tx: Tx, code: str) -> StoreAtTill | None:
    rows = await _STORE_OF_CODE.rows(tx, {"code": code})
    return store_at_till(rows[0]) if rows else None


@quick
@dataclass(frozen=True)
class CounterAsked:
    """Where somebody wants to pay, by one of three names, and what must be known of it there.

    `account_id` is the staff's who acts, `person_id` the payer's, `carer_id` that of whoever pays for them;
    `code_id` is the use of a pay code. `wallet_id` is the payer's, where its latest payments matter.
    """

    person_id: UUID
    wallet_id: UUID | None = None
    carer_id: UUID | None = None
    store_id: UUID | None = None
    store_code: str | None = None
    till_number: str | None = None
    account_id: UUID | None = None
    code_id: UUID | None = None


@quick
@dataclass(frozen=True)
class Counter:
    """The store, the register's code if that was scanned, whether the code has paid already, the payer's latest."""

    store: StoreAtTill
    till_code: TillCode | None
    used: bool
    lately: Lately


def _counters() -> Executable:
    asked = values_later(
        "asked",
        n=Integer(),
        person_id=Uuid(),
        wallet_id=Uuid(),
        carer_id=Uuid(),
        store_id=Uuid(),
        store_code=Text(),
        till_number=Text(),
        account_id=Uuid(),
        code_id=Uuid(),
    )
    by_code = select(clauses.store_id).where(clauses.store_code == asked.c.store_code).scalar_subquery()
    wanted = (
        select(asked, *(each.label(f"found_{each.key}") for each in TILL_CODE))
        .add_columns(func.coalesce(asked.c.store_id, TillCodeRow.store_id, by_code).label("wanted_id"))
        .outerjoin(TillCodeRow, TillCodeRow.number == asked.c.till_number)
        .subquery("wanted")
    )
    code_id = func.coalesce(wanted.c.code_id, wanted.c.found_id)
    used = select(CodeUseRow.code_id).where(CodeUseRow.code_id == code_id).exists()
    # With a limit, each store is looked up by its key; without, all stores would be read for each batch.
    store = (
        clauses.stores_at_till(wanted.c.account_id, (wanted.c.person_id, wanted.c.carer_id))
        .where(clauses.store_id == wanted.c.wanted_id)
        .where(or_(wanted.c.account_id.is_(None), is_open(wanted.c.account_id)))
        .limit(1)
        .lateral("counter")
    )
    codes = (wanted.c[f"found_{each.key}"] for each in TILL_CODE)
    lately = _lately(wanted.c.wallet_id)
    found = select(*store.c, wanted.c.n, used, *lately.c, *codes)
    return found.select_from(wanted).join(store, true()).join(lately, true())


def _lately(wallet_id: ColumnElement[Any]) -> LateralFromClause:
    """The columns of `Lately`; the hour's row is one of the day's."""
    is_this_hour = PaidLatelyRow.began_at == bindparam("hour_began", type_=Instant)
    sums = (func.sum(PaidLatelyRow.payments), func.sum(PaidLatelyRow.paid_yen))
    return (
        select(*(func.coalesce(each.filter(is_this_hour), 0) for each in sums))
        .add_columns(*(func.coalesce(each, 0) for each in sums))
        .where(PaidLatelyRow.wallet_id == wallet_id, PaidLatelyRow.began_at >= bindparam("day_began", type_=Instant))
        .lateral("lately")
    )


_COUNTERS = Statement(_counters)
_ASKED = tuple(CounterAsked.__dataclass_fields__)


async def counters(tx: Tx, asked: Sequence[CounterAsked]) -> list[Counter | None]:
    """What is known of each place, in the order of asking; None for one that does not exist.

    An account that is disabled finds no store at all.
    """
    values: dict[str, Any] = {f"asked_{name}": [getattr(each, name) for each in asked] for name in _ASKED}
    values |= {"asked_n": list(range(len(asked))), "hour_began": hour_of(tx.now), "day_began": day_of(tx.now)}
    found: list[Counter | None] = [None] * len(asked)
    for row in await _COUNTERS.rows(tx, values):
        till_code = None if row[14] is None else TillCode(*row[14:])
        lately = Lately(*(int(each) for each in row[10:14]))
        found[row[8]] = Counter(store_at_till(row[:8]), till_code, row[9], lately)
    return found


def _staffed_store() -> Executable:
    account: BindParameter[Any] = bindparam("account_id", type_=Uuid())
    its = clauses.store_id == bindparam("store_id", type_=Uuid())
    return clauses.stores_at_till(account).where(its, is_open(account))


def _store_of_id() -> Executable:
    return clauses.stores_at_till(None).where(clauses.store_id == bindparam("store_id", type_=Uuid()))


def _store_of_code() -> Executable:
    return clauses.stores_at_till(None).where(clauses.store_code == bindparam("code", type_=Text()))


_STAFFED_STORE = Statement(_staffed_store)
_STORE_OF_ID = Statement(_store_of_id)
_STORE_OF_CODE = Statement(_store_of_code)


async def find_payment(tx: Tx, payment_id: UUID) -> Payment | None:
    rows = await _PAYMENT_OF_ID.rows(tx, {"payment_id": payment_id})
    return payment_of(rows[0]) if rows else None


_PAYMENT_OF_ID = Statement(lambda: select(*PAYMENT).where(PaymentRow.id == bindparam("payment_id", type_=Uuid())))


async def is_paid_since(tx: Tx, instant: datetime) -> bool:
    """Whether there is a payment of that instant or a later one, by its id."""
    return bool((await _PAID_SINCE.rows(tx, {"first_id": first_id_of(instant)}))[0][0])


def _paid_since() -> Executable:
    """The newest id is looked at: asked for any id that is newer, PostgreSQL may read the whole table for none."""
    newest = select(PaymentRow.id).order_by(PaymentRow.id.desc()).limit(literal_column("1")).scalar_subquery()
    return select(func.coalesce(newest >= bindparam("first_id", type_=Uuid()), false()))


_PAID_SINCE = Statement(_paid_since)


async def find_payments(tx: Tx, payment_ids: Collection[UUID]) -> dict[UUID, Payment]:
    query = select(*PAYMENT).where(PaymentRow.id == any_of(payment_ids))
    return {row[0]: payment_of(row) for row in await tx.connection.execute(query)}


async def find_returns(
    tx: Tx, *, payment_ids: Collection[UUID] = (), return_ids: Collection[UUID] = ()
) -> list[Return]:
    """Cancels and refunds, by what they return or by their own ids, oldest first."""
    statement, ids = (_RETURNS_OF, payment_ids) if payment_ids else (_RETURNS, return_ids)
    return [_return(row) for row in await statement.rows(tx, {"ids": list(ids)})]


def _returns(column: InstrumentedAttribute[UUID]) -> Executable:
    ids = func.any(cast(bindparam("ids", type_=ARRAY(Uuid())), ARRAY(Uuid())))
    return select(*RETURN).where(column == ids).order_by(ReturnRow.id)


_RETURNS_OF, _RETURNS = (Statement(partial(_returns, each)) for each in (ReturnRow.payment_id, ReturnRow.id))


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
