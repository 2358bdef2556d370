"""A command of analytics in a process of its own, which goes when the work is done and takes its memory along."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from functools import partial

from infra.held import held_back
from infra.rests import Asks, asks_of
from services.kit.db import Database

END_S = 5.0
"""What we started is to end within this: whoever started us waits no longer than twenty seconds for us."""
_SAID_AT_MOST = 4_000
"""Characters of a failed command's last words that the log keeps: a traceback's end, not a flood."""


Run = Callable[[], Awaitable[int]]


class InsightFailed(Exception):
    """`tanabata insight refresh` or `alerts` ended by itself with this exit code, and the end of what it said."""

    def __str__(self) -> str:
        command, code, said = self.args
        return f"`insight {command}` ended with {code}: {said.strip()}"


def nightly(database: Database) -> tuple[Run, Run]:
    """The refresh of the lake and the look for misuse, held back while this city's stores take payments."""
    asks = asks_of(database)
    return partial(insight_apart, "refresh", asks), partial(insight_apart, "alerts", asks)


async def insight_apart(command: str, asks: Asks | None = None, *, end_s: float = END_S) -> int:
    """Run `tanabata insight` with this command; 1 when it was done. Raises InsightFailed.

    While somebody pays, as `asks` says, it is held back. A terminal's Ctrl-C reaches only us, and we end it; what it
    says of an end that we asked for is nobody's news. One that is in the midst of its work may not heed us for long; it
    is killed after `end_s` and loses nothing by it.
    """
    working = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", "insight", "--parent", str(os.getpid()), command, "--quiet"),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    if working.stderr is None:
        raise AssertionError("asked for a pipe")
    try:
        async with held_back(working, asks):
            said = await working.stderr.read()
            await working.wait()
    finally:
        if working.returncode is None:
            working.terminate()
            try:
                await asyncio.wait_for(working.communicate(), end_s)
            except TimeoutError:
                working.kill()
                await working.communicate()
    if working.returncode:
        raise InsightFailed(command, working.returncode, said.decode(errors="replace")[-_SAID_AT_MOST:])
    return 1
