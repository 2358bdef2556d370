"""A connection that loads masses of rows, and says how far it is.

Law: nothing of the schema gives way. Triggers and CHECKs stay; what is faster to build afterwards, the
indexes, is set aside and put back, and the catalogue must then say again what it said before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from infra.database.connect import Limits
from infra.database.provision import DatabaseHandle

Tell = Callable[[str], None]

LOADING = Limits(statement_ms=3_600_000, lock_ms=3_600_000, idle_in_transaction_ms=3_600_000)
STAGE = "loading"
"""A schema beside the city's for what the loader notes down; gone in the end."""

_TOLD_EVERY_S = 3.0

SETTINGS = (
    "SET synchronous_commit = off",  # the last statement, a renaming, puts on the disk whatever came before it
    "SET work_mem = '256MB'",
    "SET maintenance_work_mem = '768MB'",
    "SET max_parallel_maintenance_workers = 0",  # two loaders build side by side already
    "SET jit = off",
)


class CatalogueDiffers(Exception):
    """After loading, the tables are not what the migrations made them; the message names what differs."""


@dataclass
class Progress:
    """How far the whole work is, in the weights of its steps, which are about seconds on a quiet machine."""

    tell: Tell
    whole: float
    done: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    @asynccontextmanager
    async def step(self, what: str, weight: float) -> AsyncIterator[Callable[[float], None]]:
        """Name a step; the caller may say which share of it is done. Repeats itself while it takes long."""
        share = 0.0

        def reached(part: float) -> None:
            nonlocal share
            share = part

        def say() -> None:
            percent = 100 * (self.done + share * weight) / self.whole
            self.tell(f"{what}: {percent:.0f} % of the ground, {time.monotonic() - self._began:.0f} s so far")

        async def keep_saying() -> None:
            while True:
                await asyncio.sleep(_TOLD_EVERY_S)
                say()

        say()
        voice = asyncio.create_task(keep_saying())
        try:
            yield reached
        finally:
            voice.cancel()
        self.done += weight


class Loader:
    """One connection of the tables' owner. Statements are PostgreSQL's own text with $1, $2, …"""

    def __init__(self, driver: asyncpg.Connection) -> None:
        self._driver = driver

    async def run(self, statement: str, *values: object) -> None:
        await self._driver.execute(statement, *values)

    async def ask(self, question: str, *values: object) -> list[Sequence[Any]]:
        return list(await self._driver.fetch(question, *values))

    async def note(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Copy rows into one of the loader's own tables."""
        await self._driver.copy_records_to_table(table, records=rows, columns=columns, schema_name=STAGE)

    async def together(self, statements: Iterable[str], *values: object) -> None:
        """Run statements, all with the same values, in one transaction."""
        async with self._driver.transaction():
            for statement in statements:
                await self._driver.execute(statement, *values)


@asynccontextmanager
async def loader(handle: DatabaseHandle) -> AsyncIterator[Loader]:
    """A connection to load through, closed at the end."""
    engine = handle.migrator_engine(pool_size=1, limits=LOADING)
    try:
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            if driver is None:
                raise AssertionError("a connection that is open has a driver")
            for setting in SETTINGS:
                await driver.execute(setting)
            yield Loader(driver)
            await connection.invalidate()  # its settings must not reach anybody else
    finally:
        await engine.dispose()


async def catalogue(load: Loader) -> dict[str, str]:
    """Every index, constraint and trigger of the city's tables, by name, as PostgreSQL writes them."""
    return {row[0]: row[1] for row in await load.ask(CATALOGUE)}


def must_equal(before: dict[str, str], after: dict[str, str]) -> None:
    """Raise CatalogueDiffers unless both say the same."""
    differing = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if differing:
        raise CatalogueDiffers(", ".join(differing))


@dataclass(frozen=True)
class SetAside:
    """An index that was dropped, and how it comes back."""

    name: str
    table: str
    drop: str
    build: str


async def set_aside(load: Loader, tables: Sequence[str]) -> list[SetAside]:
    """Drop the indexes of some tables, in the tables' order, but none that a foreign key leans on."""
    found = [SetAside(*row) for row in await load.ask(INDEXES, list(tables))]
    await load.together(each.drop for each in found)
    return found


CATALOGUE = """
SELECT 'index ' || tablename || '.' || indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = current_schema()::regnamespace AND conrelid <> 0
UNION ALL
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, pg_get_triggerdef(t.oid) || ' ' || tgenabled::text
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal
"""

INDEXES = """
SELECT i.relname, t.relname,
       CASE WHEN c.oid IS NULL THEN format('DROP INDEX %I', i.relname)
            ELSE format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, i.relname) END,
       CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.oid)
            ELSE format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, i.relname, pg_get_constraintdef(c.oid)) END
  FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_class t ON t.oid = x.indrelid
  LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('p', 'u')
 WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY ($1)
   AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.oid)
 ORDER BY array_position($1, t.relname::text), i.relname
"""
