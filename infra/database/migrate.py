"""Migrations: the only way in which the database's shape changes.

Law: two processes that migrate at once do it one after the other; a migration that fails leaves the old
shape, whole; and none makes payments queue behind it: it waits for a lock half a second, then lets go and
tries again. The acting roles own nothing, so what they may do is exactly what migrations grant.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import services
from infra.database.connect import Limits, create_engine, database_url, insight_schema, quoted
from infra.database.server_files import ACTING, ANALYST, APP, AUDITOR
from services.kit.db import Base, sqlstate

if TYPE_CHECKING:  # loaded by what needs it: most commands migrate nothing
    from alembic.config import Config

MIGRATING = Limits(statement_ms=1_800_000, lock_ms=500, idle_in_transaction_ms=60_000)
OLDEST_SUPPORTED = 15
_TRIES = 20
_PATIENCE_S = 600
_LOCK_NOT_AVAILABLE = "55P03"
_INSUFFICIENT_PRIVILEGE = "42501"
_SOMEBODY_ELSE_DID = {"42710", "23505", "XX000"}  # exists already; unique violation; "tuple concurrently updated"


class CannotMigrate(Exception):
    """The database cannot be brought to this program's shape; the message says what an administrator does."""


def config() -> "Config":
    """Alembic's settings; the same file serves its own command line."""
    from alembic.config import Config  # noqa: PLC0415

    return Config(Path(__file__).parents[1] / "alembic.ini")


def head() -> str | None:
    """The revision that this program expects."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(config()).get_current_head()


def metadata() -> MetaData:
    """Every table of the platform, for comparing with what the migrations built."""
    for package in iter_modules(services.__path__, "services."):
        if package.ispkg and any(part.name == "tables" for part in iter_modules(import_module(package.name).__path__)):
            import_module(f"{package.name}.tables")
    return Base.metadata


async def migrate(
    migrator_url: str,
    schema: str,
    app_url: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    auditor_url: str | None = None,
    analyst_url: str | None = None,
) -> None:
    """Create the schema and the roles if they are missing, then run every new migration.

    `app_url`, `auditor_url` and `analyst_url` name the logins that the application, the auditor and the analyst
    will use (None: the migrator's own), which must be allowed to act as their roles. Raises CannotMigrate.
    """
    logins = {
        APP: database_url(app_url or migrator_url).username,
        AUDITOR: database_url(auditor_url or migrator_url).username,
        ANALYST: database_url(analyst_url or migrator_url).username,
    }
    async with _migrator(migrator_url, schema) as engine, engine.connect() as connection:
        await _require_version(connection)
        await _lock(connection, schema, tell)
        await _ensure_roles(connection, logins)
        await _ensure_schema(connection, schema)
        for attempt in range(1, _TRIES + 1):
            try:
                await connection.run_sync(_upgrade, schema)
            except DBAPIError as error:
                await connection.rollback()
                if sqlstate(error) != _LOCK_NOT_AVAILABLE or attempt == _TRIES:
                    raise
                tell("a table is in use; the migration lets it pass and tries again")
                await asyncio.sleep(0.5)
            else:
                return


async def current(connection: AsyncConnection, schema: str) -> str | None:
    """The revision that the database has."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    def read(sync: Connection) -> str | None:
        return MigrationContext.configure(sync, opts={"version_table_schema": schema}).get_current_revision()

    return await connection.run_sync(read)


async def create_database(admin_url: str, name: str, template: str | None = None) -> None:
    """Create a database, as a copy of `template` if one is named (which nobody may be using)."""
    clause = "" if template is None else f" TEMPLATE {quoted(template)}"
    await _administer(admin_url, f"CREATE DATABASE {quoted(name)}{clause}")


async def drop_database(admin_url: str, name: str) -> None:
    """Drop a database, ending whoever is still connected; nothing happens when there is none."""
    await _administer(admin_url, f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")


def named(url: str, database: str) -> str:
    """The same server and login, another database."""
    return database_url(url).set(database=database).render_as_string(hide_password=False)


async def _administer(url: str, statement: str) -> None:
    async with _migrator(url, "public") as engine, engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement))


