"""A connection between two requests: what it is told while one is under way, how long it may be quiet, and what is
told to a client who does not read."""

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from uvicorn.server import ServerState

from infra.http.lane import Lane
from infra.web_server import IDLE_S, web_server
from services.kit.deeds import Deed, Done
from services.payments.order import Order
from tests.house.fast_door import RECEIPTS, Twins
from tests.house.test_fast_door_sockets import PATIENCE_S, whole
from tests.house.test_lane import Counted
from tests.house.test_whole_requests import Recognised


class Wire(asyncio.Transport):
    """A connection without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""
        self.closed = False
        self._heard_more = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.heard += data
        self._heard_more.set()

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    async def answered(self, times: int) -> None:
        while self.heard.count(b"HTTP/1.1 201") < times:
            self._heard_more.clear()
            await self._heard_more.wait()


class Clock:
    """A loop's time, moved by hand, and the timers that wait for it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.Handle:
        timer = (self.now + delay, callback)
        self.timers.append(timer)
        handle = Mock(asyncio.TimerHandle)
        handle.cancel = lambda: self.timers.remove(timer) if timer in self.timers else None
        return handle

    def go(self, seconds: float) -> None:
        self.now += seconds
        due = [callback for at, callback in self.timers if at <= self.now]
        self.timers = [each for each in self.timers if each[0] > self.now]
        for callback in due:
            callback()


class Slow:
    """A lane over a wire, whose payments end when they are told to; `by_hand` its time goes by when it is told to."""

    def __init__(self, *, by_hand: bool = False) -> None:
        twins = Twins()
        self.once = whole(twins.good("wallet"))
        self.go_on = asyncio.Event()
        twins.played.perform = self._perform  # type: ignore[method-assign]
        twins.town.context.payments.perform = self._perform  # type: ignore[method-assign]
        config = web_server(twins.door).config
        config.load()
        self.wire, self.clock = Wire(), Clock()
        self.lane = Lane(config, ServerState(), {}, asyncio.get_running_loop())
        if by_hand:
            self.lane.loop = self.clock  # type: ignore[assignment]
        self.lane.connection_made(self.wire)

    async def _perform(self, deed: Deed, order: Order) -> Done[Any]:
        await self.go_on.wait()
        return Done(RECEIPTS["wallet"], replayed=False)

    async def answered(self, times: int) -> None:
        self.go_on.set()
        async with asyncio.timeout(PATIENCE_S):
            await self.wire.answered(times)
        self.go_on.clear()


async def test_nothing_is_recognised_while_an_answer_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    recognised, slow = Recognised(monkeypatch), Slow()
    for _ in range(3):
        slow.lane.data_received(slow.once)
        assert recognised.taken == 1
    assert not slow.wire.heard
    await slow.answered(1)
    slow.go_on.set()
    await slow.answered(3)
    slow.lane.data_received(slow.once)
    assert recognised.taken == 2
    await slow.answered(4)


@pytest.mark.parametrize("more", [b"", b"\r\nx:y"], ids=["by its bytes", "by the parser"])
async def test_who_does_not_read_is_told_no_more(more: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the answers of a connection that nobody reads would fill the server's memory."""
    counted, slow = Counted(monkeypatch), Slow()
    once = slow.once.replace(b"\r\n\r\n", more + b"\r\n\r\n")
    slow.go_on.set()
    slow.lane.pause_writing()
    for _ in range(2):
        slow.lane.data_received(once)
    for _ in range(100):
        await asyncio.sleep(0)
    meanwhile = slow.wire.heard, counted.begun
    slow.lane.resume_writing()  # in any case: uvicorn's own waits for it, even when it is cancelled
    assert meanwhile == (b"", 0)
    await slow.answered(2)
    slow.lane.data_received(once)
    await slow.answered(3)
    assert counted.begun == 1


async def test_a_connection_is_closed_when_it_was_quiet_for_its_time_since_the_last_answer() -> None:
    slow = Slow(by_hand=True)
    for times in range(1, 5):
        slow.lane.data_received(slow.once)
        await slow.answered(times)
        assert len(slow.clock.timers) == 1
        slow.clock.go(IDLE_S - 1)
        assert not slow.wire.is_closing()
    slow.clock.go(0.9)
    assert not slow.wire.is_closing()
    slow.clock.go(0.1)
    assert slow.wire.is_closing()
    assert not slow.clock.timers


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_connection_whose_client_says_no_more_ends_with_its_last_answer(before: int) -> None:
    """Whether a timer runs since an earlier answer or none does; without one to come it ends at once."""
    slow = Slow(by_hand=True)
    for times in range(1, before + 1):
        slow.lane.data_received(slow.once)
        await slow.answered(times)
    slow.lane.data_received(slow.once)
    assert slow.lane.eof_received()
    assert not slow.wire.is_closing()
    await slow.answered(before + 1)
    assert slow.wire.is_closing()
    slow.lane.connection_lost(None)
    assert not slow.clock.timers
    idle = Slow()
    assert not idle.lane.eof_received()
    idle.lane.data_received(idle.once[:-1])
    assert not idle.lane.eof_received()


async def test_a_connection_is_not_quiet_while_a_request_is_under_way() -> None:
    slow = Slow(by_hand=True)
    slow.lane.data_received(slow.once)
    await slow.answered(1)
    slow.clock.go(IDLE_S - 1)
    slow.lane.data_received(slow.once)
    slow.clock.go(3 * IDLE_S)
    assert not slow.wire.is_closing()
    assert not slow.clock.timers
    await slow.answered(2)
    slow.clock.go(IDLE_S - 1)
    assert not slow.wire.is_closing()
    slow.clock.go(1)
    assert slow.wire.is_closing()
