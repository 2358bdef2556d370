"""A payment costs at most eight SQL statements, whichever way, whatever it takes from, and fifty together no more.

Counted on a new connection and with nothing compiled, because the first payment of a process
counts, too. BEGIN and COMMIT are counted apart: they are not statements of the deed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.provision import DatabaseHandle
from infra.scenarios.hiratsuka import COMMON_ONLY
from services.campaigns.terms import Period
from services.kit.db import Database
from services.kit.deeds import Deed, Deeds, fingerprint
from services.kit.micro_batch import MicroBatch
from services.payments.order import PayByCode, PayStore, PayTill
from services.payments.pay import PAYMENTS, pay_by_code, pay_store, pay_till
from services.payments.payment import Receipt
from services.payments.till import MakeTillCode, make_till_code
from services.wallets.spend import PointsMissing
from tests.house.counting import Counted, counting
from tests.town import Resident, Shop, Town, town_terms

BUDGET = 8
REFUSING = 3
"""What refusals add, once a batch: the wallets' last lots, the programmes' names, and a second look at the ids."""

Way = Callable[[Town, Resident, Shop, int], Awaitable[tuple[Callable[..., Any], Any]]]


async def by_code(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[Callable[..., Any], Any]:
    return pay_by_code, PayByCode(shop.clerk_id, shop.id, town.code_of(who), yen)


async def by_store(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[Callable[..., Any], Any]:
    return pay_store, PayStore(who.account_id, who.wallet.id, shop.code, yen)


async def by_till(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[Callable[..., Any], Any]:
    made = await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, yen))
    return pay_till, PayTill(who.account_id, who.wallet.id, made.code.number, None)


WAYS: dict[str, Way] = {"pay code": by_code, "store code": by_store, "register's code": by_till}


async def count_payment(
    database: DatabaseHandle, town: Town, way: Way, who: Resident, shop: Shop, yen: int
) -> tuple[Counted, Receipt]:
    """Pay on an engine of its own: new connections, empty caches, as in a process that has just started."""
    use_case, command = await way(town, who, shop, yen)
    engine = database.app_engine(pool_size=1)
    try:
        deeds = Deeds(Database(engine, town.clock, town.entropy))
        deed = Deed(command.account_id, uuid4(), fingerprint("pay", command))
        async with counting(engine) as counted:
            done = await deeds.perform(deed, use_case, command, Receipt)
        assert not done.replayed
        return counted, done.result
    finally:
        await engine.dispose()


def within_budget(counted: Counted) -> None:
    assert len(counted.statements) <= BUDGET, counted.report()
    assert counted.frame == ["BEGIN", "COMMIT"], counted.report()


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_a_payment_costs_at_most_eight_statements(
    database: DatabaseHandle, engine: AsyncEngine, way: str
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    counted, receipt = await count_payment(database, town, WAYS[way], who, shop, 100)
    assert len(receipt.parts) == 1
    within_budget(counted)


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_two_purses_cost_no_more_than_one(database: DatabaseHandle, engine: AsyncEngine, way: str) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    counted, receipt = await count_payment(database, town, WAYS[way], who, shop, 5_001)
    assert len(receipt.parts) == 2
    within_budget(counted)


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_two_programmes_and_nine_lots_cost_no_more(
    database: DatabaseHandle, engine: AsyncEngine, way: str
) -> None:
    town = Town(engine)
    await town.programme(
        town_terms(purses=COMMON_ONLY, use=Period(date(2026, 4, 1), date(2026, 6, 30))), code="moonlight"
    )
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    for _ in range(3):
        await town.buy(who, code="moonlight")
        await town.buy(who)
    everything = await town.points(who)
    assert everything == 3 * 26_000
    counted, receipt = await count_payment(database, town, WAYS[way], who, shop, everything)
    assert len(receipt.parts) == 9
    assert len({part.programme_id for part in receipt.parts}) == 2
    within_budget(counted)
    await town.must_prove()


async def count_together(
    database: DatabaseHandle, town: Town, orders: list[tuple[Callable[..., Any], Any]]
) -> tuple[Counted, list[Any]]:
    """Hand all orders in at once, on an engine of its own, so that they are posted in one transaction."""
    engine = database.app_engine(pool_size=1)
    try:
        batch = MicroBatch(Database(engine, town.clock, town.entropy), PAYMENTS, most_together=50)
        named = [(Deed(order.account_id, uuid4(), fingerprint("pay", order)), order) for _, order in orders]
        async with counting(engine) as counted:
            done = await asyncio.gather(*(batch.perform(*each) for each in named))
        return counted, [each.result for each in done]
    finally:
        await engine.dispose()


@pytest.mark.parametrize("together", [1, 50])
async def test_fifty_payments_together_cost_no_more_than_one(
    database: DatabaseHandle, engine: AsyncEngine, together: int
) -> None:
    town = Town(engine)
    await town.programme()
    shop = await town.shop()
    people = [await town.resident() for _ in range(together)]
    for who in people:
        await town.grant(who, 1_000)
    ways = [WAYS[name] for name in sorted(WAYS)]
    orders = [await ways[turn % 3](town, who, shop, 10 + turn) for turn, who in enumerate(people)]
    counted, receipts = await count_together(database, town, orders)
    assert [each.amount_yen for each in receipts] == [10 + turn for turn in range(together)]
    within_budget(counted)
    assert counted.direct >= BUDGET - 3, counted.report()  # they did go to the driver, and are counted
    await town.must_prove()


async def test_fifty_that_cannot_be_paid_cost_a_few_more_for_their_words_whatever_their_number(
    database: DatabaseHandle, engine: AsyncEngine
) -> None:
    town = Town(engine)
    await town.programme()
    shop = await town.shop()
    people = [await town.resident() for _ in range(50)]
    for who in people:
        await town.grant(who, 1_000)
    named = []
    for turn, who in enumerate(people):
        order = PayStore(who.account_id, who.wallet.id, shop.code, 999 + turn % 3)
        named.append((Deed(order.account_id, uuid4(), fingerprint("pay", order)), order))
    batch = MicroBatch(town.database, PAYMENTS, most_together=50)
    async with counting(engine) as counted:
        found = await asyncio.gather(*(batch.perform(*each) for each in named), return_exceptions=True)
    assert [isinstance(each, PointsMissing) for each in found] == [turn % 3 == 2 for turn in range(50)]
    assert len(counted.statements) <= BUDGET + REFUSING, counted.report()
    assert counted.frame == ["BEGIN", "COMMIT"], counted.report()
    await town.must_prove()


async def test_a_repeated_request_costs_one_look(database: DatabaseHandle, engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    use_case, command = await by_code(town, who, shop, 100)
    deed = Deed(command.account_id, uuid4(), fingerprint("pay", command))
    deeds = Deeds(town.database)
    await deeds.perform(deed, use_case, command, Receipt)
    async with counting(engine) as counted:
        assert (await deeds.perform(deed, use_case, command, Receipt)).replayed
    assert len(counted.statements) == 1, counted.report()


def test_the_report_names_every_statement() -> None:
    counted = Counted()
    counted.statements += ["SELECT\n  1", "SELECT 2"]
    assert counted.report() == "2 statements, frame []:\n1. SELECT 1\n2. SELECT 2"
