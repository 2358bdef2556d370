"""What a row can never say: the last line behind the code, held by PostgreSQL whoever writes.

Each statement is tried with the rights of the tables' owner, who is refused too.
"""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Base, broken_constraint
from tests.town import APPROVER, OFFICER, Town

BROKEN: dict[str, tuple[str, str]] = {
    "ck_lot_paid": ("lot", "UPDATE lot SET paid_yen = paid_yen - 6001 WHERE purse = 'common'"),
    "ck_lot_premium": ("lot", "UPDATE lot SET premium_yen = premium_issued_yen + 1"),
    "ck_spent_today_limit": ("spent_today", "UPDATE spent_today SET spent_yen = limit_yen + 1"),
    "ck_bought_cap": ("bought", "UPDATE bought SET bought_yen = cap_yen + 1"),
    "ck_programme_stock_units": ("programme_stock", "UPDATE programme_stock SET sold_units = total_units + 1"),
    "ck_programme_stock_not_negative": ("programme_stock", "UPDATE programme_stock SET reserved_units = -1"),
    "ck_programme_stock_grants": (
        "programme_stock",
        "UPDATE programme_stock SET granted_points = grant_budget_points + 1",
    ),
    "ck_payment_returned_returned": (
        "payment_returned",
        "UPDATE payment_returned SET returned_yen = paid_yen + 1",
    ),
    "ck_programme_approval_second_officer": (
        "programme_approval",
        "INSERT INTO programme_approval SELECT id, 2, :one, :one, now() FROM programme",
    ),
    "pk_code_use": ("code_use", "INSERT INTO code_use SELECT code_id, gen_random_uuid() FROM code_use"),
    "uq_ledger_journal_reverses_id": (
        "ledger_journal",
        "INSERT INTO ledger_journal (id, programme_id, kind, deed_id, reverses_id, effective_at) "
        "SELECT gen_random_uuid(), programme_id, 'correction', deed_id, :one, now() FROM ledger_journal",
    ),
    "uq_wallet_person_id": (
        "wallet",
        "INSERT INTO wallet SELECT gen_random_uuid(), number || 'X', person_id, status, opened_at FROM wallet",
    ),
}
"""Constraint → its table, and a statement that only it stands against."""


async def a_row_of_each(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.grant(who, 10)
    await town.refund(shop, await town.pay(who, shop, 1_000), 10)


async def must_be_refused(migrator_engine: AsyncEngine, constraint: str) -> None:
    """The statement breaks exactly this constraint."""
    _, statement = BROKEN[constraint]
    with pytest.raises(IntegrityError) as caught:
        async with migrator_engine.begin() as connection:
            await connection.execute(text(statement), {"one": OFFICER, "two": APPROVER} if ":one" in statement else {})
    assert broken_constraint(caught.value) == constraint


@pytest.mark.parametrize("constraint", sorted(BROKEN))
async def test_what_no_row_may_say_is_refused_by_the_database(
    engine: AsyncEngine, migrator_engine: AsyncEngine, constraint: str
) -> None:
    await a_row_of_each(engine)
    await must_be_refused(migrator_engine, constraint)


@pytest.mark.parametrize("constraint", sorted(BROKEN))
async def test_teeth_without_its_constraint_the_row_says_it(
    engine: AsyncEngine, migrator_engine: AsyncEngine, constraint: str
) -> None:
    await a_row_of_each(engine)
    table, _ = BROKEN[constraint]
    is_index = constraint in {index.name for index in Base.metadata.tables[table].indexes}
    without = f"DROP INDEX {constraint}" if is_index else f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE"
    async with migrator_engine.begin() as connection:
        await connection.execute(text(without))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await must_be_refused(migrator_engine, constraint)
