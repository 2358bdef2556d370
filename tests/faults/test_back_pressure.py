"""A database that stops answering: who asks is told so and when to come again, and nothing piles up meanwhile."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.benchmarks import checks
from infra.benchmarks.processes import Served, serving
from infra.database import postmaster
from services.kit.deeds import Deed
from services.payments.order import PayStore
from tests.faults.conftest import Place
from tests.faults.paying import PATIENCE_S, Answer, Connection, Crowd, Errand, errands, faults, open_ledger
from tests.faults.posting import PATIENCE_S as IN_PROCESS_S
from tests.faults.posting import Posting
from tests.http_town import HttpTown, done, problem
from tests.town import Resident

AT_ONCE = 2_500
"""More than the queue takes (2,048)."""
GROWTH_MIB = 64
"""What 2,500 connections and as many requests under way may cost; a second time nothing more."""
WAITING = 5


@contextmanager
def stopped(place: Place) -> Iterator[None]:
    """The database's processes stand still, all of them: connections stay open and nobody answers."""
    found = postmaster.find(place.postgres.pgdata)
    assert found is not None
    assert found.pid == place.postgres.pid
    pids = [found.pid, *map(int, Path(f"/proc/{found.pid}/task/{found.pid}/children").read_text().split())]
    held = [pid for pid in pids if b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    try:
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def locked(place: Place) -> AsyncIterator[None]:
    """Somebody holds the table of wallets, so that no payment can begin."""
    async with checks.owner(place.handle) as connection:
        await connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
        await connection.execute(text("BEGIN"))
        await connection.execute(text("LOCK TABLE wallet IN ACCESS EXCLUSIVE MODE"))
        yield
        await connection.execute(text("ROLLBACK"))


async def ask_once(served: Served, errand: Errand) -> Answer:
    connection = await Connection.open(served.port)
    try:
        return await connection.ask(errand.request)
    finally:
        connection.close()


async def ask_all(served: Served, wanted: list[Errand]) -> list[Answer]:
    """Everybody at once, each on a connection of its own."""
    return await asyncio.gather(*(ask_once(served, errand) for errand in wanted))


@asynccontextmanager
async def all_paid_at_last(place: Place, wanted: list[Errand]) -> AsyncIterator[Served]:
    """A server; at its end the same requests are sent to it under their ids, and each was done once."""
    ledger = await open_ledger(place.handle)
    async with asyncio.timeout(PATIENCE_S), serving(place.handle, place.data) as starting:
        served = await starting.ready()
        yield served
        crowd = Crowd(served.port, clients=24)
        await crowd.run(wanted)
    assert not crowd.problems, crowd.problems[:5]
    assert all(errand.acknowledged for errand in wanted)
    assert await faults(place.handle, ledger, place.people, wanted) == []


def resident_mib(pid: int) -> float:
    """Memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [found] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(found) / 1_024


async def test_a_locked_table_makes_everybody_come_again_and_costs_no_memory(place: Place) -> None:
    wanted = errands(place.people, place.data, 2 * AT_ONCE, seed=1)
    async with all_paid_at_last(place, wanted) as served:
        before = resident_mib(served.pid)
        async with locked(place):
            for wave in (wanted[:AT_ONCE], wanted[AT_ONCE:]):
                answers = await ask_all(served, wave)
                assert not [answer for answer in answers if not answer.is_busy][:3]
                assert resident_mib(served.pid) < before + GROWTH_MIB


async def test_a_database_that_stands_still_is_told_and_used_again(place: Place) -> None:
    wanted = errands(place.people, place.data, 120, seed=4)
    async with all_paid_at_last(place, wanted) as served:
        await Crowd(served.port, clients=24).run(wanted[:40])  # connections are open, and used
        with stopped(place):
            answers = await ask_all(served, wanted[40:])
        assert not [answer for answer in answers if not answer.is_busy][:3]


async def test_what_clients_that_hung_up_asked_for_is_done_once_or_not_at_all(place: Place) -> None:
    wanted = errands(place.people, place.data, 1_000, seed=5)
    async with all_paid_at_last(place, wanted) as served, locked(place):
        for errand in wanted:
            connection = await Connection.open(served.port)
            connection.send(errand.request)
            connection.close()
        answer = await ask_once(served, wanted[-1])
        assert answer.is_busy


async def test_beyond_the_queue_a_payment_is_refused_at_once_and_those_within_are_made(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = HttpTown(engine)
    await town.programme()
    shop, crowd = await town.shop(), [await town.resident() for _ in range(WAITING + 1)]
    for who in crowd:
        await town.buy(who)
    posting = Posting(town, monkeypatch)
    monkeypatch.setattr(town.built.context.payments._batch, "_most_waiting", WAITING)

    async def pay(who: Resident) -> httpx.Response:
        async with town.as_resident(who) as client:
            body = {"code": shop.code, "amount_yen": 1}
            return await client.command(f"/wallets/{who.wallet.id}/payments", body)

    first, *others, last = crowd
    *within, beyond = await posting.together(pay(first), [pay(who) for who in others], [pay(last)])
    assert [answer.status_code for answer in within] == [201] * len(others)
    problem(beyond, 503, "unavailable")
    assert beyond.headers["retry-after"] == "1"
    done(await pay(last), 201)
    await town.must_prove()


async def test_who_comes_while_the_last_batch_ends_is_posted_too(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    desk = town.built.context.payments
    monkeypatch.setattr(desk._batch, "_at_once", 1)
    order = PayStore(who.account_id, who.wallet.id, shop.code, 1)
    async with asyncio.timeout(IN_PROCESS_S):
        for number in range(10):  # each comes in the very turn in which the one before was told
            await desk.perform(Deed(who.account_id, uuid4(), bytes([number])), order)
    assert await town.points(who) == 12_990
    await town.must_prove()
