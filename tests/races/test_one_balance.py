"""Two phones and one balance, two refunds of one payment: exactly what fits, never a yen more."""

from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from services.payments.order import PayByCode
from services.payments.pay import pay_by_code
from services.payments.payment import CancelTooLate, NothingToCancel, Receipt, RefundTooMuch
from services.payments.tables import reading
from services.wallets.open import RegisterDevice, register_device
from services.wallets.spend import DayLimitReached, PointsMissing
from services.wallets.tables import holdings
from tests.races.contest import (
    at_once,
    closed_gate,
    drop_constraints,
    lined_up,
    scalar,
    without_locks,
)
from tests.town import Resident, Shop, Town, town_terms

LOT_CHECKS = (("lot", "ck_lot_paid"), ("lot", "ck_lot_premium"))
HELD = "SELECT sum(paid_yen + premium_yen) FROM lot"
PAID = "SELECT sum(amount_yen) FROM payment"
RETURNED = "SELECT sum(amount_yen) FROM payment_return"


async def at_the_shop(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


async def second_phone(town: Town, who: Resident) -> Resident:
    """The same person's other phone: the same wallet, a key of its own."""
    phone = SandboxPhone(town.entropy.take(32))
    command = RegisterDevice(who.wallet.id, who.account_id, "tablet", phone.public_jwk())
    device = await town.do(register_device, command)
    return Resident(who.account_id, who.person_id, who.wallet, phone, device)


async def test_control_without_lock_and_check_two_phones_spend_one_balance_twice(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, who, shop = await at_the_shop(crowd)
    phones = [who, await second_phone(town, who)]
    await drop_constraints(migrator_engine, *LOT_CHECKS)
    without_locks(monkeypatch)
    async with closed_gate(crowd) as (gate, open_gate):
        gate.after(monkeypatch, holdings, "read_payers")
        done, refused = await lined_up(crowd, gate, open_gate, [town.pay(phone, shop, 13_000) for phone in phones])
    assert (len(done), refused) == (2, [])
    assert await scalar(crowd, HELD) == -13_000
    assert not (await town.proof()).clean


async def test_two_phones_spend_exactly_what_is_there(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    phones = [who, await second_phone(town, who)]
    ways = [town.pay(phones[turn % 2], shop, 1_000) for turn in range(26)]
    ways += [town.pay_store(who, shop, 1_000) for _ in range(8)]
    done, refused = await at_once(ways)
    assert len(done) == 13
    assert Counter(type(each) for each in refused) == {PointsMissing: 21}
    assert sorted(each.balance_after_yen for each in done) == list(range(0, 13_000, 1_000))
    assert (await scalar(crowd, HELD), await scalar(crowd, PAID)) == (0, 13_000)
    await town.must_prove()


async def test_payments_of_any_size_at_once_take_what_fits_and_nothing_is_lost(crowd: AsyncEngine) -> None:
    town, who, small = await at_the_shop(crowd)
    large = await town.shop("large")
    sizes = [(1 + 137 * turn, small if turn % 3 else large) for turn in range(36)]
    done, refused = await at_once(town.pay_store(who, shop, yen) for yen, shop in sizes)
    assert {type(each) for each in refused} <= {PointsMissing}
    assert await scalar(crowd, HELD) == 13_000 - sum(each.amount_yen for each in done)
    await town.must_prove()


async def test_the_days_limit_is_exact_when_everything_comes_at_once(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    await town.programme(replace(town_terms(), payment_limit_yen=2_500, day_limit_yen=2_500))
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    done, refused = await at_once(town.pay_store(who, shop, 1_000) for _ in range(20))
    assert len(done) == 2
    assert Counter(type(each) for each in refused) == {DayLimitReached: 18}
    assert {each.params["left_yen"] for each in refused} == {500}
    await town.must_prove()


async def test_many_wallets_and_one_store_do_not_wait_for_each_other(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the store is locked: thirty payments stand before their commit at the same time."""
    town, _, shop = await at_the_shop(crowd)
    people = [await town.resident() for _ in range(30)]
    for who in people:
        await town.grant(who, 100)
    async with closed_gate(crowd) as (gate, open_gate):
        held = gate.behind(pay_by_code)
        commands = [PayByCode(shop.clerk_id, shop.id, town.code_of(who), 100) for who in people]
        done, refused = await lined_up(crowd, gate, open_gate, [town.do(held, command) for command in commands])
    assert (len(done), refused) == (30, [])
    await town.must_prove()


async def one_payment(town: Town, who: Resident, shop: Shop) -> Receipt:
    return await town.pay(who, shop, 1_000)


async def test_control_without_lock_and_checks_one_payment_is_refunded_twice(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, who, shop = await at_the_shop(crowd)
    receipt = await one_payment(town, who, shop)
    await drop_constraints(migrator_engine, *LOT_CHECKS, ("payment_returned", "ck_payment_returned_returned"))
    without_locks(monkeypatch)
    async with closed_gate(crowd) as (gate, open_gate):
        gate.after(monkeypatch, reading, "outstanding")
        done, refused = await lined_up(crowd, gate, open_gate, [town.refund(shop, receipt, 1_000) for _ in range(2)])
    assert (len(done), refused) == (2, [])
    assert await scalar(crowd, RETURNED) == 2_000
    assert not (await town.proof()).clean


async def test_two_refunds_of_everything_at_once_give_it_back_once(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    receipt = await one_payment(town, who, shop)
    done, refused = await at_once(town.refund(shop, receipt, 1_000) for _ in range(2))
    assert (len(done), [type(each) for each in refused]) == (1, [RefundTooMuch])
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_thirty_refunds_at_once_give_back_exactly_what_was_paid(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    receipt = await one_payment(town, who, shop)
    done, refused = await at_once(town.refund(shop, receipt, 99) for _ in range(30))
    assert len(done) == 10
    assert Counter(type(each) for each in refused) == {RefundTooMuch: 20}
    assert {each.params["left_yen"] for each in refused} == {10}
    assert sorted(each.left_yen for each in done) == [10 + 99 * turn for turn in range(10)]
    await town.must_prove()


async def test_a_cancel_and_refunds_at_once_give_back_no_more_than_was_paid(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    for _ in range(5):
        receipt = await one_payment(town, who, shop)
        calls = [town.cancel(shop, receipt), *(town.refund(shop, receipt, 300) for _ in range(4))]
        _, refused = await at_once(calls)
        assert {type(each) for each in refused} <= {NothingToCancel, RefundTooMuch, CancelTooLate}
    assert await scalar(crowd, "SELECT max(returned_yen) FROM payment_returned") <= 1_000
    await town.must_prove()


async def test_payments_and_refunds_of_one_wallet_at_once_never_meet_in_a_deadlock(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    receipts = [await town.pay(who, shop, 500) for _ in range(10)]
    calls: list[Awaitable[Any]] = [town.refund(shop, receipt, 500) for receipt in receipts]
    calls += [town.pay_store(who, shop, 100) for _ in range(20)]
    done, refused = await at_once(calls)
    assert (len(done), refused) == (30, [])
    assert await town.points(who) == 11_000
    await town.must_prove()
