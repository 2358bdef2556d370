"""PostgreSQL is killed under load: what was acknowledged is kept, nothing is doubled, the server goes on."""

import asyncio
import os
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.benchmarks import checks
from infra.benchmarks.processes import serving
from infra.benchmarks.wire import payment_id
from infra.database import postmaster
from tests.faults.conftest import Place
from tests.faults.paying import PATIENCE_S, Crowd, Errand, Ledger, errands, faults, open_ledger, until
from tests.infra.test_embedded import kill_everything, until_gone

CLIENTS = 24


async def must_be_ours(place: Place) -> int:
    """The process id of the server behind the place's connections, which is the one on our own folder."""
    async with checks.owner(place.handle) as connection:
        folder = (await connection.execute(text("SHOW data_directory"))).scalar_one()
    assert Path(folder) == place.postgres.pgdata
    return place.postgres.pid


async def kill_database(place: Place, pid: int) -> None:
    """`kill -9` of this server and no other; nothing is awaited before, so that it dies under the load."""
    found = postmaster.find(place.postgres.pgdata)
    assert found is not None
    assert found.pid == pid
    kill_everything(place.postgres)
    await until_gone(pid)


async def pay_through_kills(place: Place, wanted: list[Errand], kills: int) -> Crowd:
    """Everybody pays; at equal shares of the payments the database is killed, missed, and started again."""
    async with asyncio.timeout(PATIENCE_S * kills), serving(place.handle, place.data) as starting:
        served = await starting.ready()
        pid = await must_be_ours(place)
        crowd = Crowd(served.port, CLIENTS)
        running = asyncio.create_task(crowd.run(wanted))
        try:
            for kill in range(kills):
                share = len(wanted) * (kill + 1) // (kills + 1)
                await until(running, lambda share=share: crowd.acknowledged >= share)  # type: ignore[misc]
                missed = crowd.busy
                crowd.hold()
                await kill_database(place, pid)
                await until(running, lambda: crowd.all_held)
                assert crowd.busy >= missed + CLIENTS, "nobody noticed that the database was gone"
                await place.postgres.start()
                pid = await must_be_ours(place)
                crowd.go_on()
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        os.kill(served.pid, 0)  # the same process, from the first payment to the last
    return crowd


async def must_keep_everything(place: Place, payments: int, kills: int) -> tuple[Ledger, list[Errand]]:
    wanted = errands(place.people, place.data, payments, seed=kills)
    ledger = await open_ledger(place.handle)
    crowd = await pay_through_kills(place, wanted, kills)
    assert not crowd.problems, crowd.problems[:5]
    assert crowd.lost == 0, "a connection ended without an answer"
    assert all(errand.acknowledged for errand in wanted)
    assert await faults(place.handle, ledger, place.people, wanted) == []
    return ledger, wanted


async def lose(place: Place, errand: Errand) -> str:
    """Delete an acknowledged payment, and say which."""
    assert errand.acknowledged is not None
    lost = str(payment_id(errand.acknowledged))
    async with checks.owner(place.handle) as connection:
        await connection.execute(text("SET session_replication_role = replica"))
        gone = await connection.execute(text("DELETE FROM payment WHERE id = CAST(:id AS uuid)"), {"id": lost})
        assert gone.rowcount == 1
    return lost


async def test_a_database_killed_twice_loses_and_doubles_nothing(place: Place) -> None:
    ledger, wanted = await must_keep_everything(place, payments=1_500, kills=2)
    lost = await lose(place, wanted[-1])  # and the comparison would have noticed
    found = await faults(place.handle, ledger, place.people, wanted)
    assert f"1 acknowledged payments are not in the table, among them {lost}" in found
    assert any(words.startswith("broken law") for words in found)


@pytest.mark.long
async def test_a_database_killed_many_times_loses_and_doubles_nothing(place: Place) -> None:
    await must_keep_everything(place, payments=20_000, kills=20)


async def test_what_a_commit_that_does_not_wait_for_the_disk_may_lose_is_noticed(place: Place) -> None:
    async with checks.owner(place.handle) as connection:
        await connection.execute(text(f"ALTER DATABASE {place.name} SET synchronous_commit = off"))
    wanted = errands(place.people, place.data, 600, seed=3)
    ledger = await open_ledger(place.handle)
    await pay_through_kills(place, wanted, 1)
    stored = await stored_ids(place)
    missing = [each for each in wanted if each.acknowledged and payment_id(each.acknowledged) not in stored]
    await lose(place, next(each for each in wanted if each.acknowledged and each not in missing))
    found = await faults(place.handle, ledger, place.people, wanted)
    assert any(words.startswith(f"{len(missing) + 1} acknowledged payments are not in the table") for words in found)


async def stored_ids(place: Place) -> set[str]:
    async with checks.owner(place.handle) as connection:
        return set((await connection.execute(text("SELECT CAST(id AS text) FROM payment"))).scalars())
