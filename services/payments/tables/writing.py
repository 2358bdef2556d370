"""Statements that write payments, cancels, refunds and register's codes."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import Insert, insert

from services.kit.db import Tx
from services.kit.sets import arrays, insert_later
from services.payments.payment import Leg, Payment, Return, TillCode
from services.payments.tables.schema import (
    AllocationRow,
    CodeUseRow,
    LegRow,
    PaymentRow,
    ReturnedRow,
    ReturnRow,
    TillCodeRow,
)

LEG = ("id", "deed_id", "kind", "payment_id", "programme_id", "store_id", "amount_yen", "effective_at")
ALLOCATION = ("leg_id", "lot_id", "turn", "paid_yen", "premium_yen")
PAYMENT = tuple(Payment.__dataclass_fields__)


def _legs(tx: Tx, legs: Sequence[Leg], turns: Mapping[UUID, int]) -> dict[str, list[Any]]:
    """The values of legs and their allocations; `turns` says in which turn each lot was spent, over all legs."""
    rows = [
        {
            "id": leg.id,
            "deed_id": leg.deed_id,
            "kind": leg.kind.value,
            "payment_id": leg.payment_id,
            "programme_id": leg.programme_id,
            "store_id": leg.store_id,
            "amount_yen": leg.amount_yen,
            "effective_at": tx.now,
        }
        for leg in legs
    ]
    parts = [
        {
            "leg_id": leg.id,
            "lot_id": part.lot_id,
            "turn": turns[part.lot_id],
            "paid_yen": part.paid_yen,
            "premium_yen": part.premium_yen,
        }
        for leg in legs
        for part in leg.parts
    ]
    return arrays(LegRow.__tablename__, LEG, rows) | arrays(AllocationRow.__tablename__, ALLOCATION, parts)


def _write_legs() -> Insert:
    legs = insert_later(LegRow, LEG).cte("legs")
    return insert_later(AllocationRow, ALLOCATION).add_cte(legs)


@cache
def _write_payment(with_code: bool) -> Insert:
    head = insert(PaymentRow).values({key: bindparam(f"head_{key}") for key in PAYMENT}).cte("head")
    statement = _write_legs().add_cte(head)
    if with_code:
        used = insert(CodeUseRow).values(code_id=bindparam("code_id"), payment_id=bindparam("head_id")).cte("used")
        statement = statement.add_cte(used)
    return statement


async def insert_payment(
    tx: Tx, payment: Payment, legs: Sequence[Leg], turns: Mapping[UUID, int], code_id: UUID | None
) -> None:
    """A payment with its legs, allocations and the code that it used up, in one statement.

    `turns` says of each lot in which turn it was spent, over all legs.
    """
    head = vars(payment) | {"mode": payment.mode.value}
    values = {f"head_{key}": head[key] for key in PAYMENT} | _legs(tx, legs, turns)
    if code_id is not None:
        values["code_id"] = code_id
    await tx.connection.execute(_write_payment(code_id is not None), values)


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
    await tx.connection.execute(insert(TillCodeRow).values(vars(code) | {"made_at": tx.now}))
