"""A process beside this one: started again when it ends, and gone when we are gone.

Law: it lives no longer than whoever started it. Its standard input is a pipe that nobody writes to and
that only we hold open: whatever ends us, `kill -9` too, ends the pipe, and `until_parent_ends` returns.
It has a session of its own, so that the terminal's Ctrl-C reaches only us and we stop it in our order.
"""

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

GRACE_S = 20.0
"""How long it may finish what it does; what is killed then is rolled back, and done again another time."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Before it is started again; doubled each time, so that one that cannot start does not keep a core busy."""

_DIES_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


@asynccontextmanager
async def beside(name: str, command: Sequence[str], tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Keep a process running while the body runs; `tell` hears when it ended by itself."""
    keeping = asyncio.create_task(_keep(name, command, tell))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def until_parent_ends() -> None:
    """For the process itself: wait until whoever started it is gone, or wants it gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while await reader.read(1024):
            pass
    finally:
        transport.close()


def end_with_parent(parent: int) -> None:
    """For the process itself: have the system kill us when `parent`, who started us, is gone; at once if it is.

    Then our standard output ends, by which `parent` knows. It works for one that is stopped, too.
    Source: prctl(2), PR_SET_PDEATHSIG. Linux only; elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_DIES_WITH_PARENT, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


async def _keep(name: str, command: Sequence[str], tell: Callable[[str], None]) -> None:
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
        except OSError as error:
            tell(f"the {name} cannot be started: {error.strerror}")
        else:
            try:
                code = await process.wait()
            finally:
                await _end(process)
            tell(f"the {name} ended with exit code {code}; starting it again")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _end(process: Process) -> None:
    """Ask by closing the pipe, then insist."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_S)
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
