"""Giving back: a cancel whole and on its day, refunds up to what was paid, always to the very lots that paid."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.scenarios.hiratsuka import COMMON_ONLY
from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.errors import Missing, Refusal
from services.kit.numbers import parse_number
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import Status
from services.payments.payment import (
    AmountInvalid,
    CancelTooLate,
    DeedKind,
    NothingToCancel,
    Receipt,
    RefundTooLate,
    RefundTooMuch,
)
from services.payments.refund import Cancel, Refund, cancel, refund
from services.wallets.open import SetWalletStatus, set_wallet_status
from services.wallets.spend import DayLimitReached
from tests.factories.rows import unchanged
from tests.town import NOON, OFFICER, Resident, Shop, Town, town_terms

SEEDS = count()


async def lots(engine: AsyncEngine) -> dict[UUID, tuple[int, int]]:
    """Every lot's paid and premium yen."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT id, paid_yen, premium_yen FROM lot"))
        return {row[0]: (row[1], row[2]) for row in rows}


async def shopping(engine: AsyncEngine, **changes: object) -> tuple[Town, Resident, Shop]:
    town = Town(engine, seed=next(SEEDS))
    await town.programme(replace(town_terms(), **changes))  # type: ignore[arg-type]
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


async def test_a_cancel_gives_the_whole_payment_back_to_its_lots_on_the_same_day(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine)
    before = await lots(engine)
    receipt = await town.pay(who, shop, 7_777)
    town.go_to(datetime(2026, 4, 6, 23, 59, 59, 999_999, tzinfo=TOKYO))
    back = await town.cancel(shop, receipt)
    assert (back.kind, back.amount_yen, back.left_yen) == (DeedKind.CANCEL, 7_777, 0)
    assert parse_number(back.number, prefix="R") == back.number
    assert await lots(engine) == before
    await town.must_prove()


@pytest.mark.parametrize("paid_at", [NOON, datetime(2026, 4, 6, 23, 59, 59, tzinfo=TOKYO)])
async def test_a_cancel_on_the_next_civil_day_is_too_late_even_a_second_later(
    engine: AsyncEngine, paid_at: datetime
) -> None:
    town, who, shop = await shopping(engine)
    town.go_to(paid_at)
    receipt = await town.pay(who, shop, 100)
    town.go_to(datetime(2026, 4, 7, tzinfo=TOKYO))
    async with unchanged(engine):
        with pytest.raises(CancelTooLate):
            await town.cancel(shop, receipt)
    await town.refund(shop, receipt, 100)
    await town.must_prove()


async def test_the_day_of_a_cancel_is_japans_not_utcs(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine)
    town.go_to(datetime(2026, 4, 7, 8, 30, tzinfo=TOKYO))  # 23:30 the day before, in UTC
    receipt = await town.pay(who, shop, 100)
    town.go_to(datetime(2026, 4, 7, 9, 30, tzinfo=TOKYO))
    await town.cancel(shop, receipt)
    await town.must_prove()


async def test_a_payment_is_cancelled_once_and_never_after_a_refund(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine)
    cancelled, refunded = await town.pay(who, shop, 100), await town.pay(who, shop, 100)
    await town.cancel(shop, cancelled)
    await town.refund(shop, refunded, 1)
    async with unchanged(engine):
        for receipt in (cancelled, refunded):
            with pytest.raises(NothingToCancel):
                await town.cancel(shop, receipt)
        with pytest.raises(RefundTooMuch) as caught:
            await town.refund(shop, cancelled, 1)
    assert caught.value.params == {"payment": cancelled.number, "left_yen": 0}
    await town.must_prove()


async def test_a_refund_never_exceeds_what_was_paid(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine)
    receipt = await town.pay(who, shop, 1_000)
    assert (await town.refund(shop, receipt, 400)).left_yen == 600
    async with unchanged(engine):
        with pytest.raises(RefundTooMuch) as caught:
            await town.refund(shop, receipt, 601)
    assert caught.value.params["left_yen"] == 600
    assert (await town.refund(shop, receipt, 600)).left_yen == 0
    async with unchanged(engine):
        with pytest.raises(RefundTooMuch):
            await town.refund(shop, receipt, 1)
    assert await town.points(who) == 13_000
    await town.must_prove()


@pytest.mark.parametrize("yen", [0, -1, 10**10, 10**20, True, 1.0, "10"])
async def test_an_amount_that_is_no_amount_is_refused(engine: AsyncEngine, yen: object) -> None:
    town, who, shop = await shopping(engine)
    receipt = await town.pay(who, shop, 1_000)
    async with unchanged(engine):
        with pytest.raises(AmountInvalid):
            await town.refund(shop, receipt, yen)  # type: ignore[arg-type]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    payments=st.lists(st.integers(1, 9_000), min_size=1, max_size=4),
    refunds=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5_000)), max_size=8),
)
async def test_when_everything_went_back_every_lot_is_as_it_was(
    engine: AsyncEngine, payments: list[int], refunds: list[tuple[int, int]]
) -> None:
    number = next(SEEDS)
    town, code = Town(engine, seed=number), f"programme-{number}"
    town._residents = number  # examples share one database, and a phone is one person's
    await town.programme(code=code)
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, units=3, code=code)
    before = await lots(engine)
    receipts = [await town.pay(who, shop, yen) for yen in payments]
    left = {receipt.payment_id: receipt.amount_yen for receipt in receipts}
    for which, yen in refunds:
        receipt = receipts[which % len(receipts)]
        some = min(yen, left[receipt.payment_id])
        if some:
            left[receipt.payment_id] = (await town.refund(shop, receipt, some)).left_yen
    for receipt in receipts:
        if left[receipt.payment_id]:
            await town.refund(shop, receipt, left[receipt.payment_id])
    assert await lots(engine) == before
    await town.must_prove()


