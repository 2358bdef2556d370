"""A process beside ours is held back while stores take payments: it works for a fifth of the time, in short pieces.

What loads libraries, hashes files and writes Parquet has no pieces between which it could rest by itself, so that
whoever started it stops it and lets it go on, as a terminal would. Linux only; see docs/decisions/0134.
"""

import asyncio
import logging
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.rests import ASKED_EVERY_S, Asks, Rests

WORKS_S = 0.005
RESTS_S = 0.020
"""A payment takes some milliseconds: it seldom meets more than one piece of the other work."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def held_back(process: Process, asks: Asks | None) -> AsyncIterator[None]:
    """Hold the process back inside the body; it is never left stopped. Without `asks` nothing is held.

    One that is stopped when we are killed would stay so for ever. So nothing is held before the process has called
    `companion.end_with_parent`, which ends its standard output: a pipe that nobody else reads.
    """
    if asks is None or sys.platform != "linux":
        yield
        return
    holding = asyncio.create_task(_hold_back(process, asks))
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def _hold_back(process: Process, asks: Asks) -> None:
    if process.stdout is not None:
        await process.stdout.read()
    rests = Rests()
    with suppress(ProcessLookupError):  # it has ended
        while True:
            try:
                due = await rests.are_due(asks)
            except Exception:
                log.exception("whether somebody pays could not be asked; what runs beside is not held back any more")
                return
            if not due:
                await asyncio.sleep(ASKED_EVERY_S)
                continue
            process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(RESTS_S)
            finally:
                process.send_signal(signal.SIGCONT)
            await asyncio.sleep(WORKS_S)
