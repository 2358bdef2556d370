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

Sleep = Callable[[float], Awaitable[object]]
Time = Callable[[], float]


class Rests:
    """Rests of one piece of work, which begins when this is made. While nobody pays there are none."""

    def __init__(self, time: Time | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self._time = time or asyncio.get_running_loop().time
        self._sleep = sleep
        self._begun = self._time()
        self._asked: tuple[float, bool] | None = None

    async def rest(self, asks: Callable[[], Awaitable[bool]]) -> None:
        """After a piece; `asks` tells whether somebody pays."""
        done = self._time()
        if self._asked is None or done - self._asked[0] >= ASKED_EVERY_S:
            self._asked = (done, await asks())
        if self._asked[1]:
            await self._sleep(min(TIMES * (done - self._begun), LONGEST_S))
        self._begun = self._time()

    def within(self, clock: Clock) -> Callable[[Tx], Awaitable[None]]:
        """Rests after a piece of an open transaction, whose own instant stands still; `clock` goes on."""

        async def rest(tx: Tx) -> None:
            await self.rest(lambda: somebody_pays(replace(tx, now=clock.now())))

        return rest

    async def after(self, database: Database) -> None:
        """After a piece that was a transaction."""
        await self.rest(partial(database.transact, _asks, None, single=True))


async def _asks(tx: Tx, _: None) -> bool:
    return await somebody_pays(tx)
