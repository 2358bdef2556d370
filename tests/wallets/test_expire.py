"""Expiry: at one instant, once, the paid part to breakage, the premium part back to who funded it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.programme import ProgrammeClosed
from services.kit.clock import TOKYO
from services.ledger.chart import Account
from services.ledger.read import balance
from services.wallets.expire import Expired, expire_due
from services.wallets.open import SetWalletStatus, set_wallet_status
from tests.factories.rows import unchanged
from tests.town import OFFICER, Resident, Shop, Town

EXPIRY = datetime(2026, 10, 1, tzinfo=TOKYO)
TICK = timedelta(microseconds=1)


async def account(town: Town, which: Account) -> int:
    return await town.do(lambda tx, _: balance(tx, which), None)


async def lived_in(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    """A resident with 13,000 bought points, 3,000 of them spent, and 700 granted ones."""
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.grant(who, 700)
    await town.pay(who, shop, 3_000)
    return town, who, shop


async def test_paid_parts_are_breakage_and_premium_parts_go_back_to_who_funded_them(engine: AsyncEngine) -> None:
    town, who, _ = await lived_in(engine)
    paid = -await account(town, Account.WALLET_PAID)
    premium = -await account(town, Account.WALLET_PREMIUM)
    assert paid + premium == 10_700
    town.go_to(EXPIRY)
    assert await town.do(expire_due, 10) == Expired(wallets=1, lots=3, yen=10_700)
    assert await account(town, Account.WALLET_PAID) == await account(town, Account.WALLET_PREMIUM) == 0
    assert await account(town, Account.BREAKAGE) == -paid
    assert await account(town, Account.GRANT_RECEIVABLE) == 0
    assert await account(town, Account.FUNDER_RECEIVABLE) == 3_000 - (premium - 700)
    assert await town.points(who) == 0
    await town.must_prove()


async def test_the_instant_before_points_are_spent_and_at_the_instant_they_are_gone_swept_or_not(
    engine: AsyncEngine,
) -> None:
    town, who, shop = await lived_in(engine)
    town.go_to(EXPIRY - TICK)
    async with unchanged(engine):
        assert (await town.do(expire_due, 10)).wallets == 0
    await town.pay(who, shop, 100)
    assert await town.points(who) == 10_600
    town.go_to(EXPIRY)
    assert await town.points(who) == 0
    with pytest.raises(ProgrammeClosed):
        await town.pay(who, shop, 100)
    await town.expire()
    with pytest.raises(ProgrammeClosed):
        await town.pay(who, shop, 100)
    await town.must_prove()


async def test_what_has_expired_expires_once(engine: AsyncEngine) -> None:
    town, _, _ = await lived_in(engine)
    town.go_to(EXPIRY)
    await town.expire()
    async with unchanged(engine):
        assert await town.do(expire_due, 10) == Expired(0, 0, 0)
        town.wait(days=30)
        assert await town.do(expire_due, 10) == Expired(0, 0, 0)


async def test_a_job_works_in_batches_until_nothing_is_left(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    people = [await town.resident() for _ in range(5)]
    for who in people:
        await town.grant(who, 100)
    town.go_to(EXPIRY)
    assert [(await town.do(expire_due, 2)).wallets for _ in range(4)] == [2, 2, 1, 0]
    assert [await town.points(who) for who in people] == [0] * 5
    await town.must_prove()


async def test_a_suspended_wallet_expires_like_any_other(engine: AsyncEngine) -> None:
    town, who, _ = await lived_in(engine)
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "suspended", "lost phone", OFFICER))
    town.go_to(EXPIRY)
    assert (await town.do(expire_due, 10)).yen == 10_700
    await town.must_prove()


async def test_an_emptied_lot_leaves_no_expiry_behind(engine: AsyncEngine) -> None:
    town, who, shop = await lived_in(engine)
    await town.pay(who, shop, 10_700)
    town.go_to(EXPIRY)
    async with unchanged(engine):
        assert await town.do(expire_due, 10) == Expired(0, 0, 0)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM expiry"))).scalar_one() == 0
    await town.must_prove()


async def test_a_revived_lot_may_expire_a_second_time(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 13_000)
    town.go_to(EXPIRY)
    await town.refund(shop, receipt, 300)
    town.wait(days=8)
    assert (await town.do(expire_due, 10)).yen == 300
    await town.refund(shop, receipt, 200)
    town.wait(days=8)
    assert (await town.do(expire_due, 10)).yen == 200
    assert await town.points(who) == 0
    await town.must_prove()
