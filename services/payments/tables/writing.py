"""Statements that write payments, cancels, refunds and register's codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Executable, Integer, Text, Uuid, bindparam, cast, literal_column, select
from sqlalchemy.dialects.postgresql import Insert, insert

from services.kit.db import Tx
from services.kit.frozen import quick
from services.kit.sets import by_columns, insert_later, rows_later, values_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.payments.payment import DeedKind, Leg, Payment, Return, TillCode
from services.payments.tables.schema import (
    AllocationRow,
    CodeUseRow,
    LegRow,
    PaidLatelyRow,
    PaymentRow,
    ReturnedRow,
    ReturnRow,
    TillCodeRow,
)
from services.payments.velocity import Velocity, hour_of, is_counted

LEG = ("id", "deed_id", "kind", "payment_id", "programme_id", "store_id", "amount_yen", "effective_at")
ALLOCATION = ("leg_id", "lot_id", "turn", "paid_yen", "premium_yen")


@quick
@dataclass(frozen=True)
class Made:
    """A payment to be written: its legs, the turn in which each lot was spent, the use of a code if there was one."""

    payment: Payment
    legs: Sequence[Leg]
    turns: Mapping[UUID, int]
    code_id: UUID | None


def _legs(tx: Tx, legs: Sequence[Leg], turns: Mapping[UUID, int]) -> dict[str, list[Any]]:
    """The values of legs and their allocations; `turns` says in which turn each lot was spent, over all legs."""
    rows = [
        (leg.id, leg.deed_id, leg.kind.value, leg.payment_id, leg.programme_id, leg.store_id, leg.amount_yen, tx.now)
        for leg in legs
    ]
    parts = [
        (leg.id, part.lot_id, turns[part.lot_id], part.paid_yen, part.premium_yen) for leg in legs for part in leg.parts
    ]
    return by_columns(LegRow.__tablename__, LEG, rows) | by_columns(AllocationRow.__tablename__, ALLOCATION, parts)


def _write_legs() -> Insert:
    legs = insert_later(LegRow, LEG).cte("legs")
    return insert_later(AllocationRow, ALLOCATION).add_cte(legs)


_PAYMENT_SQL = (
    "id",
    "number",
    "wallet_id",
    "store_id",
    "mode",
    "amount_yen",
    "balance_after_yen",
    "acted_by",
    "register_id",
)


_PAID_LEG = ("id", "payment_id", "programme_id", "store_id", "amount_yen")


def _write_payments() -> Executable:
    """Payments, their legs and allocations, and the codes that they used up.

    Codes are written first and in the order of their ids: where two processes write the same one, the
    second waits or fails there, and never in a ring.
    """
    codes = values_later("code", code_id=Uuid(), payment_id=Uuid())
    used = insert(CodeUseRow).from_select(
        ["code_id", "payment_id"], select(codes.c.code_id, codes.c.payment_id).order_by(codes.c.code_id)
    )
    at = cast(bindparam("effective_at", type_=Instant), Instant)
    paid = rows_later(PaymentRow.__tablename__, tuple(getattr(PaymentRow, key) for key in _PAYMENT_SQL))
    heads = insert(PaymentRow).from_select(
        [*_PAYMENT_SQL, "effective_at"], select(*(paid.c[key] for key in _PAYMENT_SQL), at)
    )
    leg = rows_later(LegRow.__tablename__, tuple(getattr(LegRow, key) for key in _PAID_LEG))
    kind = literal_column(f"'{DeedKind.PAYMENT.value}'", Text)
    legs = insert(LegRow).from_select(
        [*_PAID_LEG, "deed_id", "kind", "effective_at"],
        select(*(leg.c[key] for key in _PAID_LEG), leg.c.payment_id, kind, at),
    )
    allocations = insert_later(AllocationRow, ALLOCATION)
    return allocations.add_cte(used.cte("used"), heads.cte("heads"), legs.cte("legs"), _count_large().cte("counted"))


def _count_large() -> Insert:
    """Large payments into their wallets' hours; each wallet once, and locked."""
    large = values_later("large", wallet_id=Uuid(), paid_yen=BigInteger())
    hour = cast(bindparam("hour_began", type_=Instant), Instant)
    most = (bindparam("most_payments", type_=Integer()), bindparam("most_yen", type_=BigInteger()))
    count = insert(PaidLatelyRow).from_select(
        ["wallet_id", "paid_yen", "began_at", "payments", "most_payments", "most_yen"],
        select(large.c.wallet_id, large.c.paid_yen, hour, literal_column("1", Integer), *most),
    )
    return count.on_conflict_do_update(
        index_elements=["wallet_id", "began_at"],
        set_={
            "payments": PaidLatelyRow.payments + 1,
            "paid_yen": PaidLatelyRow.paid_yen + count.excluded.paid_yen,
            "most_payments": count.excluded.most_payments,
            "most_yen": count.excluded.most_yen,
        },
    )


