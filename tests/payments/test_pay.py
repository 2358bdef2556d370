"""Paying both ways: what is taken, what is refused, and that nothing changes then."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.scenarios.hiratsuka import COMMON_ONLY
from services.campaigns.programme import ProgrammeClosed
from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.deeds import Deed, Deeds, Done, fingerprint
from services.kit.errors import Missing, Refusal
from services.kit.numbers import parse_number
from services.merchants.add_member import AddMember, add_member
from services.merchants.at_till import OwnStore, StoreSuspended, StoreUnknown
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.set_status import (
    SetMerchantStatus,
    SetStoreStatus,
    set_merchant_status,
    set_store_status,
)
from services.merchants.shops import MemberRole, Status
from services.payments.pay import PayByCode, PayStore, PayTill, pay_by_code, pay_store, pay_till
from services.payments.pay_code import PayCodeExpired, PayCodeForged, PayCodeMalformed
from services.payments.payment import (
    AmountDiffers,
    AmountInvalid,
    Mode,
    PayCodeUsed,
    Receipt,
    TillCodeExpired,
    TillCodeUnknown,
    TillCodeUsed,
)
from services.payments.till import MakeTillCode, make_till_code
from services.wallets.open import BlockDevice, SetWalletStatus, block_device, set_wallet_status
from services.wallets.spend import DayLimitReached, PaymentLimitReached, PointsMissing
from services.wallets.wallet import DeviceBlocked, DeviceUnknown, WalletSuspended
from tests.factories.rows import unchanged
from tests.town import OFFICER, Resident, Shop, Town, town_terms

SEEDS = count()


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


async def mini_town(engine: AsyncEngine, **changes: Any) -> tuple[Town, Resident, Shop]:
    """One programme, one resident with a unit of it (8,000 common, 5,000 small), one small store."""
    town = Town(engine)
    await town.programme(replace(town_terms(), **changes))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


async def till_code(town: Town, shop: Shop, yen: int) -> str:
    return (await town.do(make_till_code, MakeTillCode(shop.clerk_id, shop.id, yen))).code.number


async def pay_at_till(town: Town, who: Resident, code: str, yen: int | None = None) -> Receipt:
    return await town.do(pay_till, PayTill(who.account_id, who.wallet.id, code, yen))


async def pay_three_ways(town: Town, who: Resident, shop: Shop, yen: int) -> list[Receipt]:
    return [
        await town.pay(who, shop, yen),
        await town.pay_store(who, shop, yen),
        await pay_at_till(town, who, await till_code(town, shop, yen)),
    ]


async def refused_all_ways(town: Town, who: Resident, shop: Shop, yen: int, refusal: type[Refusal]) -> list[Refusal]:
    """Each way to pay refuses with the same word, and no row of any table changes."""
    code, till = town.code_of(who), await till_code(town, shop, yen)
    ways: list[tuple[Callable[..., Any], object]] = [
        (pay_by_code, PayByCode(shop.clerk_id, shop.id, code, yen)),
        (pay_store, PayStore(who.account_id, who.wallet.id, shop.code, yen)),
        (pay_till, PayTill(who.account_id, who.wallet.id, till, None)),
    ]
    found = []
    async with unchanged(town.database.engine):
        for use_case, command in ways:
            with pytest.raises(refusal) as caught:
                await town.do(use_case, command)
            found.append(caught.value)
    return found


async def test_every_way_to_pay_takes_the_same_and_says_so_on_the_receipt(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    receipts = await pay_three_ways(town, who, shop, 1_001)
    assert [receipt.mode for receipt in receipts] == [Mode.CPM, Mode.MPM, Mode.TILL]
    assert [receipt.balance_after_yen for receipt in receipts] == [11_999, 10_998, 9_997]
    assert {receipt.store_code for receipt in receipts} == {shop.code}
    assert {sum(part.yen for part in receipt.parts) for receipt in receipts} == {1_001}
    assert all(parse_number(receipt.number, prefix="P") == receipt.number for receipt in receipts)
    assert await town.points(who) == 9_997
    await town.must_prove()


async def test_a_small_store_takes_the_restricted_purse_first_and_a_large_one_never(engine: AsyncEngine) -> None:
    town, who, small = await mini_town(engine)
    large = await town.shop("large")
    await town.pay(who, small, 4_000)
    purses = {purse.purse: purse.points for purse in (await town.balance(who)).purses}
    assert purses == {"common": 8_000, "small": 1_000}
    await town.pay(who, large, 7_500)
    [refusal, *_] = await refused_all_ways(town, who, large, 501, PointsMissing)
    assert refusal.params == {
        "missing_yen": 1,
        "idle": [{"programme": "starlight", "purse": "small", "yen": 1_000, "reason": "store_class"}],
    }
    await town.pay(who, small, 1_500)
    assert await town.points(who) == 0
    await town.must_prove()


async def test_a_yen_more_than_there_is_misses_a_yen_and_changes_nothing(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    for refusal in await refused_all_ways(town, who, shop, 13_001, PointsMissing):
        assert refusal.params == {"missing_yen": 1, "idle": []}
    await town.pay(who, shop, 13_000)
    await town.must_prove()


async def test_an_empty_wallet_misses_everything(engine: AsyncEngine) -> None:
    town, _, shop = await mini_town(engine)
    poor = await town.resident()
    [refusal, *_] = await refused_all_ways(town, poor, shop, 5, PointsMissing)
    assert refusal.params["missing_yen"] == 5


async def test_points_pay_from_their_first_midnight_until_their_last(engine: AsyncEngine) -> None:
    use = Period(date(2026, 4, 8), date(2026, 9, 30))
    town, who, shop = await mini_town(engine, use=use)
    town.go_to(datetime(2026, 4, 7, 23, 59, 59, 999_999, tzinfo=TOKYO))
    [refusal, *_] = await refused_all_ways(town, who, shop, 1, PointsMissing)
    assert {idle["reason"] for idle in refusal.params["idle"]} == {"not_yet"}
    town.go_to(datetime(2026, 4, 8, tzinfo=TOKYO))
    await town.pay(who, shop, 1)
    town.go_to(datetime(2026, 9, 30, 23, 59, 59, 999_999, tzinfo=TOKYO))
    await town.pay(who, shop, 1)
    town.go_to(datetime(2026, 10, 1, tzinfo=TOKYO))
    [refusal, *_] = await refused_all_ways(town, who, shop, 1, ProgrammeClosed)
    assert refusal.params == {"programme": "starlight"}
    await town.expire()
    await refused_all_ways(town, who, shop, 1, ProgrammeClosed)
    await town.must_prove()


async def test_what_expired_is_named_idle_while_another_programme_goes_on(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine, use=Period(date(2026, 4, 1), date(2026, 5, 31)))
    await town.programme(town_terms(purses=COMMON_ONLY), code="moonlight")
    await town.buy(who, code="moonlight")
    town.go_to(datetime(2026, 6, 1, tzinfo=TOKYO))
    [refusal, *_] = await refused_all_ways(town, who, shop, 13_001, PointsMissing)
    assert refusal.params == {
        "missing_yen": 1,
        "idle": [
            {"programme": "starlight", "purse": "common", "yen": 8_000, "reason": "expired"},
            {"programme": "starlight", "purse": "small", "yen": 5_000, "reason": "expired"},
        ],
    }
    assert (await town.pay(who, shop, 13_000)).balance_after_yen == 0
    await town.must_prove()


async def test_the_limit_of_one_payment_is_exact(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine, payment_limit_yen=3_000, day_limit_yen=10_000)
    [refusal, *_] = await refused_all_ways(town, who, shop, 3_001, PaymentLimitReached)
    assert refusal.params == {"programme": "starlight", "limit_yen": 3_000}
    await pay_three_ways(town, who, shop, 3_000)
    await town.must_prove()


async def test_the_limit_of_a_day_is_exact_over_all_ways_and_ends_at_midnight_in_japan(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine, payment_limit_yen=3_000, day_limit_yen=3_000)
    town.go_to(datetime(2026, 4, 7, 8, 30, tzinfo=TOKYO))  # the day before, in UTC
    await pay_three_ways(town, who, shop, 999)
    town.go_to(datetime(2026, 4, 7, 23, 59, 59, 999_999, tzinfo=TOKYO))
    [refusal, *_] = await refused_all_ways(town, who, shop, 4, DayLimitReached)
    assert refusal.params == {"programme": "starlight", "left_yen": 3}
    await town.pay(who, shop, 3)
    town.go_to(datetime(2026, 4, 8, tzinfo=TOKYO))
    await town.pay(who, shop, 3_000)
    await town.must_prove()


async def test_lowered_limits_count_from_the_next_lot_and_never_break_a_day(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    await town.pay(who, shop, 5_000)
    await town.correct(replace(town_terms(), payment_limit_yen=1_000, day_limit_yen=4_000))
    await town.pay(who, shop, 2_000)  # every lot still keeps the terms that it was sold under
    await town.buy(who)
    [refusal, *_] = await refused_all_ways(town, who, shop, 1, DayLimitReached)
    assert refusal.params["left_yen"] == 0
    town.go_to(datetime(2026, 4, 7, 12, tzinfo=TOKYO))
    await town.pay(who, shop, 1_000)
    await town.must_prove()


async def test_two_programmes_pay_together_each_with_its_own_leg_and_limit(engine: AsyncEngine) -> None:
    town = Town(engine)
    soon = await town.programme(
        replace(
            town_terms(purses=COMMON_ONLY, use=Period(date(2026, 4, 1), date(2026, 6, 30))),
            payment_limit_yen=2_000,
            day_limit_yen=2_000,
        ),
        code="moonlight",
    )
    later = await town.programme(town_terms(purses=COMMON_ONLY))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, code="moonlight")
    await town.buy(who)
    receipt = await town.pay(who, shop, 10_000)
    assert [(part.programme_id, part.yen) for part in receipt.parts] == [(soon, 2_000), (later, 8_000)]
    assert [part.yen for part in (await town.pay_store(who, shop, 1)).parts] == [1]
    [refusal, *_] = await refused_all_ways(town, who, shop, 5_001, DayLimitReached)
    assert refusal.params == {"programme": "moonlight", "left_yen": 0}
    await town.must_prove()


@pytest.mark.parametrize("yen", [0, -1, 10**10, 10**20, True, 1.0, "10"])
async def test_an_amount_that_is_no_amount_is_refused(engine: AsyncEngine, yen: Any) -> None:
    town, who, shop = await mini_town(engine)
    async with unchanged(engine):
        with pytest.raises(AmountInvalid):
            await town.pay(who, shop, yen)
        with pytest.raises(AmountInvalid):
            await town.pay_store(who, shop, yen)
        with pytest.raises(AmountInvalid):
            await till_code(town, shop, yen)


async def test_a_suspended_store_merchant_or_wallet_is_refused_until_it_is_let_on_again(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    till = await till_code(town, shop, 100)

    def store(status: Status) -> SetStoreStatus:
        return SetStoreStatus(OFFICER, shop.id, status, "x")

    def merchant(status: Status) -> SetMerchantStatus:
        return SetMerchantStatus(OFFICER, shop.merchant_id, status, "x")

    ways: tuple[tuple[Callable[..., Any], Callable[[Status], object]], ...] = (
        (set_store_status, store),
        (set_merchant_status, merchant),
    )
    for use_case, of in ways:
        await town.do(use_case, of(Status.SUSPENDED))
        async with unchanged(engine):
            for attempt in (
                town.pay(who, shop, 1),
                town.pay_store(who, shop, 1),
                pay_at_till(town, who, till),
                till_code(town, shop, 1),
            ):
                with pytest.raises(StoreSuspended):
                    await attempt
        await town.do(use_case, of(Status.ACTIVE))
        await town.pay(who, shop, 1)
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "suspended", "x", OFFICER))
    await refused_all_ways(town, who, shop, 100, WalletSuspended)
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "active", "x", OFFICER))
    await pay_at_till(town, who, till)
    await town.must_prove()


async def test_nobody_pays_a_store_that_they_work_for(engine: AsyncEngine) -> None:
    town, who, shop = await mini_town(engine)
    member = AddMember(OFFICER, True, shop.id, who.account_id, MemberRole.CLERK, who.person_id)
    await town.do(add_member, member)
    await refused_all_ways(town, who, shop, 100, OwnStore)
    await town.do(disable_member, DisableMember(OFFICER, True, shop.id, who.account_id, "left"))
    await town.pay(who, shop, 100)
    await town.must_prove()


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


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.tuples(st.integers(1, 4_000), st.sampled_from(["small", "large"])), max_size=8))
async def test_payments_take_exactly_what_they_say_until_the_purses_are_empty(
    engine: AsyncEngine, amounts: list[tuple[int, str]]
) -> None:
    number = next(SEEDS)
    town, code = Town(engine, seed=number), f"programme-{number}"
    town._residents = number  # examples share one database, and a phone is one person's
    await town.programme(code=code)
    who = await town.resident()
    shops = {"small": await town.shop(), "large": await town.shop("large")}
    await town.buy(who, code=code)
    common, small = 8_000, 5_000
    for yen, store_class in amounts:
        usable = common + small if store_class == "small" else common
        if yen > usable:
            with pytest.raises(PointsMissing) as caught:
                await town.pay(who, shops[store_class], yen)
            assert caught.value.params["missing_yen"] == yen - usable
            continue
        from_small = min(yen, small) if store_class == "small" else 0
        common, small = common - (yen - from_small), small - from_small
        assert (await town.pay(who, shops[store_class], yen)).balance_after_yen == common + small
    assert await town.points(who) == common + small
    await town.must_prove()
