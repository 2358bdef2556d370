"""The posting of payments, watched and held, so that a batch surely forms."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.kit.deeds import Done
from services.kit.errors import Refusal
from services.kit.waiting import Elsewhere, Waiting
from services.payments.order import Order
from tests.http_town import HttpTown, done

PATIENCE_S = 60.0
"""Only stops a hang."""


@dataclass
class Posting:
    """The desk's posting, watched: how many each way is given; the first one is held until `go_on`."""

    town: HttpTown
    monkeypatch: pytest.MonkeyPatch
    sizes: list[int] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        batch = self.town.built.context.payments._batch
        within, short_cut = batch._within, batch._take_short_cut

        async def watched(
            waiting: Sequence[Waiting[Order]], *, alone: bool = True
        ) -> Sequence[Done[Any] | Refusal | Elsewhere]:
            self.sizes.append(len(waiting))
            return await within(waiting, alone=alone)

        async def watched_short_cut(waiting: Sequence[Waiting[Order]]) -> Sequence[Waiting[Order]]:
            self.sizes.append(len(waiting))
            self.begun.set()
            await self.go_on.wait()
            return await short_cut(waiting)

        self.monkeypatch.setattr(batch, "_within", watched)
        self.monkeypatch.setattr(batch, "_take_short_cut", watched_short_cut)
        self.monkeypatch.setattr(batch, "_at_once", 1)
        self._batch = batch

    async def together(self, first: Any, calls: Sequence[Any], extra: Sequence[Any] = ()) -> list[httpx.Response]:
        """What is called while the first is under way is in the next batch; `extra` is answered meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            running = [asyncio.ensure_future(first)]
            await self.begun.wait()
            running += [asyncio.ensure_future(call) for call in calls]
            while len(self._batch._queue) < len(calls):  # noqa: ASYNC110 - the queue tells nobody
                await asyncio.sleep(0.001)
            beyond = [await call for call in extra]
            self.go_on.set()
            answers = await asyncio.gather(*running)
        done(answers[0], 201)
        return [*answers[1:], *beyond]