_WRITE_PAYMENTS = Statement(_write_payments)


async def insert_payments(tx: Tx, made: Sequence[Made], velocity: Velocity) -> None:
    """Payments with their legs and allocations, the codes that they used up and their hours, all in one statement."""
    payments = [each.payment for each in made]
    columns = zip(*(_columns(payment) for payment in payments), strict=True)
    values: dict[str, Any] = {f"payment_{key}": list(of) for key, of in zip(_PAYMENT_SQL, columns, strict=True)}
    values["code_code_id"] = [each.code_id for each in made if each.code_id is not None]
    values["code_payment_id"] = [each.payment.id for each in made if each.code_id is not None]
    values["effective_at"] = tx.now
    large = [payment for payment in payments if is_counted(payment.amount_yen)]
    values |= {"large_wallet_id": [each.wallet_id for each in large], "hour_began": hour_of(tx.now)}
    values |= {"large_paid_yen": [each.amount_yen for each in large], "most_yen": velocity.an_hour.yen}
    values["most_payments"] = velocity.an_hour.payments
    legs = [
        (leg.id, leg.payment_id, leg.programme_id, leg.store_id, leg.amount_yen) for each in made for leg in each.legs
    ]
    parts = [
        (leg.id, part.lot_id, each.turns[part.lot_id], part.paid_yen, part.premium_yen)
        for each in made
        for leg in each.legs
        for part in leg.parts
    ]
    values |= by_columns(LegRow.__tablename__, _PAID_LEG, legs)
    values |= by_columns(AllocationRow.__tablename__, ALLOCATION, parts)
    await _WRITE_PAYMENTS.rows(tx, values)


def _columns(payment: Payment) -> tuple[Any, ...]:
    return (
        payment.id,
        payment.number,
        payment.wallet_id,
        payment.store_id,
        payment.mode,
        payment.amount_yen,
        payment.balance_after_yen,
        payment.acted_by,
        payment.register_id,
    )


async def insert_return(
    tx: Tx, returned: Return, paid_yen: int, legs: Sequence[Leg], turns: Mapping[UUID, int]
) -> None:
    """A cancel or refund with its legs and allocations, and the payment's counter, in one statement.

    The counter's CHECK is the guarantee that no more goes back than was paid.
    """
    head = insert(ReturnRow).values(vars(returned) | {"kind": returned.kind.value}).cte("head")
    count = insert(ReturnedRow).values(
        payment_id=returned.payment_id, paid_yen=paid_yen, returned_yen=returned.amount_yen
    )
    count = count.on_conflict_do_update(
        index_elements=["payment_id"],
        set_={"returned_yen": ReturnedRow.returned_yen + count.excluded.returned_yen},
    )
    statement = _write_legs().add_cte(head, count.cte("counted"))
    await tx.connection.execute(statement, _legs(tx, legs, turns))


async def insert_till_code(tx: Tx, code: TillCode) -> None:
    values = {f"new_{name}": getattr(code, name) for name in _TILL_CODE}
    await _INSERT_TILL_CODE.rows(tx, values | {"new_made_at": tx.now})


_TILL_CODE = tuple(TillCode.__dataclass_fields__)


def _write_till_code() -> Insert:
    columns = (getattr(TillCodeRow, name) for name in (*_TILL_CODE, "made_at"))
    return insert(TillCodeRow).values({each.key: bindparam(f"new_{each.key}", type_=each.type) for each in columns})


_INSERT_TILL_CODE = Statement(_write_till_code)
