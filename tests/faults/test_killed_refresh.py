"""PostgreSQL is killed while a refresh reads: a sentence, no traceback, the lake as it was; the next one goes on."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import locales
from analytics.lake.manifest import LakeSourceLost, read_manifest
from infra.apart import InsightFailed, insight_apart
from infra.benchmarks import checks
from infra.settings import Settings
from tests.faults.conftest import Place
from tests.faults.paying import PATIENCE_S
from tests.faults.test_killed_database import kill_database, must_be_ours

SENTENCE = locales.text("en", f"error.{LakeSourceLost.code}")


def surroundings(place: Place) -> dict[str, str]:
    handle = place.handle
    return {
        "DATABASE_URL": handle.app_url,
        "MIGRATOR_DATABASE_URL": handle.migrator_url,
        "ANALYST_DATABASE_URL": handle.migrator_url,
        "TANABATA_SCHEMA": handle.schema,
        "TANABATA_DATA": str(place.data),
        "COLUMNS": "300",
    }


async def refreshing(place: Place) -> Process:
    command = (sys.executable, "-m", "infra.cli", "insight", "refresh", "--quiet", "--anew")
    return await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, env={**os.environ, **surroundings(place)}, start_new_session=True
    )


async def waits_for_us(place: Place) -> None:
    """Until somebody waits for a lock on a table, as a refresh does here in the midst of its reading."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = :name")
    sought = {"name": place.name}
    async with asyncio.timeout(PATIENCE_S), checks.owner(place.handle) as connection:
        while not (await connection.execute(waiting, sought)).scalar_one():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)


async def killed_while_it_reads(place: Place) -> None:
    pid = await must_be_ours(place)
    with pytest.raises(DBAPIError):  # our own lock goes with the server
        async with checks.owner(place.handle) as connection:
            await connection.execute(text("BEGIN"))
            await connection.execute(text("LOCK TABLE lot IN ACCESS EXCLUSIVE MODE"))
            await waits_for_us(place)
            await kill_database(place, pid)
            await connection.execute(text("SELECT 1"))


async def test_a_database_killed_while_a_refresh_reads_is_a_sentence(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await refreshing(place)
    out, said = await whole.communicate()
    assert (whole.returncode, out, said) == (0, b"", b"")
    lake = Settings.from_env(surroundings(place)).lake_dir
    before = read_manifest(lake)

    cut = await refreshing(place)
    await killed_while_it_reads(place)
    out, said = await cut.communicate()
    assert (cut.returncode, out, said.decode().strip()) == (1, b"", SENTENCE)
    assert read_manifest(lake) == before
    await place.postgres.start()

    for name, value in surroundings(place).items():
        monkeypatch.setenv(name, value)
    nightly = asyncio.create_task(insight_apart("refresh"))
    await killed_while_it_reads(place)
    with pytest.raises(InsightFailed, match=r"`insight refresh` ended with 1: The database went away") as failed:
        await nightly
    assert "Traceback" not in str(failed.value)
    await place.postgres.start()
    assert await insight_apart("refresh") == 1
    assert read_manifest(lake).frames == before.frames