@asynccontextmanager
async def _migrator(url: str, schema: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(
        url, schema=schema, role=None, pool_size=1, limits=MIGRATING, application_name="tanabata migrate"
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def _require_version(connection: AsyncConnection) -> None:
    version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one()) // 10_000
    if version < OLDEST_SUPPORTED:
        raise CannotMigrate(f"the database is PostgreSQL {version}; at least {OLDEST_SUPPORTED} is needed")


async def _lock(connection: AsyncConnection, schema: str, tell: Callable[[str], None]) -> None:
    """Hold the migration lock until this connection closes.

    Asked for again and again instead of waited for: a waiting statement would hold a snapshot, for which
    the other's CREATE INDEX CONCURRENTLY would wait in turn.
    """
    key = int.from_bytes(hashlib.sha256(f"tanabata migrate {schema}".encode()).digest()[:8], signed=True)
    for second in range(_PATIENCE_S * 5):
        taken = (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})).scalar_one()
        await connection.commit()
        if taken:
            return
        if second == 0:
            tell("another process is migrating; waiting for it")
        await asyncio.sleep(0.2)
    raise CannotMigrate(f"another process has been migrating for more than {_PATIENCE_S} s")


async def _ensure_roles(connection: AsyncConnection, logins: Mapping[str, str | None]) -> None:
    """The roles that the application, the auditor and the analyst act as, and their logins' membership in them.

    Roles belong to the whole server, so another database's migration may be doing the same right now.
    """
    me: str = (await connection.execute(text("SELECT current_user"))).scalar_one()
    members = {role: login or me for role, login in logins.items() if login != role}
    for attempt in range(1, _TRIES + 1):
        try:
            for role in ACTING:
                if not await _role_exists(connection, role):
                    await connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
            for role, login in members.items():
                if not await _may_act(connection, login, role):
                    await connection.execute(text(_membership(role, login)))
            await connection.commit()
        except DBAPIError as error:
            await connection.rollback()
            if sqlstate(error) in _SOMEBODY_ELSE_DID and attempt < _TRIES:
                continue
            if sqlstate(error) != _INSUFFICIENT_PRIVILEGE:
                raise
            made = "".join(f"    CREATE ROLE {role} NOLOGIN;  -- unless it exists\n" for role in ACTING)
            granted = "".join(f"    {_membership(role, login)}\n" for role, login in members.items())
            raise CannotMigrate(
                f"{me!r} may not set up the roles; an administrator must run:\n\n{made}{granted}"
            ) from error
        else:
            return


def _membership(role: str, login: str) -> str:
    return f'GRANT {role} TO "{login}";'


async def _role_exists(connection: AsyncConnection, role: str) -> bool:
    found = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    return found.scalar() is not None


async def _may_act(connection: AsyncConnection, login: str, role: str) -> bool:
    """Whether the login may SET ROLE to the other; PostgreSQL 16 tells this from membership."""
    version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
    kind = "SET" if version >= 160_000 else "MEMBER"
    question = text("SELECT pg_has_role(CAST(:login AS name), CAST(:role AS name), :kind)")
    return bool((await connection.execute(question, {"login": login, "role": role, "kind": kind})).scalar_one())


async def _ensure_schema(connection: AsyncConnection, schema: str) -> None:
    """The city's schema, and the one beside it with the views of analytics, which migrations open to the analyst."""
    name, insight = quoted(schema), quoted(insight_schema(schema))
    try:
        if await _is_missing(connection, name):
            await connection.execute(text(f"CREATE SCHEMA {name}"))
            await connection.execute(text(f"GRANT USAGE ON SCHEMA {name} TO {APP}"))
        if await _is_missing(connection, insight):
            await connection.execute(text(f"CREATE SCHEMA {insight}"))
        await connection.commit()
    except DBAPIError as error:
        await connection.rollback()
        if sqlstate(error) != _INSUFFICIENT_PRIVILEGE:
            raise
        raise CannotMigrate(
            "the migrator's login may not create the schema; an administrator must run:\n\n"
            f'    GRANT CREATE ON DATABASE "{connection.engine.url.database}" TO "{connection.engine.url.username}";\n'
        ) from error


async def _is_missing(connection: AsyncConnection, schema: str) -> bool:
    found = await connection.execute(text("SELECT to_regnamespace(:s)"), {"s": schema})
    return found.scalar_one() is None


def _upgrade(connection: Connection, schema: str) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    settings = config()
    settings.attributes["connection"] = connection
    settings.attributes["schema"] = schema
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        raise CannotMigrate(f"{error}; was this database migrated by a newer version of the program?") from error
    connection.commit()
