"""Expiry as a stream of small batches: nothing twice, nothing missed, whatever happens between two of them."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.terms import ExpiredRefund
from services.kit.clock import TOKYO
from services.kit.db import Tx
from services.payments.refund import Refund, refund
from services.wallets.expire import Expired, expire_due, retire_spent
from tests.settlement.office import counting
from tests.town import Resident, Town, town_terms

EXPIRY = datetime(2026, 10, 1, tzinfo=TOKYO)


async def ask(engine: AsyncEngine, query: str) -> list[tuple[object, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def crowd(town: Town, count: int) -> list[Resident]:
    await town.programme()
    people = [await town.resident() for _ in range(count)]
    for number, who in enumerate(people, start=1):
        await town.grant(who, 100 * number)
    return people


async def stream(town: Town, limit: int) -> list[int]:
    """How many lots each batch expired, until none was left."""
    sizes = []
    while lots := (await town.do(expire_due, limit)).lots:
        sizes.append(lots)
    return sizes


HELD = "SELECT id, paid_yen, premium_yen FROM lot WHERE paid_yen + premium_yen > 0 ORDER BY id"
LOST = "SELECT lot_id, paid_yen, premium_yen FROM expiry ORDER BY lot_id"


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (100, [7])])
async def test_batches_of_any_size_take_from_every_lot_what_it_held(
    engine: AsyncEngine, limit: int, sizes: list[int]
) -> None:
    town = Town(engine)
    await crowd(town, 7)
    held = await ask(engine, HELD)
    town.go_to(EXPIRY)
    assert await stream(town, limit) == sizes
    assert await ask(engine, LOST) == held
    assert await ask(engine, HELD) == []
    await town.must_prove()


async def test_a_batch_takes_as_many_statements_for_many_lots_as_for_one(engine: AsyncEngine) -> None:
    town = Town(engine)
    await crowd(town, 6)
    town.go_to(EXPIRY)
    async with counting(engine) as for_one:
        assert (await town.do(expire_due, 1)).lots == 1
    async with counting(engine) as for_many:
        assert (await town.do(expire_due, 100)).lots == 5
    assert len(for_one) == len(for_many)


async def test_a_batch_that_fails_is_undone_whole_and_the_stream_goes_on(engine: AsyncEngine) -> None:
    town = Town(engine)
    await crowd(town, 5)
    held = await ask(engine, HELD)
    town.go_to(EXPIRY)

    async def crash(tx: Tx, limit: int) -> Expired:
        assert (await expire_due(tx, limit)).lots == limit
        raise RuntimeError("the power went out")

    assert (await town.do(expire_due, 2)).lots == 2
    with pytest.raises(RuntimeError):
        await town.do(crash, 2)
    assert await stream(town, 2) == [2, 1]
    assert await ask(engine, LOST) == held
    await town.must_prove()


async def test_spent_lots_are_put_aside_when_their_time_is_over_and_only_then(engine: AsyncEngine) -> None:
    town = Town(engine)
    spender, saver = await crowd(town, 2)
    await town.pay(spender, await town.shop(), 100)
    assert await town.do(retire_spent, 10) == 0
    town.go_to(EXPIRY)
    assert await town.do(retire_spent, 10) == 1
    assert await town.do(retire_spent, 10) == 0
    assert await town.points(saver) == 0
    assert await town.do(expire_due, 10) == Expired(wallets=1, lots=1, yen=200)
    assert await ask(engine, "SELECT count(*) FROM lot WHERE lapsed_at IS NULL") == [(0,)]
    await town.must_prove()


async def test_spent_lots_are_put_aside_in_steps(engine: AsyncEngine) -> None:
    town = Town(engine)
    people, shop = await crowd(town, 3), await town.shop()
    for number, who in enumerate(people, start=1):
        await town.pay(who, shop, 100 * number)
    town.go_to(EXPIRY)
    assert [await town.do(retire_spent, 2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize("expired_first", [True, False])
async def test_a_lot_that_was_put_aside_lives_and_expires_again_after_a_refund(
    engine: AsyncEngine, expired_first: bool
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, 1_000)
    receipt = await town.pay(who, shop, 400 if expired_first else 1_000)
    town.go_to(EXPIRY)
    if expired_first:
        assert await stream(town, 10) == [1]
    else:
        assert await town.do(retire_spent, 10) == 1
    await town.refund(shop, receipt, 300)
    assert await town.points(who) == 300
    town.wait(days=8)
    assert await town.do(expire_due, 10) == Expired(wallets=1, lots=1, yen=300)
    await town.must_prove()


async def test_a_refund_that_nothing_revives_leaves_nothing_in_a_lot_that_was_put_aside(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme(replace(town_terms(), expired_refund=ExpiredRefund.FORFEIT))
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, 1_000)
    receipt = await town.pay(who, shop, 400)
    town.go_to(EXPIRY)
    assert await stream(town, 10) == [1]
    await town.refund(shop, receipt, 300)
    assert await ask(engine, HELD) == []
    await town.must_prove()


async def test_a_lot_that_is_being_refunded_into_is_neither_waited_for_nor_put_aside(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, 1_000)
    receipt = await town.pay(who, shop, 1_000)
    town.go_to(EXPIRY)
    async with town.database.begin() as slow:
        await refund(slow, Refund(shop.clerk_id, shop.id, receipt.payment_id, 300, "brought back"))
        assert await town.do(retire_spent, 10) == 0
    assert await town.do(retire_spent, 10) == 0
    assert await town.points(who) == 300
    await town.must_prove()


async def test_no_index_of_lots_holds_what_payments_change(engine: AsyncEngine) -> None:
    """Otherwise every payment would write into every index of its lots."""
    found = await ask(engine, "SELECT indexdef FROM pg_indexes WHERE tablename = 'lot'")
    assert len(found) >= 3
    assert not [row for row in found if "paid_yen" in str(row[0]) or "premium_yen" in str(row[0])]
