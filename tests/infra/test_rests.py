"""Long work rests between its pieces while stores take payments, and not when nobody pays."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra import rests, worker
from infra.rests import ASKED_EVERY_S, LONGEST_S, PAUSE_S, TIMES, Rests
from services.kit.db import Tx
from services.payments.read import somebody_pays
from services.settlement.close import Close
from tests.settlement.office import FIRST, Office
from tests.town import CODE, Town, town_terms


class Clock:
    """A clock that only moves by what is done and slept; it keeps the rests."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rests: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds


def says(*answers: bool) -> tuple[Callable[[], Awaitable[bool]], list[bool]]:
    """Whether somebody pays, one answer a question; and the questions that were asked."""
    given: list[bool] = []

    async def asks() -> bool:
        given.append(answers[len(given)])
        return given[-1]

    return asks, given


async def test_a_rest_is_so_many_times_as_long_as_the_piece_before_it() -> None:
    clock = Clock()
    its = Rests(clock.time, clock.sleep)
    asks, _ = says(True, True)
    for piece in (0.2, 0.5):
        clock.now += piece
        await its.rest(asks)
    assert clock.rests == pytest.approx([TIMES * 0.2, TIMES * 0.5])


async def test_while_nobody_pays_there_is_none_and_when_they_stop_it_ends() -> None:
    clock = Clock()
    its = Rests(clock.time, clock.sleep)
    asks, given = says(False, True, False)
    for _ in range(3):
        clock.now += 0.2
        await its.rest(asks)
    assert given == [False, True, False]
    assert clock.rests == pytest.approx([TIMES * 0.2])


async def test_short_pieces_rest_each_but_ask_seldom() -> None:
    clock = Clock()
    its = Rests(clock.time, clock.sleep)
    asks, given = says(*[True] * 100)
    piece = ASKED_EVERY_S / 40
    for _ in range(20):
        clock.now += piece
        await its.rest(asks)
    assert clock.rests == pytest.approx([TIMES * piece] * 20)
    assert len(given) == 2  # in twenty pieces with their rests: two tenths of a second


async def test_no_rest_is_so_long_that_the_transaction_would_be_ended() -> None:
    clock = Clock()
    its = Rests(clock.time, clock.sleep)
    asks, _ = says(True)
    clock.now += 60.0
    await its.rest(asks)
    assert clock.rests == [LONGEST_S]


async def test_a_piece_that_pauses_in_its_midst_does_so_while_somebody_pays_and_is_not_rested_for() -> None:
    clock = Clock()
    its = Rests(clock.time, clock.sleep)
    asks, given = says(False, True, True)
    assert await its.pause_s(asks) == 0.0
    clock.now += 2.0
    assert await its.pause_s(asks) == PAUSE_S
    clock.now += 2.0  # with its pauses
    assert await its.pause_s(asks) == PAUSE_S
    assert (given, clock.rests) == ([False, True, True], [])
    clock.now += 0.01
    await its.rest(asks)
    assert clock.rests == pytest.approx([TIMES * 0.01])


@pytest.fixture
def town(engine: AsyncEngine) -> Town:
    return Town(engine)


async def test_somebody_pays_for_a_second_after_a_payment(town: Town) -> None:
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    assert not await town.do(_asked, None)
    await town.pay_store(who, shop, 500)
    assert await town.do(_asked, None)
    town.clock.advance(timedelta(seconds=1))
    assert await town.do(_asked, None)
    town.clock.advance(timedelta(seconds=1))
    assert not await town.do(_asked, None)


@pytest.mark.parametrize("pays", [True, False])
async def test_the_workers_close_and_expiry_rest_while_somebody_pays(
    town: Town, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)

    async def somebody(_: Tx) -> bool:
        return pays

    monkeypatch.setattr(worker, "Rests", partial(Rests, sleep=sleep))
    monkeypatch.setattr(rests, "somebody_pays", somebody)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 500)
    Office(town).morning_after(FIRST)
    books = await worker.close_at_leisure(town.database, Close(CODE, FIRST, None))
    assert books.statements == 1
    assert (len(taken) > 0) == pays, "between the pieces of a close"
    taken.clear()
    town.go_to(town_terms().expires_at + timedelta(seconds=1))
    assert await worker.expire_points(town.database) > 0
    assert (len(taken) > 0) == pays, "between the batches of an expiry"
    await town.must_prove()


async def test_a_close_rests_no_more_when_the_payments_have_stopped(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction's own instant stands still; whether somebody pays is asked of the clock that goes on."""
    clock = Clock()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        town.clock.advance(timedelta(seconds=2))

    def time() -> float:
        clock.now += ASKED_EVERY_S
        return clock.now

    monkeypatch.setattr(worker, "Rests", partial(Rests, time, sleep))
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    Office(town).morning_after(FIRST)
    await town.pay_store(who, shop, 500)
    await worker.close_at_leisure(town.database, Close(CODE, FIRST, None))
    assert len(clock.rests) == 1
    await town.must_prove()


async def _asked(tx: Tx, _: None) -> bool:
    return await somebody_pays(tx)
