"""Roles are kept apart by the database itself: with logins of their own, in both kinds of deployment."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import postmaster
from infra.database.connect import JOBS, create_engine, database_url
from infra.database.embedded import EmbeddedPostgres
from infra.database.migrate import CannotMigrate, create_database, drop_database, migrate, named
from infra.database.provision import DatabaseHandle, open_database, open_for_audit
from infra.database.server_files import ACTING, ANALYST, AUDITOR
from infra.settings import Settings
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SeededEntropy
from services.proof.prove import prove


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="tanabata-roles-"))
    made.chmod(0o711)
    yield made / "data"
    shutil.rmtree(made)


async def login(server: EmbeddedPostgres, role: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=str(server.socket_dir), port=postmaster.PORT, user=role, database="tanabata", server_settings={
            "search_path": "tanabata"
        }
    )  # fmt: skip


async def test_embedded_each_role_logs_in_as_itself_and_cannot_become_another(folder: Path) -> None:
    settings = Settings.from_env({"TANABATA_DATA": str(folder)})
    async with open_database(settings) as handle, EmbeddedPostgres(folder) as server:
        assert handle.auditor_url is not None
        for role in ACTING:
            connection = await login(server, role)
            try:
                assert await connection.fetchval("SELECT session_user") == role
                for other in ("tanabata_migrator", *ACTING):
                    if other != role:
                        with pytest.raises(asyncpg.InsufficientPrivilegeError):
                            await connection.execute(f"SET ROLE {other}")
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute("UPDATE audit_entry SET action = 'x'" if role != ANALYST else
                                             "SELECT * FROM tanabata.account")  # fmt: skip
            finally:
                await connection.close()
        await proves(handle)


async def proves(handle: DatabaseHandle) -> None:
    """The books are proven with the auditor's rights."""
    engine = handle.auditor_engine(limits=JOBS)
    try:
        async with Database(engine, OffsetClock(), SeededEntropy(1)).begin() as tx:
            assert (await tx.connection.execute(text("SELECT current_user"))).scalar_one() == AUDITOR
        async with Database(engine, OffsetClock(), SeededEntropy(1)).begin() as tx:
            proof = await prove(tx)
            assert proof.broken == ()
            assert len(proof.checks) > 50
    finally:
        await engine.dispose()


@pytest.fixture
async def deployment(database_server: DatabaseHandle, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DatabaseHandle]:
    """A database whose owner is no superuser, as a provider gives one out; not migrated yet."""
    name = f"tanabata_given_{token_hex(4)}"
    owner = f"owner_{token_hex(4)}"
    await create_database(database_server.migrator_url, name)
    url = named(database_server.migrator_url, name)

    def as_owner(url: str, **rest: Any) -> AsyncEngine:
        return create_engine(url, **(rest | {"role": owner}))

    async with AsyncExitStack() as stack:
        admin = create_engine(url, schema="public", role=None, pool_size=1)
        stack.push_async_callback(admin.dispose)
        stack.push_async_callback(drop_database, database_server.migrator_url, name)
        async with admin.begin() as connection:
            await connection.execute(text(f"CREATE ROLE {owner} LOGIN"))
            await connection.execute(text(f'ALTER DATABASE "{name}" OWNER TO {owner}'))
        monkeypatch.setattr("infra.database.migrate.create_engine", as_owner)
        as_login = database_url(url).set(username=owner).render_as_string(hide_password=False)
        yield DatabaseHandle(as_login, url, "tanabata", as_login)
        monkeypatch.undo()
        async with admin.begin() as connection:
            await connection.execute(text(f"DROP OWNED BY {owner}"))
            await connection.execute(text(f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER'))
            await connection.execute(text(f"DROP ROLE {owner}"))


async def bring_up(deployment: DatabaseHandle) -> None:
    await migrate(deployment.migrator_url, deployment.schema, deployment.app_url, auditor_url=deployment.auditor_url)


async def test_a_provider_told_what_to_run_gets_the_same_rights(deployment: DatabaseHandle) -> None:
    with pytest.raises(CannotMigrate) as caught:
        await bring_up(deployment)
    told = [line.strip() for line in str(caught.value).splitlines() if line.startswith("    ")]
    assert [each.split(";")[0] for each in told[:3]] == [f"CREATE ROLE {role} NOLOGIN" for role in ACTING]
    admin = create_engine(deployment.migrator_url, schema="public", role=None, pool_size=1)
    async with admin.begin() as connection:
        for statement in told[3:]:
            assert statement.startswith(tuple(f"GRANT {role} TO" for role in ACTING))
            await connection.execute(text(statement))
    await admin.dispose()
    await bring_up(deployment)
    there = DatabaseHandle(deployment.migrator_url, deployment.migrator_url, deployment.schema)
    await proves(there)
    engine = there.app_engine()
    async with engine.connect() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(text("DELETE FROM ledger_posting"))
    await engine.dispose()


async def test_an_old_database_gets_the_roles_by_migrating(
    database_server: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was migrated before there were sessions, an auditor and an analyst."""
    name = f"tanabata_old_{token_hex(4)}"
    await create_database(database_server.migrator_url, name)
    old, upgrade = database_server.inside(name), command.upgrade
    try:
        with monkeypatch.context() as then:
            then.setattr(command, "upgrade", lambda settings, _: upgrade(settings, "0004"))
            await migrate(old.migrator_url, old.schema, old.app_url)
        await migrate(old.migrator_url, old.schema, old.app_url)
        await proves(old)
    finally:
        await drop_database(database_server.migrator_url, name)


async def test_the_auditors_url_alone_is_enough_and_migrates_nothing(database: DatabaseHandle) -> None:
    settings = Settings.from_env({"AUDITOR_DATABASE_URL": database.migrator_url})
    async with open_for_audit(settings) as handle:
        assert (handle.app_url, handle.migrator_url) == (database.migrator_url, database.migrator_url)
        await proves(handle)
