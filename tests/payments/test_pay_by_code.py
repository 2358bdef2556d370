"""Codes that pay: whose they are, how long they live, that each pays once, and who may take them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.deeds import Deed, Deeds, Done, fingerprint
from services.kit.errors import Missing, Refusal
from services.merchants.at_till import StoreUnknown
from services.payments.order import PayByCode, PayStore, PayTill
from services.payments.pay import pay_by_code, pay_store, pay_till
from services.payments.pay_code import PayCodeExpired, PayCodeForged, PayCodeMalformed
from services.payments.payment import (
    AmountDiffers,
    PayCodeUsed,
    Receipt,
    TillCodeExpired,
    TillCodeUnknown,
    TillCodeUsed,
)
from services.payments.till import MakeTillCode, make_till_code
from services.wallets.open import BlockDevice, block_device
from services.wallets.spend import PointsMissing
from services.wallets.wallet import DeviceBlocked, DeviceUnknown
from tests.factories.rows import unchanged
from tests.payments.at_the_till import mini_town, pay_at_till, till_code


async def test_a_pay_code_works_once_at_any_store_and_a_refused_payment_does_not_use_it_up(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    other, code = await town.shop("large"), town.code_of(who)
    async with unchanged(engine):
        with pytest.raises(PointsMissing):
            await town.do(pay_by_code, PayByCode(other.clerk_id, other.id, code, 8_001))
    await town.do(pay_by_code, PayByCode(other.clerk_id, other.id, code, 7_000))
    async with unchanged(engine):
        for till in (shop, other):
            with pytest.raises(PayCodeUsed):
                await town.do(pay_by_code, PayByCode(till.clerk_id, till.id, code, 1))
    await town.must_prove()


async def test_a_pay_code_lives_sixty_seconds(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    code = town.code_of(who)
    town.wait(seconds=60)
    async with unchanged(engine):
        with pytest.raises(PayCodeExpired):
            await town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 1))
    town.wait(seconds=-0.001)
    await town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 1))


async def test_a_pay_code_is_its_own_phones_and_its_own_wallets(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    thief = await town.resident()
    now, jti = town.clock.now(), uuid4()
    forged = thief.phone.pay_code(who.wallet.id, who.device.id, now, jti)
    others = thief.phone.pay_code(who.wallet.id, thief.device.id, now, jti)
    unknown = who.phone.pay_code(who.wallet.id, uuid4(), now, jti)
    async with unchanged(engine):
        for code, refusal in (
            (forged, PayCodeForged),
            (others, Missing),
            (unknown, DeviceUnknown),
            ("x", PayCodeMalformed),
        ):
            with pytest.raises(refusal):
                await town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 1))
    await town.do(block_device, BlockDevice(who.wallet.id, who.account_id, who.device.id))
    async with unchanged(engine):
        with pytest.raises(DeviceBlocked):
            await town.pay(who, shop, 1)
    await town.pay_store(who, shop, 1)


async def test_two_phones_that_choose_the_same_jti_do_not_burn_each_others_codes(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    other, jti = await town.resident(), uuid4()
    await town.buy(other)
    for one in (who, other):
        code = one.phone.pay_code(one.wallet.id, one.device.id, town.clock.now(), jti)
        await town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 1))
    await town.must_prove()


async def test_only_the_stores_staff_takes_a_pay_code_or_makes_a_registers_code(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    other = await town.shop()
    async with unchanged(engine):
        for account_id, store_id in ((other.clerk_id, shop.id), (who.account_id, shop.id), (shop.clerk_id, uuid4())):
            with pytest.raises(Missing):
                await town.do(pay_by_code, PayByCode(account_id, store_id, town.code_of(who), 1))
            with pytest.raises(Missing):
                await town.do(make_till_code, MakeTillCode(account_id, store_id, 1))


async def test_a_registers_code_pays_its_amount_once_within_its_minutes(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    other = await town.resident()
    await town.buy(other)
    code, late = await till_code(town, shop, 700), await till_code(town, shop, 1)
    async with unchanged(engine):
        with pytest.raises(AmountDiffers) as caught:
            await pay_at_till(town, who, code, 699)
    assert caught.value.params == {"expected_yen": 700, "found_yen": 699}
    assert (await pay_at_till(town, who, code, 700)).amount_yen == 700
    async with unchanged(engine):
        for one in (who, other):
            with pytest.raises(TillCodeUsed):
                await pay_at_till(town, one, code)
        with pytest.raises(TillCodeUnknown):
            await pay_at_till(town, who, "T0000000")
    town.wait(minutes=5)
    async with unchanged(engine):
        with pytest.raises(TillCodeExpired):
            await pay_at_till(town, who, late)
    await town.must_prove()


async def test_somebody_elses_wallet_and_an_unknown_store_are_refused(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    other, till = await town.resident(), await till_code(town, shop, 1)
    ways: list[tuple[Callable[..., Any], object, type[Refusal]]] = [
        (pay_store, PayStore(other.account_id, who.wallet.id, shop.code, 1), Missing),
        (pay_till, PayTill(other.account_id, who.wallet.id, till, None), Missing),
        (pay_store, PayStore(who.account_id, uuid4(), shop.code, 1), Missing),
        (pay_store, PayStore(who.account_id, who.wallet.id, "S0000000", 1), StoreUnknown),
    ]
    async with unchanged(engine):
        for use_case, command, refusal in ways:
            with pytest.raises(refusal):
                await town.do(use_case, command)


async def test_a_payment_named_by_the_phone_answers_the_same_receipt_again(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    deeds = Deeds(town.database)
    command = PayByCode(shop.clerk_id, shop.id, town.code_of(who), 300)
    deed = Deed(shop.clerk_id, uuid4(), fingerprint("pay_by_code", command))
    first = await deeds.perform(deed, pay_by_code, command, Receipt)
    town.wait(hours=1)  # the code itself has long expired
    assert await deeds.perform(deed, pay_by_code, command, Receipt) == Done(first.result, replayed=True)
    assert await town.points(who) == 12_700
    await town.must_prove()
