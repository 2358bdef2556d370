"""A job's process in the database steps back behind those that serve; nobody else's is touched."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from analytics.lake.refresh import refresh
from infra.database.connect import JOBS, SERVING, Limits
from infra.database.give_way import NICENESS, give_way
from infra.database.provision import DatabaseHandle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="priorities are told by /proc")


@pytest.mark.parametrize(("limits", "least"), [(JOBS, NICENESS), (SERVING, 0)])
async def test_only_a_jobs_connection_steps_back(database: DatabaseHandle, limits: Limits, least: int) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    engine = database.app_engine(pool_size=1, limits=limits)
    try:
        async with engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            assert os.getpriority(os.PRIO_PROCESS, driver.get_server_pid()) == max(own, least)
    finally:
        await engine.dispose()
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


@pytest.mark.parametrize(
    "words", [b"vi\0postgres:\0city", b"postgres: tanabata_app another [local] idle", b"", None], ids=str
)
def test_a_process_that_is_not_that_one_is_left_alone(tmp_path: Path, words: bytes | None) -> None:
    pid, before = os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)
    if words is not None:
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes(words)
    assert give_way(pid, "city", proc=tmp_path) is False
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_what_reads_for_the_lake_steps_back(database: DatabaseHandle, tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    heard: list[tuple[bool, int]] = []

    def opened(pid: int, name: str) -> None:
        heard.append((give_way(pid, name), os.getpriority(os.PRIO_PROCESS, pid)))

    await asyncio.to_thread(refresh, tmp_path, database.insight_uri(), opened=opened)
    assert heard == [(True, max(own, NICENESS))] * 2
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
