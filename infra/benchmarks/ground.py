"""The ground on which benchmarks run: a town's database, lawful to the last row, built once and copied.

Law: a template is named after everything that decides its content, and has that name only once it is whole,
proven and analysed. Nobody can connect to one: whoever wants to pay takes a copy.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.benchmarks import history, masses, pattern
from infra.benchmarks.loading import LOADING, Loader, Progress, Tell, catalogue, loader, must_equal
from infra.benchmarks.townspeople import PAYERS, TILLS, Ground, Payer, Till, ground
from infra.database.connect import create_engine, quoted
from infra.database.migrate import config, create_database, drop_database, migrate, named
from infra.database.provision import DatabaseHandle
from services.kit.clock import SetClock, civil_date, start_of
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.proof.prove import prove

__all__ = ["PAYERS", "TILLS", "Ground", "Payer", "Till", "clone", "drop", "ground", "template"]

VERSION = 6
"""Counts up with whatever the loader writes differently."""

LONGEST = "ledger_posting"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"

UNFINISHED = "_unfinished"
_OURS = re.compile(rf"tanabata_bench_([0-9a-f]{{8}})_[0-9a-f]{{8}}(?:{UNFINISHED})?")
_ONE_BUILDER = 0x7A9AB7


class NotLawful(Exception):
    """What the loader wrote breaks laws, which the message names."""


@dataclass(frozen=True)
class Plan:
    """What decides a template's content. The programme is in use for a year before and after `year`."""

    payers: int
    tills: int
    postings: int
    year: int

    @property
    def edition(self) -> str:
        """What is common to all templates that one program can use in one year."""
        scripts = ScriptDirectory.from_config(config()).walk_revisions()
        digest = hashlib.sha256(f"{VERSION} {self.year}".encode())
        for path in sorted(script.path for script in scripts):
            digest.update(Path(path).read_bytes())
        return digest.hexdigest()[:8]

    @property
    def name(self) -> str:
        sizes = f"{self.payers} {self.tills} {self.postings}"
        return f"tanabata_bench_{self.edition}_{hashlib.sha256(sizes.encode()).hexdigest()[:8]}"


async def template(
    server: DatabaseHandle,
    *,
    payers: int = PAYERS,
    tills: int = TILLS,
    postings: int = 0,
    tell: Tell,
    now: datetime | None = None,
) -> str:
    """The name of a database with that ground and a history of about so many ledger postings.

    Built when this server has none; its residents' programme is in use at `now`, the machine's time unless
    given. Raises NotLawful, CatalogueDiffers.
    """
    plan = Plan(payers, tills, postings, civil_date(now or datetime.now(UTC)).year)
    name, unfinished = plan.name, plan.name + UNFINISHED
    async with _alone(server) as admin:
        found = {each for each in await _databases(admin) if _OURS.fullmatch(each)}
        if name in found:
            return name
        for each in found:
            if each.endswith(UNFINISHED) or f"_{plan.edition}_" not in each:
                tell(f"dropping {each}, which is of no use any more")
                await drop(server, each)
        await create_database(server.migrator_url, unfinished)
        await _build(_inside(server, unfinished), plan, tell)
        await admin.execute(text(f"ALTER DATABASE {quoted(unfinished)} ALLOW_CONNECTIONS false"))
        await admin.execute(text(f"ALTER DATABASE {quoted(unfinished)} RENAME TO {quoted(name)}"))
    return name


async def clone(server: DatabaseHandle, template: str, name: str) -> DatabaseHandle:
    """A new database that is a copy of `template`, file by file."""
    copied = f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template)} STRATEGY FILE_COPY"
    async with _admin(server) as admin:
        await admin.execute(text(copied))
    return _inside(server, name)


async def drop(server: DatabaseHandle, name: str) -> None:
    """Drop a copy or a template; nothing happens when there is none."""
    await drop_database(server.migrator_url, name)


async def _build(handle: DatabaseHandle, plan: Plan, tell: Tell) -> None:
    people, weight = ground(plan.payers, plan.tills), plan.postings / 1_000_000
    each = history.purchases_each(plan.postings, plan.payers)
    progress = Progress(tell, whole=21 + 8 * each + 30 * weight)
    opens = start_of(pattern.first_day(plan.year)) + timedelta(days=1)
    async with progress.step("migrating", 1):
        await migrate(handle.migrator_url, handle.schema, handle.app_url)
        model = await pattern.lay(handle, plan.year, plan.payers, each)
    async with loader(handle) as one, loader(handle) as other:
        migrated = await catalogue(one)
        await masses.settle(one, people, model, progress)
        await masses.sell(one, people, opens, each, progress)
        if plan.postings:
            await history.write(one, other, plan.postings, plan.payers, plan.tills, plan.year, progress)
        must_equal(migrated, await catalogue(one))
        async with progress.step("tidying up", 5 + 5 * weight):
            await _tidy(one, other)
    async with progress.step("proving", 6 + 6 * weight):
        await _must_prove(handle)


async def _tidy(one: Loader, other: Loader) -> None:
    """Drop what was noted down, then leave every table as autovacuum would, the longest beside all others."""
    await one.run("DROP SCHEMA loading CASCADE")
    tables = [row[0] for row in await one.ask(TABLES)]
    await asyncio.gather(
        one.run(f"VACUUM (ANALYZE) {', '.join(quoted(each) for each in tables if each != LONGEST)}"),
        other.run(f"VACUUM (ANALYZE) {LONGEST}"),
    )


async def _must_prove(handle: DatabaseHandle) -> None:
    engine = handle.app_engine(pool_size=1, limits=LOADING)
    try:
        async with Database(engine, SetClock(datetime.now(UTC)), SecretEntropy()).begin() as tx:
            proof = await prove(tx)
    finally:
        await engine.dispose()
    if not proof.clean:
        raise NotLawful(", ".join(f"{check.name} ({check.found} of {check.expected})" for check in proof.broken))


def _inside(server: DatabaseHandle, name: str) -> DatabaseHandle:
    return replace(server, app_url=named(server.app_url, name), migrator_url=named(server.migrator_url, name))


async def _databases(admin: AsyncConnection) -> list[str]:
    return list((await admin.execute(text("SELECT datname FROM pg_database"))).scalars())


@asynccontextmanager
async def _admin(server: DatabaseHandle) -> AsyncIterator[AsyncConnection]:
    """A connection of the server's owner that commits each statement."""
    engine = create_engine(server.migrator_url, schema="public", role=None, pool_size=1, limits=LOADING)
    try:
        async with engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")
    finally:
        await engine.dispose()


@asynccontextmanager
async def _alone(server: DatabaseHandle) -> AsyncIterator[AsyncConnection]:
    """The same, while no other process builds templates on this server."""
    async with _admin(server) as admin:
        await admin.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_BUILDER})
        yield admin  # the lock goes with the connection
