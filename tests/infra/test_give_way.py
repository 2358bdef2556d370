"""A job's process in the database steps back behind those that serve; nobody else's is touched."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.lake.refresh import refresh
from infra.database.connect import JOBS, SERVING, Limits
from infra.database.give_way import give_way
from infra.database.provision import DatabaseHandle
from services.kit.priority import NICENESS, PROC, group_steps_back

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
            group = PROC / str(driver.get_server_pid()) / "autogroup"
            if group.exists():  # else this Linux groups no sessions, and the process's own niceness is all there is
                assert int(group.read_text().split()[-1]) == least
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


@pytest.fixture(params=[True, False], ids=["of its own session", "of ours"])
def process(request: pytest.FixtureRequest) -> Iterator[tuple[int, bool]]:
    """A process that does nothing, and whether it began its session."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=request.param
    ) as of:
        yield of.pid, request.param


@pytest.mark.parametrize(
    ("told", "then"),
    [
        ("/autogroup-7 nice 0\n", str(NICENESS)),
        (f"/autogroup-7 nice {NICENESS + 1}\n", None),
        ("", None),
        (None, None),
    ],
)
def test_a_group_steps_back_that_is_the_processs_own(
    process: tuple[int, bool], tmp_path: Path, told: str | None, then: str | None
) -> None:
    pid, began = process
    group = tmp_path / str(pid) / "autogroup"
    group.parent.mkdir()
    if told is not None:
        group.write_text(told)
    done = then is not None and began
    assert group_steps_back(pid, proc=tmp_path) is done
    assert (group.read_text() if group.exists() else None) == (then if done else told)


def test_a_process_steps_back_with_its_group_and_never_forward(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from services.kit.priority import step_back
proc = Path({str(tmp_path)!r})
group = proc / str(os.getpid()) / "autogroup"
group.parent.mkdir()
group.write_text("/autogroup-7 nice 0")
before = os.nice(0)
step_back(3, proc=proc)
print(os.nice(0) - before, group.read_text())
"""
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, start_new_session=True, text=True
    )
    assert said.stdout.split() == ["3", "3"]
