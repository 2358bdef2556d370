"""Paying both ways: what is taken, what is refused, and that nothing changes then."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.scenarios.hiratsuka import COMMON_ONLY
from services.campaigns.programme import ProgrammeClosed
from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.numbers import parse_number
from services.merchants.add_member import AddMember, add_member
from services.merchants.at_till import OwnStore, StoreSuspended
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.set_status import (
    SetMerchantStatus,
    SetStoreStatus,
    set_merchant_status,
    set_store_status,
)
from services.merchants.shops import MemberRole, Status
from services.payments.payment import (
    AmountInvalid,
    Mode,
)
from services.wallets.open import SetWalletStatus, set_wallet_status
from services.wallets.spend import DayLimitReached, PaymentLimitReached, PointsMissing
from services.wallets.wallet import WalletSuspended
from tests.factories.rows import unchanged
from tests.payments.at_the_till import mini_town, pay_at_till, pay_three_ways, refused_all_ways, till_code
from tests.town import OFFICER, Town, town_terms

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
