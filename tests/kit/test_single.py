"""A transaction of one statement: the driver's own connection, which always finds its way back to the pool."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from services.kit.db import Tx, _roll_back
from services.kit.errors import Busy, Missing
from tests.kit.test_db import database_on


@pytest.fixture
async def one(database: DatabaseHandle) -> AsyncIterator[AsyncEngine]:
    """An engine with one connection: whoever keeps it leaves none to the next."""
    engine = database.app_engine(pool_size=1)
    yield engine
    await engine.dispose()


async def _server_pid(tx: Tx, _: None) -> int:
    return int(await tx.driver.fetchval("SELECT pg_backend_pid()"))


async def _pid(engine: AsyncEngine) -> int:
    return await database_on(engine).transact(_server_pid, None, single=True)


@pytest.mark.parametrize("way", ["plain", "direct", "single"])
async def test_a_server_that_opens_no_connection_is_busy_whichever_way_is_asked(
    one: AsyncEngine, migrator_engine: AsyncEngine, way: str
) -> None:
    """As one that is starting up, or has too many clients: it answers, but with a refusal."""

    async def nothing(_tx: Tx, _: None) -> None:
        raise AssertionError("unreachable")

    async with migrator_engine.begin() as owner:
        name = (await owner.execute(text("SELECT current_database()"))).scalar_one()
        await owner.execute(text(f"ALTER DATABASE {name} CONNECTION LIMIT 0"))
    with pytest.raises(Busy):
        await database_on(one).transact(nothing, None, direct=way == "direct", single=way == "single")
    async with migrator_engine.begin() as owner:
        await owner.execute(text(f"ALTER DATABASE {name} CONNECTION LIMIT -1"))
    assert await _pid(one) > 0


async def test_what_one_statement_wrote_is_there_when_it_has_answered(one: AsyncEngine) -> None:
    async def write(tx: Tx, word: str) -> int:
        await tx.driver.execute("CREATE TEMP TABLE IF NOT EXISTS note (word text)")
        await tx.driver.execute("INSERT INTO note VALUES ($1)", word)
        return int(await tx.driver.fetchval("SELECT count(*) FROM note"))

    database = database_on(one)
    assert await database.transact(write, "one", single=True) == 1
    assert await database.transact(write, "two", single=True) == 2  # the same connection, and nothing was rolled back


async def test_it_has_no_connection_of_sqlalchemys(one: AsyncEngine) -> None:
    async def wrong(tx: Tx, _: None) -> None:
        await tx.connection.execute(text("SELECT 1"))

    with pytest.raises(AssertionError, match="no execute"):
        await database_on(one).transact(wrong, None, single=True)
    assert await _pid(one) == await _pid(one)


async def test_a_refusal_and_an_error_give_the_same_connection_back(one: AsyncEngine) -> None:
    async def refuse(tx: Tx, _: None) -> None:
        await _server_pid(tx, None)
        raise Missing()

    async def fail(tx: Tx, _: None) -> None:
        await tx.driver.fetch("SELECT 1 / 0")

    before = await _pid(one)
    with pytest.raises(Missing):
        await database_on(one).transact(refuse, None, single=True)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await database_on(one).transact(fail, None, single=True)
    assert await _pid(one) == before


async def test_a_transaction_left_open_by_mistake_is_rolled_back_with_the_error(one: AsyncEngine) -> None:
    async def leave_open(tx: Tx, _: None) -> None:
        await tx.driver.execute("BEGIN")
        raise Missing()

    async def is_open(tx: Tx, _: None) -> bool:
        return bool(tx.driver.is_in_transaction())

    with pytest.raises(Missing):
        await database_on(one).transact(leave_open, None, single=True)
    assert not await database_on(one).transact(is_open, None, single=True)


async def test_who_is_broken_off_in_the_middle_keeps_no_connection(one: AsyncEngine) -> None:
    async def wait(tx: Tx, _: None) -> None:
        await tx.driver.fetch("SELECT pg_sleep(30)")

    task = asyncio.create_task(database_on(one).transact(wait, None, single=True))
    while one.pool.checkedout() == 0:  # type: ignore[attr-defined]  # noqa: ASYNC110 - the pool tells nobody
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert one.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert await _pid(one) > 0


async def test_a_connection_that_the_server_ended_is_not_lent_again(
    one: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    ended = await _pid(one)

    async def be_ended(tx: Tx, _: None) -> None:
        async with migrator_engine.connect() as other:
            await other.execute(text(f"SELECT pg_terminate_backend({ended})"))
        await tx.driver.fetch("SELECT 1")

    with pytest.raises(Busy):
        await database_on(one).transact(be_ended, None, single=True)
    assert await _pid(one) != ended


async def _keep(tx: Tx, n: int) -> int:
    return int(await tx.driver.fetchval("INSERT INTO kept VALUES ($1) RETURNING n", n))


async def _wait_in_transaction(tx: Tx, _: None) -> None:
    if tx.driver is None:
        await tx.connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("direct", [False, True], ids=["plain", "direct"])
async def test_what_follows_a_beginning_that_was_given_up_is_committed_when_it_is_told(
    one: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    """A database that stands still for some seconds begins what nobody waits for any more, when it goes on."""
    async with migrator_engine.begin() as owner:
        await owner.execute(text("CREATE TABLE kept (n int)"))
        await owner.execute(text("GRANT SELECT, INSERT ON kept TO PUBLIC"))
    database, execute = database_on(one), asyncpg.Connection.execute
    await _pid(one)

    async def give_up(connection: Any, query: str, *args: Any, **options: Any) -> Any:
        done = await execute(connection, query, *args, **options)
        if query.startswith("BEGIN"):
            raise TimeoutError
        return done

    with monkeypatch.context() as slow:
        slow.setattr(asyncpg.Connection, "execute", give_up)
        with pytest.raises(Busy):
            await database.transact(_wait_in_transaction, None, direct=direct)
    assert await database.transact(_keep, 7, single=True) == 7
    async with migrator_engine.connect() as other:
        assert (await other.execute(text("SELECT array_agg(n) FROM kept"))).scalar_one() == [7]


async def test_what_was_answered_within_an_open_transaction_is_not_told_as_done(
    one: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    """However it came to that: whoever asked is told to come again, and the connection is clean by then."""
    async with migrator_engine.begin() as owner:
        await owner.execute(text("CREATE TABLE kept (n int)"))
        await owner.execute(text("GRANT SELECT, INSERT ON kept TO PUBLIC"))
    lent = await one.raw_connection()
    driver: Any = lent.driver_connection
    await driver.execute("BEGIN")
    lent.close()
    with pytest.raises(Busy):
        await database_on(one).transact(_keep, 7, single=True)
    assert await database_on(one).transact(_keep, 8, single=True) == 8
    async with migrator_engine.connect() as other:
        assert (await other.execute(text("SELECT array_agg(n) FROM kept"))).scalar_one() == [8]


class Hanging:
    """A driver's connection whose ROLLBACK takes its time and then fails."""

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def execute(self, statement: str) -> None:
        self.asked.set()
        await self.go_on.wait()
        raise ConnectionError(statement)


async def test_how_a_rollback_ends_that_nobody_waits_for_is_not_reported() -> None:
    """A payment that is broken off while its connection dies leaves no traceback in the log."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    driver, thrown_away = Hanging(), asyncio.Event()

    async def throw_away() -> None:
        thrown_away.set()

    task = asyncio.create_task(_roll_back(driver, throw_away))
    await driver.asked.wait()
    task.cancel()
    await task
    assert thrown_away.is_set()
    driver.go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
    assert reported == []
