"""Rests between the pieces of long work, as long as stores take payments (docs/decisions/0111)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from services.kit.clock import Clock
from services.kit.db import Database, Tx
from services.payments.read import somebody_pays

TIMES = 3.0
"""A rest is so many times as long as the piece before it: the work has a quarter of the time."""

LONGEST_S = 5.0
"""A transaction that rests longer might be taken for one whose client is gone."""

ASKED_EVERY_S = 0.1
"""Whether somebody pays is asked so often at most: pieces may be much shorter."""

PAUSE_S = 0.003
"""A statement that pauses in its midst does so for this long, each time after a fraction of a millisecond's work."""

Sleep = Callable[[float], Awaitable[object]]
Time = Callable[[], float]
Asks = Callable[[], Awaitable[bool]]
"""Tells whether somebody pays."""


class Rests:
    """Rests of one piece of work, which begins when this is made. While nobody pays there are none."""

    def __init__(self, time: Time | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self._time = time or asyncio.get_running_loop().time
        self._sleep = sleep
        self._begun = self._time()
        self._asked: tuple[float, bool] | None = None

    async def rest(self, asks: Asks) -> None:
        """After a piece."""
        done = self._time()
        if await self.are_due(asks):
            await self._sleep(min(TIMES * (done - self._begun), LONGEST_S))
        self._begun = self._time()

    async def are_due(self, asks: Asks) -> bool:
        """Whether somebody pays, as was asked a moment ago at most."""
        now = self._time()
        if self._asked is None or now - self._asked[0] >= ASKED_EVERY_S:
            self._asked = (now, await asks())
        return self._asked[1]

    def within(self, clock: Clock) -> "Within":
        """Rests within an open transaction, whose own instant stands still; `clock` goes on."""
        return Within(self, clock)

    async def pause_s(self, asks: Asks) -> float:
        """How long the piece that begins now pauses each time in its midst: it rests by itself."""
        due = await self.are_due(asks)
        self._begun = self._time()
        return PAUSE_S if due else 0.0

    async def after(self, database: Database) -> None:
        """After a piece that was a transaction."""
        await self.rest(asks_of(database))


class Within:
    """`Rests` as a close takes them (`services.settlement.tables.claims.Rest`)."""

    def __init__(self, rests: Rests, clock: Clock) -> None:
        self._rests = rests
        self._clock = clock

    async def __call__(self, tx: Tx) -> None:
        """After a piece of an open transaction."""
        await self._rests.rest(self._asks(tx))

    async def pause_s(self, tx: Tx) -> float:
        """Before a piece that pauses in its midst."""
        return await self._rests.pause_s(self._asks(tx))

    def _asks(self, tx: Tx) -> Asks:
        return lambda: somebody_pays(replace(tx, now=self._clock.now()))


def asks_of(database: Database) -> Asks:
    """Ask in a transaction of its own."""
    return partial(database.transact, _asks, None, single=True)


async def _asks(tx: Tx, _: None) -> bool:
    return await somebody_pays(tx)
