"""The server's side of the desk: one process that answers, one question at a time, each within a time.

Law: a question can neither block the server's loop nor take its memory; what takes too long is ended with its
process, and the next question starts another. Loading this loads none of the libraries that answer.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from analytics.charts.names import REPORT_REFUSALS, ChartQuestion, ChartTooLarge
from analytics.desk.messages import Answered, Asked, Drawn, Order, Refused, Reply, StoreQuestion, StoreTold, line_of
from analytics.lake.manifest import LakeCorrupt, LakeMissing, LakeSourceLost
from analytics.measures.question import AnswerTooLarge, PeriodOpen
from services.kit.errors import Kind, Refusal

LONGEST_S: Final = 30.0
MOST_WAITING: Final = 16
_LINE_LIMIT: Final = 64 * 1024 * 1024
_REFUSALS: Final = {
    each.code: each
    for each in (LakeMissing, LakeCorrupt, LakeSourceLost, AnswerTooLarge, PeriodOpen, ChartTooLarge, *REPORT_REFUSALS)
}
"""What the process may refuse besides what the question itself is refused for, which is checked before."""


class DeskBusy(Refusal):
    """Too many questions wait already, or this one took longer than a question may."""

    code: ClassVar[str] = "desk_busy"
    kind = Kind.UNAVAILABLE


class DeskFailed(Exception):
    """The process ended instead of answering, or refused for a reason that nobody declared."""


class InsightDesk:
    """Asks; `root` is the lake, `uri` libpq's address of the views (None: today is not asked for)."""

    def __init__(self, root: Path, uri: str | None, *, longest_s: float = LONGEST_S) -> None:
        self._root, self._uri, self._longest_s = root, uri, longest_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def ask(self, asked: Asked) -> Answered:
        """The answer. Raises what it is refused for, LakeMissing, LakeCorrupt, LakeSourceLost, DeskBusy, DeskFailed."""
        asked.question.checked()
        reply = await self._reply(Order(asked=asked))
        if reply.answered is not None:
            return reply.answered
        raise _raised(reply.refused)

    async def chart(self, asked: ChartQuestion) -> Drawn:
        """The chart. Raises ChartUnknown, ChartTooLarge, REPORT_REFUSALS, and as `ask` besides."""
        reply = await self._reply(Order(chart=asked.checked()))
        if reply.drawn is not None:
            return reply.drawn
        raise _raised(reply.refused)

    @property
    def process_id(self) -> int | None:
        """Of the process that answers, while there is one."""
        return None if self._process is None else self._process.pid

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def store(self, asked: StoreQuestion) -> StoreTold:
        """A store's month, as only that store may see it. Raises LakeMissing, LakeCorrupt, DeskBusy, DeskFailed."""
        reply = await self._reply(Order(store=asked))
        if reply.told is not None:
            return reply.told
        raise _raised(reply.refused)

    async def _reply(self, order: Order) -> Reply:
        if self._waiting >= MOST_WAITING:
            raise DeskBusy
        self._waiting += 1
        try:
            async with self._turn:
                return await self._exchange(order)
        finally:
            self._waiting -= 1

    async def _exchange(self, order: Order) -> Reply:
        try:
            async with asyncio.timeout(self._longest_s):
                line = await _exchanged(await self._started(), line_of(order))
        except TimeoutError:
            await self.close()
            raise DeskBusy from None
        except BaseException:  # whoever asked is gone; the answer must not reach the next
            await self.close()
            raise
        if not line:
            await self.close()
            raise DeskFailed("the process ended before it answered")
        return msgspec.json.decode(line, type=Reply)

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            uri = {} if self._uri is None else {"TANABATA_INSIGHT_URI": self._uri}
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "analytics.desk", str(self._root)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL if sys.stderr is None else None,
                env={**os.environ, **uri},
                start_new_session=True,
                limit=_LINE_LIMIT,
            )
        return self._process


async def _exchanged(process: Process, line: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise DeskFailed("the process has no pipes")
    process.stdin.write(line)
    await process.stdin.drain()
    return await process.stdout.readline()


def _raised(refused: Refused | None) -> Exception:
    kind: type[Refusal] | None = None if refused is None else _REFUSALS.get(refused.code)
    if refused is None or kind is None:
        return DeskFailed(f"refused: {refused}")
    params: dict[str, Any] = dict(refused.params)
    return kind(**params)
