"""Invariants of value: no update is lost, none is made or destroyed, none is overdrawn, none drifts."""

import asyncio
from datetime import timedelta
from functools import partial

from infra.conformance.ground import Ground, Resident, Shop, crowd, must
from services.payments.payment import Receipt
from services.wallets import read as wallets

CREDITS = 500
DRAINERS = 20
MOVEMENTS = 1_000
TRANSFERS = 200
MOVERS = 10

COUNTERS = (
    "lots_paid",
    "lots_premium",
    "returned_counters",
    "spent_today_counters",
    "bought_counters",
    "stock_counters",
)
"""The auditor's laws that rebuild what is kept as state: lots and every counter."""

LOTS_BY_PROJECTION = """
SELECT count(*) FROM lot l LEFT JOIN (
       SELECT owner_id, -coalesce(sum(amount_yen) FILTER (WHERE account = 'wallet_paid'), 0) AS paid,
              -coalesce(sum(amount_yen) FILTER (WHERE account = 'wallet_premium'), 0) AS premium
         FROM ledger_posting WHERE owner_id IS NOT NULL GROUP BY owner_id) b ON b.owner_id = l.id
 WHERE (l.paid_yen, l.premium_yen) IS DISTINCT FROM (b.paid, b.premium)
"""
PARTS = "SELECT id, paid_yen, premium_yen FROM lot ORDER BY id"
BELOW_ZERO = "SELECT count(*) FROM lot WHERE paid_yen < 0 OR premium_yen < 0"
ISSUED = "SELECT coalesce(sum(paid_issued_yen + premium_issued_yen), 0) FROM lot"


async def no_update_is_lost(ground: Ground) -> None:
    """500 refunds of one yen go back to one lot at the same time; the lot has every one of them."""
    who, shop = await _with_points(ground, 2_000)
    receipt = await ground.pay(who, shop, CREDITS + 100)
    before = await ground.in_lots()
    answers = await crowd([partial(ground.refund, shop, receipt, 1) for _ in range(CREDITS)])
    credited = sum(answer is None for answer in answers)
    must(credited == CREDITS, f"{CREDITS - credited} credits were refused")
    found = await ground.in_lots() - before
    must(found == CREDITS, f"{credited} credits of one yen made {found} yen")


async def value_is_conserved(ground: Ground) -> None:
    """200 payments at once between ten wallets and two stores: what left the wallets is owed to the stores."""
    await ground.programme()
    shops = [await ground.shop() for _ in range(2)]
    people = [await ground.resident() for _ in range(MOVERS)]
    for who in people:
        await ground.grant(who, 50_000)
    issued = await ground.one(ISSUED)
    answers = await crowd(
        [partial(ground.pay, people[n % MOVERS], shops[n // MOVERS % 2], 100 + n) for n in range(TRANSFERS)]
    )
    must(all(isinstance(answer, Receipt) for answer in answers), "a payment was refused")
    owed = sum([await ground.owed_to(shop) for shop in shops])
    must(owed == sum(100 + n for n in range(TRANSFERS)), f"the stores are owed {owed} yen")
    must(await ground.in_lots() + owed == issued, "value was made or destroyed")


async def a_balance_is_a_projection(ground: Ground) -> None:
    """After every kind of deed the balance that a resident sees is the sum of the journals on their lots."""
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    await ground.buy(who)
    await ground.grant(who, 500)
    await _is_projection(ground, who)
    receipt = await ground.pay(who, shop, 1_234)
    await _is_projection(ground, who)
    await ground.cancel(shop, await ground.pay(who, shop, 432))
    await _is_projection(ground, who)
    await ground.refund(shop, receipt, 99)
    await _is_projection(ground, who)
    ground.clock.advance(timedelta(days=200))
    await ground.expire()
    await _is_projection(ground, who)


async def _is_projection(ground: Ground, who: Resident) -> None:
    must(await ground.one(LOTS_BY_PROJECTION) == 0, "a lot differs from its journals")
    shown = (await ground.do(wallets.balance, who.wallet)).total_points
    must(shown == await ground.in_lots(), f"the resident is shown {shown} points")


async def nothing_is_overdrawn(ground: Ground) -> None:
    """Twenty payments at once, each of a tenth of what is there: ten are paid, and nothing is below zero."""
    who, shop = await _with_points(ground, 1_000)
    answers = await crowd([partial(ground.pay, who, shop, 100) for _ in range(DRAINERS)], DRAINERS)
    paid = sum(isinstance(answer, Receipt) for answer in answers)
    must(paid == 10, f"{paid} payments of 100 yen out of 1,000 points")
    must(await ground.one(BELOW_ZERO) == 0, "a lot is below zero")
    must(await ground.in_lots() == 0, "what was paid is not what was there")


async def nothing_drifts(ground: Ground) -> None:
    """1,000 movements of one yen, out and back: no yen and no part of a lot is anywhere else than it was."""
    await ground.programme()
    movers = [(await ground.resident(), await ground.shop()) for _ in range(MOVERS)]
    for who, _ in movers:
        await ground.buy(who)
    before = await ground.ask(PARTS)
    each = MOVEMENTS // 2 // MOVERS

    async def out(who: Resident, shop: Shop) -> list[Receipt]:
        return [await ground.pay(who, shop, 1) for _ in range(each)]

    async def back(shop: Shop, receipts: list[Receipt]) -> None:
        for receipt in receipts:
            await ground.refund(shop, receipt, 1)

    receipts = await asyncio.gather(*(out(who, shop) for who, shop in movers))
    owed = sum([await ground.owed_to(shop) for _, shop in movers])
    must(owed == MOVEMENTS // 2, f"{MOVEMENTS // 2} payments of one yen are {owed} yen in the books")
    await asyncio.gather(*(back(shop, receipts[place]) for place, (_, shop) in enumerate(movers)))
    must(sum([await ground.owed_to(shop) for _, shop in movers]) == 0, "the refunds left something with a store")
    must(await ground.ask(PARTS) == before, "the parts of a lot are not what they were")


async def state_rebuilds_from_the_log(ground: Ground) -> None:
    """Lots and counters of caps, stock, days and refunds are what the append-only tables make of them."""
    await ground.programme()
    who, other, shop = await ground.resident(), await ground.resident(), await ground.shop()
    await ground.buy(who)
    await ground.reserve(who)
    await ground.buy(other)
    await ground.grant(other, 700)
    receipt = await ground.pay(who, shop, 2_000)
    await ground.cancel(shop, await ground.pay(who, shop, 650))
    await ground.refund(shop, receipt, 120)
    await ground.pay(other, shop, 900)
    broken = await ground.law(*COUNTERS)
    must(broken == [], f"not what the log says: {', '.join(broken)}")


async def _with_points(ground: Ground, points: int) -> tuple[Resident, Shop]:
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    await ground.grant(who, points)
    return who, shop
