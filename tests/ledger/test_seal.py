"""Seals: the same chain in steps of any size, nothing missed however late it commits, no search that grows."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.worker import Sealer
from services.kit import horizon
from services.kit import seal as sealing
from services.ledger import seal
from services.ledger.seal import JOURNALS
from services.payments.order import PayStore
from services.payments.pay import pay_store
from tests.town import Town


@pytest.fixture(autouse=True)
def no_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests live within the minute by which the sealer looks further back than it must."""
    monkeypatch.setattr(horizon, "CLOCK_MARGIN", horizon.CLOCK_MARGIN * 0)


async def chain(engine: AsyncEngine) -> list[tuple[int, bytes]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT position, hash FROM ledger_seal ORDER BY position"))
        return [(row[0], bytes(row[1])) for row in rows]


async def unsealed(engine: AsyncEngine) -> int:
    query = "SELECT count(*) FROM ledger_journal j WHERE NOT EXISTS (SELECT FROM ledger_seal WHERE journal_id = j.id)"
    async with engine.connect() as connection:
        return int((await connection.execute(text(query))).scalar_one())


async def lose_seals(migrator: AsyncEngine, where: str = "true") -> None:
    async with migrator.begin() as connection:
        for words in (
            "ALTER TABLE ledger_seal DISABLE TRIGGER USER",
            f"DELETE FROM ledger_seal WHERE {where}",
            "ALTER TABLE ledger_seal ENABLE TRIGGER USER",
        ):
            await connection.execute(text(words))


async def test_small_steps_lay_the_same_chain_as_large_ones(engine: AsyncEngine, migrator_engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    for _ in range(9):
        await town.grant(await town.resident(), 100)
    assert await town.do(seal.seal, 100) == 9
    at_once = await chain(engine)
    await lose_seals(migrator_engine)
    after = None
    for expected in (2, 2, 2, 2, 1, 0):
        step = await town.do(sealing.seal_stretch, sealing.Stretch(JOURNALS, after, limit=2))
        assert step.entries == expected
        after = step.last or after
    assert await chain(engine) == at_once
    await town.must_prove()


async def test_what_commits_late_is_sealed_however_many_runs_came_between(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, other, shop = await town.resident(), await town.resident(), await town.shop()
    await town.buy(who)
    await town.buy(other)
    sealer = Sealer(town.database, JOURNALS)
    assert await sealer.seal() == 2
    async with town.database.begin() as slow:
        await pay_store(slow, PayStore(who.account_id, who.wallet.id, shop.code, 1_000))
        for _ in range(3):
            await town.pay_store(other, shop, 100)
            assert await sealer.seal() == 1
    assert await unsealed(engine) == 1
    assert await sealer.seal() == 1
    assert await unsealed(engine) == 0
    assert await sealer.seal() == 0
    await town.must_prove()


async def test_a_run_looks_no_further_back_than_it_must_and_the_first_looks_everywhere(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    """What cannot be missing is not searched for: only a lost seal shows that. `prove` finds the gap."""
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    sealer = Sealer(town.database, JOURNALS)
    while sealer.horizon.since is None:  # the server's own housekeeping may hold it back for a moment
        await sealer.seal()
    await lose_seals(migrator_engine)
    await town.pay_store(who, shop, 1_000)
    assert await sealer.seal() == 1
    assert await unsealed(engine) == 1
    assert await Sealer(town.database, JOURNALS).seal() == 1
    assert await unsealed(engine) == 0


async def test_a_run_that_was_cut_short_forgets_nothing(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(engine)
    await town.programme()
    for _ in range(3):
        await town.grant(await town.resident(), 100)
    monkeypatch.setattr("infra.worker.MAX_ROUNDS", 1)
    monkeypatch.setattr(sealing.Stretch.__init__, "__defaults__", (None, 1))
    sealer = Sealer(town.database, JOURNALS)
    assert [await sealer.seal() for _ in range(4)] == [1, 1, 1, 0]
    assert await unsealed(engine) == 0
