"""Paying both ways: what is taken, what is refused, and that nothing changes then."""

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.town import Town


async def test_a_payment_takes_exactly_its_amount(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    assert await town.points(who) == 13_000
    receipt = await town.pay(who, shop, 1_234)
    assert receipt.balance_after_yen == 11_766 == await town.points(who)
    back = await town.refund(shop, receipt, 200)
    assert back.left_yen == 1_034
    await town.pay_store(who, shop, 1)
    await town.must_prove()
