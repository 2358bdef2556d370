"""Proofs that are made by themselves and on demand, and kept where nobody alters them."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.prover import AGAIN_AFTER, Prover
from services.kit.db import Tx
from services.kit.errors import Busy
from services.proof import read
from services.proof.ask import ask
from services.proof.kept import KeptProof, Standing
from services.proof.proof import Proof
from services.proof.prove import prove
from tests.http_town import HttpTown
from tests.town import NOON, OFFICER

MIDNIGHT = NOON.replace(hour=0)


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    made = HttpTown(engine)
    await made.programme()
    return made


async def kept(town: HttpTown) -> list[KeptProof]:
    return await town.database.transact(read.proofs, read.ProofPage(None, 100))


async def standing(town: HttpTown) -> Standing:
    return await town.database.transact(read.standing, None)


async def spoil(migrator_engine: AsyncEngine) -> None:
    async with migrator_engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE programme_stock SET sold_units = 7")


async def test_the_books_are_proven_once_a_night(town: HttpTown, caplog: pytest.LogCaptureFixture) -> None:
    prover = Prover(town.database)
    for hour, expected in ((2, 1), (3, 1), (4, 0), (23, 0), (26, 0), (27, 1), (28, 0)):
        town.go_to(MIDNIGHT + timedelta(hours=hour))
        assert await prover.prove() == expected, hour
    assert not caplog.records
    assert [each.began_at - MIDNIGHT for each in await kept(town)] == [timedelta(hours=hour) for hour in (27, 3, 2)]


async def test_a_worker_that_starts_again_proves_nothing_twice(town: HttpTown) -> None:
    assert [await Prover(town.database).prove() for _ in range(3)] == [1, 0, 0]


async def test_whoever_asks_gets_a_proof_that_began_later(town: HttpTown) -> None:
    prover = Prover(town.database)
    assert await prover.prove() == 1
    town.wait(minutes=1)
    await town.database.transact(ask, OFFICER)
    assert (await standing(town)).last_wish == (await standing(town)).wish is not None
    town.wait(seconds=15)
    assert [await prover.prove() for _ in range(2)] == [1, 0]
    assert len(await kept(town)) == 2
    assert (await standing(town)).wish is None


async def test_whoever_asks_while_a_proof_is_under_way_gets_another_and_all_of_them_the_same(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    prover, while_proving = Prover(town.database), []

    async def ask_meanwhile(tx: Tx) -> Proof:
        for _ in range(3):
            town.wait(seconds=1)
            while_proving.append(await town.database.transact(ask, OFFICER))
        return await prove(tx)

    first = await town.database.transact(ask, OFFICER)
    town.wait(seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr("infra.prover.prove", ask_meanwhile)
        assert await prover.prove() == 1
    assert first not in while_proving
    assert len(set(while_proving)) == 1
    wish = (await standing(town)).wish
    assert wish is not None
    assert wish.id == while_proving[0].id
    assert [await prover.prove() for _ in range(2)] == [0, 0]
    town.wait(seconds=3)
    assert [await prover.prove() for _ in range(2)] == [1, 0]
    assert (await standing(town)).wish is None


async def test_however_often_somebody_asks_half_of_the_time_nothing_is_proven(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take_ten_minutes(tx: Tx) -> Proof:
        town.wait(minutes=10)
        return await prove(tx)

    monkeypatch.setattr("infra.prover.prove", take_ten_minutes)
    prover, began = Prover(town.database), town.database.clock.now()
    made = 0
    while town.database.clock.now() < began + timedelta(hours=2):
        await town.database.transact(ask, OFFICER)
        town.wait(seconds=15)
        made += await prover.prove()
    assert made == 6


async def test_who_asks_after_a_proof_that_never_ended_is_answered_by_the_next(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> Proof:
        raise TimeoutError("too many rows")

    before = await town.database.transact(ask, OFFICER)
    town.wait(seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr("infra.prover.prove", fail)
        with pytest.raises(Busy):
            await Prover(town.database).prove()
    town.wait(seconds=1)
    after = [await town.database.transact(ask, OFFICER) for _ in range(2)]
    assert before.id != after[0].id == after[1].id
    town.wait(seconds=1)
    assert await Prover(town.database).prove() == 1
    assert (await standing(town)).wish is None


async def test_a_broken_law_is_named_in_the_log_and_kept(
    town: HttpTown, migrator_engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await spoil(migrator_engine)
    assert await Prover(town.database).prove() == 1
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "the books do not prove: stock_counters")
    [found] = await kept(town)
    assert not found.clean
    assert [law.name for law in found.broken] == ["stock_counters"]
    assert found.broken[0].example is not None


async def test_what_is_kept_is_what_was_found(town: HttpTown) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 1_234)
    assert await Prover(town.database).prove() == 1
    [found] = await kept(town)
    proof = await town.database.transact(_prove, None)
    same = {check.name: check for check in proof.checks}
    assert found.laws == len(proof.checks) > 70
    assert all(check == same[check.name] for check in found.checks)


async def test_a_proof_that_fails_is_not_begun_again_at_once(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> Proof:
        raise TimeoutError("too many rows")

    prover = Prover(town.database)
    with monkeypatch.context() as patched:
        patched.setattr("infra.prover.prove", fail)
        with pytest.raises(Busy):
            await prover.prove()
        assert await prover.prove() == 0
    town.wait(seconds=AGAIN_AFTER.total_seconds() - 1)
    assert await prover.prove() == 0
    town.wait(seconds=1)
    assert await prover.prove() == 1


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)
