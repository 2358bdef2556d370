"""Payment against suspension: whoever has the wallet's lock first decides, and nothing slips past the other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.merchants.at_till import StoreSuspended
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import Status
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.payments.payment import Receipt
from services.wallets.open import BlockDevice, SetWalletStatus, block_device, set_wallet_status
from services.wallets.spend import lock
from services.wallets.tables import holdings
from services.wallets.wallet import DeviceBlocked, WalletSuspended
from tests.races.contest import at_once, closed_gate, scalar, until_blocked, without_locks
from tests.town import OFFICER, Resident, Shop, Town

PAYMENTS = "SELECT count(*) FROM payment"
AFTERWARDS = "SELECT count(*) FROM payment p JOIN wallet w ON w.id = p.wallet_id WHERE w.status = 'suspended'"


async def at_the_shop(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


def suspending(who: Resident) -> SetWalletStatus:
    return SetWalletStatus(who.wallet.number, "suspended", "lost phone", OFFICER)


def paying(who: Resident, shop: Shop, yen: int = 100) -> PayStore:
    return PayStore(who.account_id, who.wallet.id, shop.code, yen)


async def in_turn(
    crowd: AsyncEngine,
    town: Town,
    first: tuple[Callable[..., Awaitable[Any]], Any],
    second: Callable[[], Awaitable[Any]],
) -> tuple[list[Any], list[Any]]:
    """The first deed stands done but uncommitted until the second one waits for it; then both end."""
    async with closed_gate(crowd) as (gate, open_gate):
        use_case, command = first
        running = asyncio.ensure_future(town.do(gate.behind(use_case), command))
        await gate.until_full(1)
        waiting = asyncio.ensure_future(second())
        await until_blocked(crowd, 2, waiting)  # the one at the gate, and the one behind the wallet's lock
        await open_gate()
        return await at_once([running, waiting])


async def test_control_without_the_lock_a_payment_overtakes_the_suspension_that_was_answered(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, who, shop = await at_the_shop(crowd)
    without_locks(monkeypatch)
    async with closed_gate(crowd) as (gate, open_gate):
        with monkeypatch.context() as patched:
            gate.after(patched, holdings, "read_payers")
            payment = asyncio.ensure_future(town.do(pay_store, paying(who, shop)))
            await gate.until_full(1)
        await town.do(set_wallet_status, suspending(who))
        await open_gate()
        done, _ = await at_once([payment])
    assert len(done) == 1
    assert await scalar(crowd, AFTERWARDS) == 1


async def test_a_payment_that_waits_behind_the_suspension_is_refused(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    for pay in (town.pay_store, town.pay):
        first = (set_wallet_status, suspending(who))
        done, refused = await in_turn(crowd, town, first, partial(pay, who, shop, 100))
        assert len(done) == 1
        assert [type(each) for each in refused] == [WalletSuspended]
    assert await scalar(crowd, PAYMENTS) == 0
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_a_suspension_that_waits_behind_a_payment_comes_after_it(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    first = (pay_store, paying(who, shop))
    done, refused = await in_turn(crowd, town, first, partial(town.do, set_wallet_status, suspending(who)))
    assert (len(done), refused) == (2, [])
    with pytest.raises(WalletSuspended):
        await town.pay(who, shop, 100)
    assert await scalar(crowd, PAYMENTS) == 1
    await town.must_prove()


async def test_thirty_payments_and_a_suspension_at_once_leave_a_suspended_wallet_that_adds_up(
    crowd: AsyncEngine,
) -> None:
    town, who, shop = await at_the_shop(crowd)
    calls: list[Awaitable[Any]] = [town.do(pay_store, paying(who, shop)) for _ in range(15)]
    calls.append(town.do(set_wallet_status, suspending(who)))
    calls += [town.pay(who, shop, 100) for _ in range(15)]
    done, refused = await at_once(calls)
    paid = [each for each in done if isinstance(each, Receipt)]
    assert Counter(type(each) for each in refused) in ({WalletSuspended: 30 - len(paid)}, {})
    assert await town.points(who) == 13_000 - 100 * len(paid)
    with pytest.raises(WalletSuspended):
        await town.pay_store(who, shop, 1)
    await town.must_prove()


async def test_a_payment_that_waits_while_the_store_is_suspended_looks_at_the_store_afterwards(
    crowd: AsyncEngine,
) -> None:
    """The store is read behind the wallet's lock: waiting for it does not keep an old picture alive."""
    town, who, shop = await at_the_shop(crowd)
    async with closed_gate(crowd) as (gate, open_gate):

        async def lock_only(tx: Any, _: None) -> None:
            await lock(tx, who.wallet.id)

        holding = asyncio.ensure_future(town.do(gate.behind(lock_only), None))
        await gate.until_full(1)
        payment = asyncio.ensure_future(town.do(pay_store, paying(who, shop)))
        await until_blocked(crowd, 2)
        await town.do(set_store_status, SetStoreStatus(OFFICER, shop.id, Status.SUSPENDED, "sticker swapped"))
        await open_gate()
        _, refused = await at_once([holding, payment])
    assert [type(each) for each in refused] == [StoreSuspended]
    assert await scalar(crowd, PAYMENTS) == 0


async def test_thirty_payments_and_the_stores_suspension_at_once_pay_nothing_afterwards(crowd: AsyncEngine) -> None:
    town, _, shop = await at_the_shop(crowd)
    people = [await town.resident() for _ in range(30)]
    for who in people:
        await town.grant(who, 100)
    calls: list[Awaitable[Any]] = [town.do(pay_store, paying(who, shop)) for who in people]
    calls.insert(12, town.do(set_store_status, SetStoreStatus(OFFICER, shop.id, Status.SUSPENDED, "x")))
    done, refused = await at_once(calls)
    paid = sum(isinstance(each, Receipt) for each in done)
    assert {type(each) for each in refused} <= {StoreSuspended}
    assert paid + len(refused) == 30
    late, refusals = await at_once(town.do(pay_store, paying(who, shop)) for who in people)
    assert late == []
    assert len(refusals) == 30
    async with crowd.connect() as connection:
        owed = text("SELECT -coalesce(sum(amount_yen), 0) FROM ledger_posting WHERE account = 'store_payable'")
        assert (await connection.execute(owed)).scalar_one() == paid * 100
    await town.must_prove()


async def test_a_blocked_phone_is_refused_by_every_payment_that_begins_afterwards(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    calls: list[Awaitable[Any]] = [town.pay(who, shop, 100) for _ in range(20)]
    calls.insert(7, town.do(block_device, BlockDevice(who.wallet.id, who.account_id, who.device.id)))
    done, refused = await at_once(calls)
    assert {type(each) for each in refused} <= {DeviceBlocked}
    paid = sum(isinstance(each, Receipt) for each in done)
    assert await town.points(who) == 13_000 - 100 * paid
    with pytest.raises(DeviceBlocked):
        await town.pay(who, shop, 100)
    await town.must_prove()
