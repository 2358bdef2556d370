"""Migrations: one at a time, whole or not at all, never blocking payments, and exactly our tables."""

import asyncio
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import migrate as migrations
from infra.database.connect import create_engine, database_url
from infra.database.migrate import (
    CannotMigrate,
    create_database,
    current,
    drop_database,
    head,
    metadata,
    migrate,
    named,
)
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP

MIGRATION = """
from alembic import op

revision = "{revision}"
down_revision = {after!r}


def upgrade():
    {statements}
"""


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations of the test's own, in the program's place."""
    (tmp_path / "versions").mkdir()
    ours = Path(migrations.__file__).parent / "migrations"
    for name in ("env.py", "script.py.mako"):
        (tmp_path / name).write_text((ours / name).read_text())
    config = migrations.config

    def scratched() -> Config:
        settings = config()
        settings.set_main_option("script_location", str(tmp_path))
        return settings

    monkeypatch.setattr(migrations, "config", scratched)
    return tmp_path / "versions"


def write(folder: Path, revision: str, after: str | None, *statements: str) -> None:
    lines = "\n    ".join(f"op.execute({statement!r})" for statement in statements)
    (folder / f"{revision}.py").write_text(MIGRATION.format(revision=revision, after=after, statements=lines))


async def names(engine: AsyncEngine, schema: str) -> set[str]:
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": schema}
        )
        return set(found.scalars())


async def test_the_migrated_database_is_at_head(database: DatabaseHandle, migrator_engine: AsyncEngine) -> None:
    async with migrator_engine.connect() as connection:
        assert await current(connection, database.schema) == head()
    assert metadata().tables.keys() <= await names(migrator_engine, database.schema)
    await migrate(database.migrator_url, database.schema, database.app_url)


async def test_two_that_migrate_at_once_do_it_one_after_the_other(
    database: DatabaseHandle, migrator_engine: AsyncEngine, scratch: Path
) -> None:
    write(scratch, "1", None, "SELECT pg_sleep(0.3)", "CREATE TABLE first (x int)")
    said: list[str] = []
    await asyncio.gather(*(migrate(database.migrator_url, "city_b", tell=said.append) for _ in range(3)))
    assert "another process is migrating; waiting for it" in said
    assert await names(migrator_engine, "city_b") == {"first", "alembic_version"}


async def test_a_failed_migration_leaves_the_old_shape_whole(
    database: DatabaseHandle, migrator_engine: AsyncEngine, scratch: Path
) -> None:
    write(scratch, "1", None, "CREATE TABLE first (x int)")
    write(scratch, "2", "1", "CREATE TABLE second (x int)", "ALTER TABLE missing ADD COLUMN y int")
    with pytest.raises(DBAPIError, match="missing"):
        await migrate(database.migrator_url, "city_b")
    assert await names(migrator_engine, "city_b") == {"first", "alembic_version"}
    async with migrator_engine.connect() as connection:
        assert await current(connection, "city_b") == "1"


async def test_a_migration_lets_a_busy_table_pass_and_comes_back(
    database: DatabaseHandle, migrator_engine: AsyncEngine, scratch: Path
) -> None:
    write(scratch, "1", None, "CREATE TABLE first (x int)")
    await migrate(database.migrator_url, "city_b")
    write(scratch, "2", "1", "ALTER TABLE first ADD COLUMN y int")
    said: list[str] = []
    async with migrator_engine.begin() as reader:
        await reader.execute(text("SELECT * FROM city_b.first"))
        waiting = asyncio.create_task(migrate(database.migrator_url, "city_b", tell=said.append))
        for _ in range(200):
            if said:
                break
            await asyncio.sleep(0.02)
        assert said == ["a table is in use; the migration lets it pass and tries again"]
    await waiting


async def test_a_newer_database_is_not_touched(database: DatabaseHandle, migrator_engine: AsyncEngine) -> None:
    async with migrator_engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    with pytest.raises(CannotMigrate, match="newer version"):
        await migrate(database.migrator_url, database.schema)


async def test_a_login_without_rights_is_told_what_an_administrator_must_run(
    database: DatabaseHandle, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with migrator_engine.begin() as connection:
        here = connection.engine.url.database
        role = f"weak_{token_hex(4)}"
        await connection.execute(text(f"CREATE ROLE {role} LOGIN"))
    try:

        def as_weak(url: str, **rest: Any) -> AsyncEngine:
            return create_engine(url, **(rest | {"role": role}))

        monkeypatch.setattr("infra.database.migrate.create_engine", as_weak)
        app_url = database_url(database.app_url).set(username=role).render_as_string(hide_password=False)
        with pytest.raises(CannotMigrate, match=rf'GRANT {APP} TO "{role}";'):
            await migrate(database.migrator_url, "city_b", app_url)
        with pytest.raises(CannotMigrate, match=f'GRANT CREATE ON DATABASE "{here}"'):
            await migrate(database.migrator_url, "city_b")
    finally:
        async with migrator_engine.begin() as connection:
            await connection.execute(text(f"DROP ROLE {role}"))


async def test_databases_are_copied_and_dropped(database_server: DatabaseHandle, template_database: str) -> None:
    name = f"tanabata_copy_{token_hex(4)}"
    await create_database(database_server.migrator_url, name, template_database)
    copy = DatabaseHandle(named(database_server.app_url, name), named(database_server.migrator_url, name), "tanabata")
    engine = copy.migrator_engine()
    try:
        assert "alembic_version" in await names(engine, "tanabata")
        await drop_database(database_server.migrator_url, name)
        await drop_database(database_server.migrator_url, name)
    finally:
        await engine.dispose()
