"""A process beside ours is held back while somebody pays: stopped and let go on, and never left stopped."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from infra.held import held_back

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is held elsewhere")

PATIENCE_S = 30
COUNTS = """
import sys
from infra.companion import end_with_parent
sys.stdin.readline()
end_with_parent({parent})
while True:
    pass
"""
KEEPS = """
import asyncio, os, sys
from asyncio.subprocess import PIPE
from infra.held import held_back

async def always():
    return True

async def main():
    code = {code!r}.format(parent=os.getpid())
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=PIPE, stdout=PIPE)
    print(process.pid, flush=True)
    process.stdin.write(b"\\n")
    async with held_back(process, always):
        await process.wait()

asyncio.run(main())
"""


async def says(answer: bool) -> bool:
    return answer


def state(pid: int) -> str:
    """R runs, S sleeps, T is stopped; nothing where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - the system tells nobody
            await asyncio.sleep(0.001)


@asynccontextmanager
async def counting() -> AsyncIterator[Process]:
    """A process that counts once it has had a line."""
    code = COUNTS.format(parent=os.getpid())
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def begin(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")


async def test_one_is_stopped_and_goes_on_by_turns_while_somebody_pays_and_is_left_running() -> None:
    async with counting() as process:
        begin(process)
        async with held_back(process, lambda: says(True)):
            for _ in range(3):
                await until(lambda: state(process.pid) == "T")
                await until(lambda: state(process.pid) == "R")
            await until(lambda: state(process.pid) == "T")
        await until(lambda: state(process.pid) == "R")


async def test_nobody_is_stopped_while_nobody_pays() -> None:
    asked, seen = [], set()

    async def nobody() -> bool:
        asked.append(False)
        return False

    def looked() -> bool:
        seen.add(state(process.pid))
        return len(asked) == 4

    async with counting() as process:
        begin(process)
        async with held_back(process, nobody):
            await until(looked)
        assert "T" not in seen


async def test_one_that_would_outlive_us_is_not_stopped() -> None:
    asked = asyncio.Event()

    async def somebody() -> bool:
        asked.set()
        return True

    async with counting() as process, held_back(process, somebody):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asked.wait(), 0.5)
        assert state(process.pid) != "T"
        begin(process)
        await until(lambda: state(process.pid) == "T")


async def test_one_that_is_stopped_ends_with_who_stopped_it() -> None:
    keeper = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KEEPS.format(code=COUNTS), stdin=DEVNULL, stdout=PIPE, env=dict(os.environ)
    )
    assert keeper.stdout is not None
    pid = int(await keeper.stdout.readline())
    await until(lambda: state(pid) == "T")
    os.kill(keeper.pid, signal.SIGSTOP)  # so that it is not the keeper who lets it go on
    await until(lambda: state(keeper.pid) == "T")
    keeper.kill()
    await keeper.wait()
    await until(lambda: state(pid) in ("", "Z"))


async def test_where_it_cannot_be_asked_the_process_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    answers = [True]

    async def loses() -> bool:
        return answers.pop()

    async with counting() as process:
        begin(process)
        with caplog.at_level(logging.ERROR):
            async with held_back(process, loses):
                await until(lambda: state(process.pid) == "T")
                await until(lambda: "could not be asked" in caplog.text)
                for _ in range(20):
                    await asyncio.sleep(0.005)
                    assert state(process.pid) == "R"


async def test_one_that_has_ended_is_left_alone() -> None:
    async with counting() as process:
        begin(process)
        async with held_back(process, lambda: says(True)):
            await until(lambda: state(process.pid) == "T")
            process.kill()
            assert await process.wait() == -signal.SIGKILL
            await asyncio.sleep(0.1)