async def test_a_refund_over_two_programmes_reverses_the_spend_order(engine: AsyncEngine) -> None:
    town = Town(engine)
    soon = await town.programme(
        town_terms(purses=COMMON_ONLY, use=Period(date(2026, 4, 1), date(2026, 6, 30))), code="moonlight"
    )
    later = await town.programme(town_terms(purses=COMMON_ONLY))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, code="moonlight")
    await town.buy(who)
    receipt = await town.pay(who, shop, 20_000)
    assert [(part.programme_id, part.yen) for part in receipt.parts] == [(soon, 13_000), (later, 7_000)]
    held = {purse.programme: purse.points for purse in (await town.balance(who)).purses}
    assert held == {"starlight": 6_000}
    await town.refund(shop, receipt, 6_000)
    held = {purse.programme: purse.points for purse in (await town.balance(who)).purses}
    assert held == {"starlight": 12_000}
    await town.refund(shop, receipt, 2_000)
    held = {purse.programme: purse.points for purse in (await town.balance(who)).purses}
    assert held == {"moonlight": 1_000, "starlight": 13_000}
    await town.cancel(shop, await town.pay(who, shop, 14_000))
    await town.must_prove()


async def test_a_payment_over_two_programmes_is_refunded_until_the_one_it_returns_to_ends(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme(
        town_terms(purses=COMMON_ONLY, use=Period(date(2026, 4, 1), date(2026, 6, 30))), code="moonlight"
    )
    await town.programme(town_terms(purses=COMMON_ONLY))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, code="moonlight")
    await town.buy(who)
    receipt = await town.pay(who, shop, 20_000)
    town.go_to(datetime(2026, 7, 15, tzinfo=TOKYO) - timedelta(microseconds=1))
    await town.refund(shop, receipt, 1)
    town.go_to(datetime(2026, 7, 15, tzinfo=TOKYO))
    async with unchanged(engine):
        with pytest.raises(RefundTooLate):
            await town.refund(shop, receipt, 7_000)
    await town.refund(shop, receipt, 6_999)
    async with unchanged(engine):
        with pytest.raises(RefundTooLate):
            await town.refund(shop, receipt, 1)
    await town.must_prove()


async def test_a_cancel_frees_the_days_limit_and_a_refund_does_not(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine, payment_limit_yen=5_000, day_limit_yen=5_000)
    cancelled = await town.pay(who, shop, 5_000)
    with pytest.raises(DayLimitReached):
        await town.pay(who, shop, 1)
    await town.cancel(shop, cancelled)
    refunded = await town.pay(who, shop, 5_000)
    await town.refund(shop, refunded, 5_000)
    with pytest.raises(DayLimitReached) as caught:
        await town.pay(who, shop, 1)
    assert caught.value.params["left_yen"] == 0
    town.go_to(datetime(2026, 4, 7, tzinfo=TOKYO))
    await town.pay(who, shop, 5_000)
    await town.must_prove()


Give = Callable[[Town, Shop, Receipt], Awaitable[object]]


def _refund_by(account_id: UUID, store_id: UUID) -> Give:
    return lambda town, shop, receipt: town.do(refund, Refund(account_id, store_id, receipt.payment_id, 1, "x"))


def _cancel_by(account_id: UUID, store_id: UUID) -> Give:
    return lambda town, shop, receipt: town.do(cancel, Cancel(account_id, store_id, receipt.payment_id, "x"))


async def test_only_the_stores_own_staff_gives_its_payments_back(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine)
    other, former = await town.shop(), await town.shop()
    receipt = await town.pay(who, shop, 100)
    elsewhere = await town.pay(who, former, 100)
    await town.do(disable_member, DisableMember(OFFICER, True, former.id, former.clerk_id, "left"))
    async with unchanged(engine):
        for give in (_refund_by, _cancel_by):
            for account_id, store_id, paid in (
                (other.clerk_id, other.id, receipt),
                (other.clerk_id, shop.id, receipt),
                (shop.clerk_id, other.id, receipt),
                (who.account_id, shop.id, receipt),
                (shop.clerk_id, uuid4(), receipt),
                (former.clerk_id, former.id, elsewhere),
                (shop.clerk_id, shop.id, replace(receipt, payment_id=uuid4())),
            ):
                with pytest.raises(Missing):
                    await give(account_id, store_id)(town, shop, paid)


async def test_a_refund_reaches_a_suspended_wallet_and_leaves_a_suspended_store(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine)
    receipt = await town.pay(who, shop, 1_000)
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "suspended", "lost phone", OFFICER))
    await town.do(set_store_status, SetStoreStatus(OFFICER, shop.id, Status.SUSPENDED, "closed down"))
    await town.refund(shop, receipt, 1_000)
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_a_refund_after_a_correction_follows_the_version_that_was_sold(engine: AsyncEngine) -> None:
    town, who, shop = await shopping(engine, refund_days=0)
    receipt = await town.pay(who, shop, 1_000)
    await town.correct(replace(town_terms(), refund_days=30))
    town.go_to(datetime(2026, 10, 1, tzinfo=TOKYO))
    refusal: type[Refusal] = RefundTooLate
    async with unchanged(engine):
        with pytest.raises(refusal):
            await town.refund(shop, receipt, 1)
    await town.must_prove()
