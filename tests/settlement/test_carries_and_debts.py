"""What a close does not pay goes into the next: too little as a carry, too much as a debt; the last one states all."""

from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ledger.chart import Account
from tests.settlement.office import FINAL, FIRST, SECOND, Office, at
from tests.town import Town


@pytest.fixture
def town(engine: AsyncEngine) -> Town:
    return Town(engine)


async def test_a_small_sum_is_carried_until_it_reaches_the_minimum(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop("large")
    await town.buy(who)
    await town.pay_store(who, shop, 999)
    first = (await office.told(await office.close(FIRST)))[shop.id].statement.figures
    assert (first.payout_yen, first.carried_out_yen) == (0, 999)
    assert await office.owed(Account.PAYOUT_DUE, shop.id) == 999
    quiet = await office.close(SECOND)
    assert quiet.statements == 0, "a carry alone is no news before the end"
    await town.pay_store(who, shop, 1)
    third = (await office.told(await office.close(date(2026, 5, 15))))[shop.id].statement.figures
    assert (third.carried_in_yen, third.payout_yen, third.carried_out_yen) == (999, 1_000, 0)
    await town.must_prove()


async def test_a_refund_after_the_settlement_becomes_a_debt_that_later_sales_repay(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    coat = await town.pay(who, shop, 10_000)
    await office.close(FIRST)
    await office.pay_out()
    await town.refund(shop, coat, 10_000)
    assert await town.points(who) == 13_000, "the resident has the points at once"
    second = (await office.told(await office.close(SECOND)))[shop.id].statement.figures
    assert (second.payments_yen, second.refunded_yen) == (0, 10_000)
    assert (second.fee_yen, second.fee_tax_yen, second.net_yen) == (-500, -50, -9_450)
    assert (second.payout_yen, second.receivable_out_yen) == (0, 9_450)
    assert await office.owed(Account.STORE_RECEIVABLE, shop.id) == -9_450
    await town.must_prove()
    await town.pay_store(who, shop, 12_000)
    third = (await office.told(await office.close(date(2026, 5, 15))))[shop.id].statement.figures
    assert (third.receivable_in_yen, third.receivable_out_yen) == (9_450, 0)
    assert third.payout_yen == 12_000 - 600 - 60 - 9_450
    assert await office.owed(Account.STORE_RECEIVABLE, shop.id) == 0
    await town.must_prove()


async def test_the_final_close_pays_every_carry_and_states_every_debt(town: Town) -> None:
    office, programme_id = Office(town), await town.programme()
    who = await town.resident()
    carrying, owing = await town.shop("large"), await town.shop("large")
    await town.buy(who)
    await town.pay_store(who, carrying, 5)
    returned = await town.pay_store(who, owing, 2_000)
    await office.close(FIRST)
    await town.refund(owing, returned, 2_000)
    await office.close_all(date(2026, 9, 30))
    final = await office.close(FINAL)
    assert final.final
    told = await office.told(final)
    assert told[carrying.id].statement.figures.payout_yen == 5
    assert told[owing.id].statement.figures.receivable_out_yen == 2_000
    totals = await office.totals(programme_id)
    assert (totals.carried_yen, totals.receivable_yen) == (0, 2_000)
    await town.must_prove()


async def test_points_that_a_late_refund_revived_are_settled_by_a_further_final_close(town: Town) -> None:
    office, _ = Office(town), await town.programme()
    who, shop, other = await town.resident(), await town.shop("large"), await town.shop("large")
    await town.buy(who)
    bought = await town.pay_store(who, shop, 8_000)
    town.go_to(at(date(2026, 10, 14)))
    await town.expire()
    await town.refund(shop, bought, 8_000)
    await office.close_all(FINAL)
    town.go_to(at(date(2026, 10, 20)))
    await town.pay_store(who, other, 7)
    further = await office.close(date(2026, 11, 15))
    assert further.final
    told = await office.told(further)
    assert told[other.id].statement.figures.payout_yen == 7
    assert told[shop.id].statement.figures.receivable_out_yen == 8_000, "a debt is stated until it is settled"
    await town.must_prove()
