"""Refund against close: a refund is told in one statement, this one or the next, never in none or both."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.clock import end_of
from services.payments.refund import Refund, refund
from services.settlement.close import Close, close
from tests.races.contest import at_once, closed_gate, connected, scalar
from tests.settlement.office import FIRST, SECOND
from tests.town import CODE, OFFICER, Town

TOLD = "SELECT coalesce(sum(refunded_yen), 0) FROM statement"
WINDOW = """
SELECT coalesce(sum(amount_yen), 0) FROM payment_leg
 WHERE kind = 'refund' AND effective_at >= :since AND effective_at < :until
"""


async def sold_and_refunding(
    engine: AsyncEngine, step: Callable[[Town, Town], Awaitable[Any]]
) -> tuple[Town, list[Any]]:
    """A refund of the closing day that commits only after `step` is done at the midnight behind it."""
    day = Town(engine)
    await day.programme()
    who, shop = await day.resident(), await day.shop()
    await day.buy(who)
    receipt = await day.pay(who, shop, 10_000)
    day.go_to(end_of(FIRST) - timedelta(seconds=1))
    night = Town(engine, at=end_of(FIRST), seed=2)
    async with closed_gate(engine) as (gate, open_gate):
        command = Refund(shop.clerk_id, shop.id, receipt.payment_id, 4_000, "brought back")
        late = asyncio.ensure_future(day.do(gate.behind(refund), command))
        await gate.until_full(1)
        found = [await step(day, night)]
        await open_gate()
        await at_once([late])
    return night, found


async def test_control_statements_that_take_a_window_of_time_lose_a_refund_that_commits_late(
    crowd: AsyncEngine,
) -> None:
    async def sum_window(_: Town, night: Town) -> int:
        values = {"since": end_of(FIRST) - timedelta(days=15), "until": end_of(FIRST)}
        async with night.database.begin() as tx:
            return int((await tx.connection.execute(text(WINDOW), values)).scalar_one())

    _, [first] = await sold_and_refunding(crowd, sum_window)
    second = await scalar(crowd, WINDOW, since=end_of(FIRST), until=end_of(SECOND))
    refunded = await scalar(crowd, "SELECT sum(amount_yen) FROM payment_return")
    assert (first, second, refunded) == (0, 0, 4_000)


async def test_a_refund_that_commits_behind_the_close_is_told_in_the_next_statement_and_only_there(
    crowd: AsyncEngine,
) -> None:
    async def close_first(_: Town, night: Town) -> Any:
        return await night.do(close, Close(CODE, FIRST, OFFICER))

    night, [books] = await sold_and_refunding(crowd, close_first)
    assert books.statements == 1
    assert await scalar(crowd, TOLD) == 0
    await night.must_prove()
    night.go_to(end_of(SECOND))
    await night.do(close, Close(CODE, SECOND, OFFICER))
    assert await scalar(crowd, TOLD) == 4_000
    assert await scalar(crowd, "SELECT count(*) FROM statement_claim") == 2
    await night.must_prove()


async def test_a_close_waits_for_no_payment_and_no_payment_for_a_close(crowd: AsyncEngine) -> None:
    """While the close stands before its commit, payments and refunds go on, and are the next close's."""
    town = Town(crowd)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 1_000)
    night = Town(crowd, at=end_of(FIRST), seed=2)
    async with closed_gate(crowd) as (gate, open_gate):
        closing = asyncio.ensure_future(night.do(gate.behind(close), Close(CODE, FIRST, OFFICER)))
        await gate.until_full(1)
        await town.pay(who, shop, 500)
        await town.refund(shop, receipt, 1_000)
        await open_gate()
        await at_once([closing])
    await night.must_prove()
    assert await scalar(crowd, "SELECT sum(gross_yen - refunded_yen) FROM statement") == 1_000
    night.go_to(end_of(SECOND))
    await night.do(close, Close(CODE, SECOND, OFFICER))
    assert await scalar(crowd, "SELECT sum(gross_yen - refunded_yen) FROM statement") == 500
    await night.must_prove()


async def test_refunds_at_once_with_closes_of_both_days_are_each_told_once(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipts = [await town.pay(who, shop, 1_000) for _ in range(12)]
    night = Town(crowd, at=end_of(SECOND), seed=2)
    calls: list[Awaitable[Any]] = [town.refund(shop, receipt, 700) for receipt in receipts]
    calls[4:4] = [night.do(close, Close(CODE, FIRST, OFFICER))]
    await connected(crowd, len(calls))
    _, refused = await at_once(calls)
    assert refused == []
    await night.must_prove()
    await night.do(close, Close(CODE, SECOND, OFFICER))
    assert await scalar(crowd, TOLD) == 12 * 700
    assert await scalar(crowd, "SELECT count(*) FROM statement_claim") == 24
    await night.must_prove()
