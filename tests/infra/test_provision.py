"""Whoever asks for a database gets a migrated one; a scratch database leaves nothing behind."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.database.migrate import create_database, drop_database
from infra.database.provision import DatabaseHandle, Unreachable, open_database, open_scratch_database
from infra.settings import Settings


def settings_for(server: DatabaseHandle, tmp_path: Path) -> Settings:
    environ = {"DATABASE_URL": server.app_url, "MIGRATOR_DATABASE_URL": server.migrator_url}
    return replace(Settings.from_env(environ), data_dir=tmp_path)


async def scratches(server: DatabaseHandle) -> set[str]:
    """The scratch databases of the whole server, which other tests may be using too."""
    engine = server.migrator_engine()
    try:
        async with engine.connect() as connection:
            return set(
                (
                    await connection.execute(
                        text("SELECT datname FROM pg_database WHERE datname LIKE 'tanabata_scratch_%'")
                    )
                ).scalars()
            )
    finally:
        await engine.dispose()


async def test_the_applications_database_is_migrated_when_it_is_handed_over(
    database: DatabaseHandle, tmp_path: Path
) -> None:
    async with open_database(settings_for(database, tmp_path)) as handle:
        engine = handle.app_engine()
        try:
            async with engine.connect() as connection:
                assert (await connection.execute(text("SELECT count(*) FROM ledger_journal"))).scalar_one() == 0
        finally:
            await engine.dispose()


async def test_a_scratch_database_is_dropped_whatever_happens(database_server: DatabaseHandle, tmp_path: Path) -> None:
    old = f"tanabata_scratch_{int(time.time()) - 90_000}_00000000"
    await create_database(database_server.migrator_url, old)
    before = await scratches(database_server)
    settings = settings_for(database_server, tmp_path)
    with pytest.raises(LookupError):
        async with open_scratch_database(settings) as handle:
            within = await scratches(handle)
            raise LookupError
    assert len(within - before) == 1
    assert before - within == {old}, "one that a killed run left behind is dropped after a day"
    assert await scratches(database_server) == before - {old}
    await drop_database(database_server.migrator_url, old)


async def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://someone:s3cret@127.0.0.1:1/nowhere"
    settings = replace(Settings.from_env({"DATABASE_URL": url}), data_dir=tmp_path)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/nowhere") as caught:
        async with open_database(settings):
            pass
    assert "s3cret" not in str(caught.value)
