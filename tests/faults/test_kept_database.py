"""`tanabata up` on its own PostgreSQL, which is killed: it is there again, and what was promised is in it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from infra.database import postmaster
from infra.settings import PROJECT
from tests.data_folder import data_folder
from tests.faults.test_down_at_start import PATIENCE_S, free_port
from tests.http_town import WALLET

MOST_KILLS = 4


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder("tanabata-test-") as made:
        yield made


@asynccontextmanager
async def up(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole of `make run` in a folder; it must stop cleanly, whatever happened meanwhile."""
    port = free_port()
    given = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    environ = given | {"TANABATA_DATA": str(folder), "PORT": str(port), "HOST": "127.0.0.1"}
    with said(folder).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.cli", "up"),
            cwd=PROJECT, env=environ, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S
        ) as client:
            yield client
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            code = await process.wait()
    assert code == 0


async def must_answer(client: httpx.AsyncClient, phone: str) -> None:
    """Once the database does; until then everybody is told to come back. A phone is sent a code now and then only."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                answer = await client.post(f"{WALLET}/sign-in/codes", json={"phone": phone})
            except httpx.TransportError:  # it does not listen yet
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 202:
                return
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
            assert int(answer.headers["retry-after"]) >= 1
            await asyncio.sleep(0.1)


async def kill_database(folder: Path) -> None:
    """`kill -9`, and wait until another runs in its place."""
    killed = postmaster.find(folder / "postgres")
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while (found := postmaster.find(folder / "postgres")) is None or found.pid == killed.pid:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def said(folder: Path) -> Path:
    """What `up` says; beside the folder, which is the database's."""
    return folder.parent / "said.log"


async def test_a_killed_database_is_started_again_by_whoever_runs_it(folder: Path) -> None:
    """A worker that had just begun starts it as well, and may be sooner: so it is killed until it was `up`."""
    async with up(folder) as client:
        await must_answer(client, "090-9999-0000")
        for kill in range(MOST_KILLS):
            await kill_database(folder)
            await must_answer(client, f"090-9999-000{kill + 1}")
            if "starting it again" in said(folder).read_text():
                break
        assert "starting it again" in said(folder).read_text()
    assert postmaster.find(folder / "postgres") is None, "and it is stopped at the end, as ever"


async def test_a_database_that_cannot_start_is_tried_again(folder: Path) -> None:
    async with up(folder) as client:
        await must_answer(client, "090-9999-0000")
        vital, away = folder / "postgres" / "global" / "pg_control", folder / "pg_control"
        vital.rename(away)
        killing = asyncio.create_task(kill_database(folder))
        async with asyncio.timeout(PATIENCE_S):
            while "pg_control" not in (folder / "start.log").read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        away.rename(vital)
        await killing
        await must_answer(client, "090-9999-0001")
