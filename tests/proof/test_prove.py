"""The auditor is trusted because it finds what was seeded: every law has a corruption that it must see."""

import pytest
from sqlalchemy.exc import DBAPIError

from infra.database.provision import DatabaseHandle
from services.kit.clock import OffsetClock
from services.kit.db import Database, Tx
from services.kit.ids import SeededEntropy
from services.proof.prove import audit, prove
from tests.proof import (
    corruptions_of_books,
    corruptions_of_merges,
    corruptions_of_payments,
    corruptions_of_settlement,
    corruptions_of_wallets,
)
from tests.proof.corruption import Corruption

ALL = (
    *corruptions_of_books.BOOKS,
    *corruptions_of_books.PROMISES,
    *corruptions_of_wallets.WALLETS,
    *corruptions_of_wallets.CARE,
    *corruptions_of_merges.MERGES,
    *corruptions_of_payments.PAYMENTS,
    *corruptions_of_settlement.SETTLEMENT,
    *corruptions_of_settlement.ACCOUNTS,
    *corruptions_of_settlement.BANK_FILES,
    *corruptions_of_settlement.GUARDS,
)


@pytest.mark.parametrize("corruption", ALL, ids=[f"{each.law}: {each.what}" for each in ALL])
async def test_what_is_corrupted_is_found(corruption: Corruption, intruder: Tx) -> None:
    for statement in corruption.statements:
        done = await intruder.connection.exec_driver_sql(statement)
        assert done.rowcount != 0, "the corruption hit nothing"
    proof = await audit(intruder)
    red = {check.name for check in proof.broken}
    assert corruption.law in red
    assert not proof.clean
    assert {check.example for check in proof.broken} != {None}
    assert not corruption.alone or red == {corruption.law}


async def test_a_consistent_town_is_clean_and_every_law_looked_at_something(town_database: DatabaseHandle) -> None:
    """With the application's rights, which suffice to read everything."""
    engine = town_database.app_engine()
    async with Database(engine, OffsetClock(), SeededEntropy(1)).begin() as tx:
        proof = await prove(tx)
    await engine.dispose()
    assert proof.broken == ()
    assert [check.name for check in proof.checks if check.expected == 0] == []


async def test_every_law_has_a_corruption(intruder: Tx) -> None:
    proof = await audit(intruder)
    names = [check.name for check in proof.checks]
    assert len(names) == len(set(names))
    assert set(names) == {each.law for each in ALL}


async def test_a_proof_can_alter_nothing(town_database: DatabaseHandle) -> None:
    engine = town_database.migrator_engine()
    async with Database(engine, OffsetClock(), SeededEntropy(1)).begin() as tx:
        await prove(tx)
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await tx.connection.exec_driver_sql("UPDATE lot SET paid_yen = 0")
    await engine.dispose()


async def test_a_proof_sees_one_instant(town_database: DatabaseHandle) -> None:
    """What commits while a proof runs belongs to the next one."""
    engine = town_database.migrator_engine()
    database = Database(engine, OffsetClock(), SeededEntropy(1))
    async with database.begin() as tx:
        before = await prove(tx)
        async with database.begin() as other:
            await other.connection.exec_driver_sql("UPDATE programme_stock SET sold_units = sold_units + 1")
        assert await audit(tx) == before
        async with database.begin() as other:
            await other.connection.exec_driver_sql("UPDATE programme_stock SET sold_units = sold_units - 1")
    await engine.dispose()
