"""What the races are run with: many at once, a gate that lines them up, and guards taken away for the controls.

Nothing sleeps. Who is at the gate, or waits for a lock, is asked of PostgreSQL until it is so.
"""

import asyncio
from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.kit.errors import Refusal
from services.kit.statements import Statement
from services.wallets.tables import access

T = TypeVar("T")

GATE = 7_070_707
"""The key of the gate's advisory lock; such locks belong to one database, so to one test."""

PATIENCE = 20_000
"""How often PostgreSQL is asked before a test gives up."""

AT_GATE = """
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND NOT granted AND objid = :key
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def at_once(calls: Iterable[Awaitable[T]]) -> tuple[list[T], list[Refusal]]:
    """Run all of them at once: what succeeded, and what was refused. Anything else fails the test."""
    done: list[T] = []
    refused: list[Refusal] = []
    for found in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(found, Refusal):
            refused.append(found)
        elif isinstance(found, BaseException):
            raise found
        else:
            done.append(found)
    return done, refused


async def connected(engine: AsyncEngine, count: int) -> None:
    """Have the pool hold so many open connections, so that nobody is refused because one takes long to open."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(engine.connect())


async def until(
    engine: AsyncEngine, count: int, question: str, waiting: Sequence[Future[Any]] = (), **values: Any
) -> None:
    """Ask until at least `count` are there; one of `waiting` that ends before fails, for nothing held it up."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for _ in range(PATIENCE):
            if (await connection.execute(text(question), values)).scalar_one() >= count:
                return
            assert not any(each.done() for each in waiting), "what should have waited has ended"
    raise AssertionError(f"{count} never came together")


async def until_blocked(engine: AsyncEngine, count: int, *waiting: Future[Any]) -> None:
    """Until so many transactions wait for a lock, and those deeds among them."""
    await until(engine, count, BLOCKED, waiting)


class Gate:
    """Transactions that come to the gate wait there, all of them, until the test opens it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._open = asyncio.Event()

    async def pass_through(self, tx: Tx) -> None:
        await tx.connection.execute(select(func.pg_advisory_xact_lock_shared(GATE)))

    async def until_full(self, count: int) -> None:
        await until(self._engine, count, AT_GATE, key=GATE)

    def after(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        """Put the gate behind a function of ours whose first argument is the transaction."""
        real: Callable[..., Awaitable[Any]] = getattr(owner, name)

        async def then_wait(tx: Tx, *given: Any, **named: Any) -> Any:
            result = await real(tx, *given, **named)
            await self.pass_through(tx)
            return result

        monkeypatch.setattr(owner, name, then_wait)

    def behind(self, use_case: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same deed, done and held at the gate just before its commit."""

        async def held(tx: Tx, command: Any) -> Any:
            result = await use_case(tx, command)
            await self.pass_through(tx)
            return result

        return held


@asynccontextmanager
async def closed_gate(engine: AsyncEngine) -> AsyncIterator[tuple[Gate, Callable[[], Awaitable[None]]]]:
    """A closed gate and what opens it; it is open at the end in any case."""
    gate = Gate(engine)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(select(func.pg_advisory_lock(GATE)))

        async def open_gate() -> None:
            await connection.execute(select(func.pg_advisory_unlock_all()))

        try:
            yield gate, open_gate
        finally:
            await open_gate()


async def lined_up(engine: AsyncEngine, gate: Gate, open_gate: Callable[[], Awaitable[None]], calls: list[Any]) -> Any:
    """Start all calls, wait until every one of them stands at the gate, open it, and gather what comes out."""
    running = [asyncio.ensure_future(call) for call in calls]
    try:
        await gate.until_full(len(calls))
    finally:
        await open_gate()
    return await at_once(running)


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every SELECT … FOR UPDATE becomes a mere SELECT, those that are built once among them."""
    monkeypatch.setattr(Select, "with_for_update", lambda self, **_: self)
    monkeypatch.setattr(access, "_locked_wallet", access._locked_wallet.__wrapped__)
    for name in ("_LOCK_WAITING", "_LOCK_FREE"):
        monkeypatch.setattr(access, name, Statement(getattr(access, name)._build))


async def drop_constraints(migrator_engine: AsyncEngine, *names: tuple[str, str]) -> None:
    """Take constraints away from tables, as (table, constraint)."""
    async with migrator_engine.begin() as connection:
        for table, name in names:
            await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"))


async def scalar(engine: AsyncEngine, question: str, **values: Any) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text(question), values)).scalar_one() or 0)
