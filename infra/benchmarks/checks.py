"""After a repetition: is everything that was acknowledged stored, and are the books right?

Law: rows are counted in the table, not believed; every acknowledged id is looked for; and the proof
recomputes the books from the postings.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from infra.benchmarks import tables
from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.proof.proof import Proof
from services.proof.prove import prove

MOST_NAMED = 3


@dataclass(frozen=True)
class Before:
    """What was there before a repetition."""

    since: datetime
    payments: int


@dataclass(frozen=True)
class After:
    """What a repetition left in the table, and what is wrong with it, in sentences."""

    stored: int
    problems: tuple[str, ...]


async def look(handle: DatabaseHandle) -> Before:
    """Checkpoint, and count what is there."""
    async with owner(handle) as connection:
        await tables.checkpoint(connection)
        return Before(await tables.now(connection), await tables.payments(connection))


async def compare(handle: DatabaseHandle, before: Before, acknowledged: Sequence[str]) -> After:
    """Hold the acknowledged ids against the table."""
    async with owner(handle) as connection:
        stored = await tables.payments(connection) - before.payments
        there = await tables.payment_ids(connection, before.since)
    problems = []
    lost = [each for each in acknowledged if each not in there]
    if lost:
        named = ", ".join(lost[:MOST_NAMED])
        problems.append(f"{len(lost)} acknowledged payments are not in the table, among them {named}")
    if len(set(acknowledged)) != len(acknowledged):
        problems.append("two payments were acknowledged under one id")
    if stored != len(acknowledged):
        problems.append(f"{len(acknowledged)} payments were acknowledged, but {stored} rows came")
    return After(stored, tuple(problems))


async def proof(handle: DatabaseHandle, since: datetime | None = None) -> Proof:
    """Prove the books: of what came since an instant, or all of them."""
    async with house(handle) as database, database.begin() as tx:
        return await prove(tx, since=since)


@asynccontextmanager
async def house(handle: DatabaseHandle) -> AsyncIterator[Database]:
    """The city's database as its worker sees it, on one connection."""
    engine = handle.app_engine(pool_size=1, limits=JOBS)
    try:
        yield Database(engine, OffsetClock(), SecretEntropy())
    finally:
        await engine.dispose()


@asynccontextmanager
async def owner(handle: DatabaseHandle) -> AsyncIterator[AsyncConnection]:
    """A connection of the database's owner that commits each statement."""
    engine = handle.migrator_engine(pool_size=1, limits=JOBS)
    try:
        async with engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")
    finally:
        await engine.dispose()
