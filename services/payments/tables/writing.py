"""Statements that write payments, cancels, refunds and register's codes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import CTE
from sqlalchemy.dialects.postgresql import insert

from services.kit.db import Tx
from services.kit.sets import insert_rows
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


def _write_legs(tx: Tx, legs: Sequence[Leg]) -> CTE:
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
    return insert_rows(LegRow, rows).cte("legs")


def _allocations(legs: Sequence[Leg], turns: Mapping[UUID, int]) -> list[dict[str, object]]:
    return [
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


async def insert_payment(
    tx: Tx, payment: Payment, legs: Sequence[Leg], turns: Mapping[UUID, int], code_id: UUID | None
) -> None:
    """A payment with its legs, allocations and the code that it used up, in one statement.

    `turns` says of each lot in which turn it was spent, over all legs.
    """
    head = insert(PaymentRow).values(vars(payment) | {"mode": payment.mode.value}).cte("head")
    statement = insert_rows(AllocationRow, _allocations(legs, turns)).add_cte(head, _write_legs(tx, legs))
    if code_id is not None:
        used = insert(CodeUseRow).values(code_id=code_id, payment_id=payment.id).cte("used")
        statement = statement.add_cte(used)
    await tx.connection.execute(statement)


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
    statement = insert_rows(AllocationRow, _allocations(legs, turns))
    await tx.connection.execute(statement.add_cte(head, count.cte("counted"), _write_legs(tx, legs)))


async def insert_till_code(tx: Tx, code: TillCode) -> None:
    await tx.connection.execute(insert(TillCodeRow).values(vars(code) | {"made_at": tx.now}))
