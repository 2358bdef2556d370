"""One door to a database that is ready to use, for the server, the command line, simulations and tests.

The embedded PostgreSQL is started or joined, or DATABASE_URL's server is used; either way the migrations
have run before anybody gets the handle.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from secrets import token_hex

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.connect import (
    JOBS,
    SERVING,
    Limits,
    create_engine,
    database_url,
    insight_uri,
    is_away,
    quoted,
)
from infra.database.embedded import EmbeddedPostgres
from infra.database.keep import keep_running
from infra.database.migrate import create_database, drop_database, migrate, named
from infra.database.server_files import ANALYST, APP, AUDITOR, MIGRATOR
from infra.settings import Settings

_SCRATCH = "tanabata_scratch_"
_LEFT_OVER_AFTER_S = 86_400


class Unreachable(Exception):
    """The database that DATABASE_URL names does not let us in; the message says why.

    `is_away`: nobody listens there, or the server is only starting; that passes by itself.
    """

    def __init__(self, message: str, *, is_away: bool) -> None:
        super().__init__(message)
        self.is_away = is_away


@dataclass(frozen=True)
class DatabaseHandle:
    """A migrated database: where the application, migrations, the auditor and the analyst find it.

    Without `auditor_url` or `analyst_url` the migrator's login takes their role on.
    """

    app_url: str
    migrator_url: str
    schema: str
    auditor_url: str | None = None
    analyst_url: str | None = None

    def inside(self, database: str) -> "DatabaseHandle":
        """The same server and logins, another database."""
        return DatabaseHandle(
            named(self.app_url, database),
            named(self.migrator_url, database),
            self.schema,
            None if self.auditor_url is None else named(self.auditor_url, database),
            None if self.analyst_url is None else named(self.analyst_url, database),
        )

    def app_engine(self, *, pool_size: int = 8, limits: Limits = SERVING) -> AsyncEngine:
        """An engine with the application's rights: it can neither alter tables nor rewrite the ledger."""
        return create_engine(self.app_url, schema=self.schema, role=APP, pool_size=pool_size, limits=limits)

    def migrator_engine(self, *, pool_size: int = 2, limits: Limits = SERVING) -> AsyncEngine:
        """An engine as the owner of the schema, for migrations and for tests that must break rules."""
        return create_engine(self.migrator_url, schema=self.schema, role=None, pool_size=pool_size, limits=limits)

    def auditor_engine(self, *, pool_size: int = 1, limits: Limits = SERVING) -> AsyncEngine:
        """An engine with the auditor's rights: it reads everything but secrets, and alters nothing."""
        url = self.auditor_url or self.migrator_url
        return create_engine(url, schema=self.schema, role=AUDITOR, pool_size=pool_size, limits=limits)

    def insight_uri(self) -> str:
        """Where libpq finds the city's views for analytics, with the analyst's rights."""
        url = self.analyst_url or self.migrator_url
        return insight_uri(url, schema=self.schema, role=ANALYST, limits=JOBS)


@asynccontextmanager
async def open_server(
    settings: Settings, tell: Callable[[str], None] = lambda _: None, *, keep: bool = False
) -> AsyncIterator[DatabaseHandle]:
    """The database as it is, not migrated: for `doctor` and for what brings its own database.

    `keep`: for who stays; the embedded server is started again whenever it ends by itself.
    """
    if settings.database_url is not None:
        migrator = settings.migrator_database_url or settings.database_url
        readers = (settings.auditor_database_url, settings.analyst_database_url)
        handle = DatabaseHandle(settings.database_url, migrator, settings.schema, *readers)
        await require_reachable(settings)
        yield handle
        return
    async with EmbeddedPostgres(settings.data_dir, tell=tell) as server:
        readers = (server.dsn(AUDITOR), server.dsn(ANALYST))
        keeping = asyncio.create_task(keep_running(server, tell)) if keep else None
        try:
            yield DatabaseHandle(server.dsn(APP), server.dsn(MIGRATOR), settings.schema, *readers)
        finally:
            if keeping is not None:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)


@asynccontextmanager
async def open_database(
    settings: Settings, tell: Callable[[str], None] = lambda _: None, *, keep: bool = False
) -> AsyncIterator[DatabaseHandle]:
    """The installation's database, migrated; the embedded server is left again at the end. `keep` as above."""
    async with open_server(settings, tell, keep=keep) as handle:
        readers = {"auditor_url": handle.auditor_url, "analyst_url": handle.analyst_url}
        await migrate(handle.migrator_url, handle.schema, handle.app_url, tell, **readers)
        yield handle


@asynccontextmanager
async def open_for_audit(
    settings: Settings, tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[DatabaseHandle]:
    """The installation's database for somebody who only reads: with AUDITOR_DATABASE_URL nothing is migrated,
    and no login but the auditor's is used."""
    url = settings.auditor_database_url
    if url is None:
        async with open_database(settings, tell) as handle:
            yield handle
        return
    await _require_reachable("AUDITOR_DATABASE_URL", url)
    yield DatabaseHandle(url, url, settings.schema, url)


@asynccontextmanager
async def open_for_insight(
    settings: Settings, tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[DatabaseHandle]:
    """The installation's database for somebody who only reads the views of analytics: nothing is migrated, and
    with ANALYST_DATABASE_URL no login but the analyst's is used."""
    url = settings.analyst_database_url
    if url is None:
        async with open_server(settings, tell) as handle:
            yield handle
        return
    await _require_reachable("ANALYST_DATABASE_URL", url)
    yield DatabaseHandle(url, url, settings.schema, url, url)


@asynccontextmanager
async def open_scratch_database(
    settings: Settings, tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[DatabaseHandle]:
    """A new, empty, migrated database on the same server, dropped at the end: for `simulate`.

    Those that a killed run left behind are dropped when they are a day old.
    """
    async with open_server(settings, tell) as server:
        await _drop_left_over(server.migrator_url)
        name = f"{_SCRATCH}{int(time.time())}_{token_hex(4)}"
        await create_database(server.migrator_url, name)
        handle = server.inside(name)
        try:
            await migrate(handle.migrator_url, handle.schema, handle.app_url, tell)
            yield handle
        finally:
            await asyncio.shield(drop_database(server.migrator_url, name))


async def require_reachable(settings: Settings) -> None:
    """Raises Unreachable unless the database that DATABASE_URL names lets us in; the embedded one is our own."""
    if settings.database_url is not None:
        await _require_reachable("MIGRATOR_DATABASE_URL", settings.migrator_database_url or settings.database_url)
        await _require_reachable("DATABASE_URL", settings.database_url)


async def _require_reachable(name: str, url: str) -> None:
    engine = create_engine(url, schema="public", role=None, pool_size=1)
    try:
        async with engine.connect():
            pass
    except (DBAPIError, OSError, TimeoutError) as error:
        address = database_url(url).render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", None) or error) or type(error).__name__
        raise Unreachable(f"{name} ({address}): {reason}", is_away=is_away(error)) from error
    finally:
        await engine.dispose()


async def _drop_left_over(migrator_url: str) -> None:
    engine = create_engine(migrator_url, schema="public", role=None, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            found = await connection.execute(text("SELECT datname FROM pg_database WHERE datname LIKE 'tanabata%'"))
            for name in found.scalars().all():
                made = re.fullmatch(_SCRATCH + r"(\d+)_[0-9a-f]+", name)
                if made and time.time() - int(made[1]) > _LEFT_OVER_AFTER_S:
                    with suppress(DBAPIError):  # in use after all, or somebody else's
                        await connection.execute(text(f"DROP DATABASE {quoted(name)}"))
    finally:
        await engine.dispose()
