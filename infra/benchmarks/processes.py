"""The processes of a benchmark: each starts, says that it is ready, is asked, and ends with us.

Law: no process outlives its caller. Each ends when its input ends, which also happens when we are
killed; one that does not end when told to is killed by its id.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from infra.benchmarks.counting import COUNTING
from infra.benchmarks.load import GO, SAID, SIGN_IN
from infra.benchmarks.plan import Order, Outcome
from infra.benchmarks.serve import READY
from infra.database.provision import DatabaseHandle
from infra.settings import PROJECT

_START_S = 120.0
_STOP_S = 30.0
_SIGNING_IN_S = 600.0
_PREPARING_S = 600.0
_SETTLING_S = 90.0
_LONGEST_LINE = 1 << 20


class ProcessFailed(Exception):
    """A process of the benchmark ended or fell silent; the message says which, and its last words."""


@dataclass(frozen=True)
class Served:
    """A running server under test."""

    pid: int
    port: int


class Generator:
    """The load generator: one order at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def sign_in(self) -> None:
        """New access tokens for everybody; these live for half an hour."""
        await self._say(SIGN_IN)
        await _hear(self._process, SAID, _SIGNING_IN_S)

    async def prepare(self, order: Order) -> None:
        """Make every request, and open the connections; then `go` sends them."""
        await self._say(msgspec.json.encode(order).decode())
        await _hear(self._process, SAID, _PREPARING_S)

    async def go(self, order: Order) -> Outcome:
        """Send what was prepared, and hear what came of it."""
        await self._say(GO)
        said = await _hear(self._process, SAID, order.seconds + _SETTLING_S)
        return msgspec.json.decode(said, type=Outcome)

    async def _say(self, words: str) -> None:
        if self._process.stdin is None:
            raise AssertionError("unreachable")
        self._process.stdin.write(f"{words}\n".encode())
        await self._process.stdin.drain()


@asynccontextmanager
async def generator(payers: int, tills: int, data: Path) -> AsyncIterator[Generator]:
    """A load generator for a ground of this size, with the keys of the installation at `data`."""
    words = [f"--payers={payers}", f"--tills={tills}", f"--data={data}"]
    async with _running("infra.benchmarks.load", words) as process:
        yield Generator(process)


class Starting:
    """A server that may not be ready yet, so that several can get ready at once."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ready(self) -> Served:
        """Wait until it serves."""
        return Served(self._process.pid, int(await _hear(self._process, READY, _START_S)))


@asynccontextmanager
async def serving(handle: DatabaseHandle, data: Path, *, plain: bool = False) -> AsyncIterator[Starting]:
    """The product's server on a database, one worker; `plain` answers payments one by one, through FastAPI."""
    words = [
        f"--app-url={handle.app_url}",
        f"--migrator-url={handle.migrator_url}",
        f"--schema={handle.schema}",
        f"--data={data}",
        *(["--plain"] if plain else []),
    ]
    async with _running("infra.benchmarks.serve", words) as process:
        yield Starting(process)


@asynccontextmanager
async def serving_naive(url: str) -> AsyncIterator[Starting]:
    """The ORM application that stands beside for scale."""
    async with _running("infra.benchmarks.naive", [f"--url={url}"]) as process:
        yield Starting(process)


@asynccontextmanager
async def counting() -> AsyncIterator[None]:
    """Long work that only wants a processor: the reference for what payments notice of real work."""
    async with _running("infra.benchmarks.counting", []) as process:
        await _hear(process, COUNTING, _START_S)
        yield


@asynccontextmanager
async def _running(module: str, words: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        limit=_LONGEST_LINE,
        start_new_session=True,  # the terminal's Ctrl-C reaches only us, and we end them in order
    )
    try:
        yield process
    finally:
        await asyncio.shield(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _hear(process: asyncio.subprocess.Process, prefix: str, patience_s: float) -> str:
    """The rest of the next line that begins with the prefix; other lines are passed on. Raises ProcessFailed."""
    if process.stdout is None:
        raise AssertionError("unreachable")
    try:
        async with asyncio.timeout(patience_s):
            while line := (await process.stdout.readline()).decode(errors="replace"):
                if line.startswith(prefix):
                    return line.removeprefix(prefix).strip()
                sys.stderr.write(line)
    except TimeoutError:
        raise ProcessFailed(f"process {process.pid} said nothing for {patience_s:.0f} s") from None
    raise ProcessFailed(f"process {process.pid} ended with code {await process.wait()}; see its words above")
