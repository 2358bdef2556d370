"""The midnight of expiry: a payment of the last instant and the job of the first one, at the same time.

One instant decides for each deed, and the wallet's lock decides between them: what a lot held
is spent or expired, never both, and never neither.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.programme import ProgrammeClosed
from services.kit.clock import TOKYO
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.wallets.expire import Expired, expire_due, retire_spent
from services.wallets.spend import PointsMissing
from services.wallets.tables import endings, holdings
from tests.races.contest import (
    at_once,
    closed_gate,
    drop_constraints,
    lined_up,
    scalar,
    until_blocked,
    without_locks,
)
from tests.town import Resident, Shop, Town

MIDNIGHT = datetime(2026, 10, 1, tzinfo=TOKYO)
LAST_INSTANT = MIDNIGHT - timedelta(microseconds=1)
HELD = "SELECT sum(paid_yen + premium_yen) FROM lot"
SPENT = "SELECT sum(amount_yen) FROM payment"
EXPIRED = "SELECT sum(paid_yen + premium_yen) FROM expiry"


@pytest.fixture
async def sides(crowd: AsyncEngine) -> AsyncIterator[tuple[Town, Town]]:
    """One town seen by two processes: at the last instant of validity, and at the midnight after it."""
    before = Town(crowd)
    await before.programme()
    yield before, Town(crowd, at=MIDNIGHT, seed=2)


async def holder(town: Town, yen: int = 5_000) -> tuple[Resident, Shop]:
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, yen)
    return who, shop


async def figures(engine: AsyncEngine) -> tuple[int, int, int]:
    return await scalar(engine, HELD), await scalar(engine, SPENT), await scalar(engine, EXPIRED)


async def test_control_without_lock_and_check_the_same_points_are_spent_and_expired(
    crowd: AsyncEngine, migrator_engine: AsyncEngine, sides: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = sides
    who, shop = await holder(before)
    before.go_to(LAST_INSTANT)
    await drop_constraints(migrator_engine, ("lot", "ck_lot_paid"), ("lot", "ck_lot_premium"))
    without_locks(monkeypatch)
    async with closed_gate(crowd) as (gate, open_gate):
        gate.after(monkeypatch, holdings, "read_payers")
        gate.after(monkeypatch, endings, "read_due")
        calls = [before.pay_store(who, shop, 5_000), after.do(expire_due, 10)]
        await lined_up(crowd, gate, open_gate, calls)
    assert await figures(crowd) == (-5_000, 5_000, 5_000)
    assert not (await after.proof()).clean


async def test_a_payment_that_waits_behind_the_job_finds_nothing_left(
    crowd: AsyncEngine, sides: tuple[Town, Town]
) -> None:
    before, after = sides
    who, shop = await holder(before)
    before.go_to(LAST_INSTANT)
    async with closed_gate(crowd) as (gate, open_gate):
        job = asyncio.ensure_future(after.do(gate.behind(expire_due), 10))
        await gate.until_full(1)
        payment = asyncio.ensure_future(before.pay_store(who, shop, 2_000))
        await until_blocked(crowd, 2, payment)
        await open_gate()
        done, refused = await at_once([job, payment])
    assert done == [Expired(wallets=1, lots=1, yen=5_000)]
    assert [type(each) for each in refused] == [PointsMissing]
    assert await figures(crowd) == (0, 0, 5_000)
    await after.must_prove()


async def test_a_job_that_waits_behind_a_payment_expires_only_the_rest(
    crowd: AsyncEngine, sides: tuple[Town, Town]
) -> None:
    before, after = sides
    who, shop = await holder(before)
    before.go_to(LAST_INSTANT)
    async with closed_gate(crowd) as (gate, open_gate):
        command = PayStore(who.account_id, who.wallet.id, shop.code, 2_000)
        payment = asyncio.ensure_future(before.do(gate.behind(pay_store), command))
        await gate.until_full(1)
        job = asyncio.ensure_future(after.do(expire_due, 10))
        await until_blocked(crowd, 2, job)
        await open_gate()
        done, refused = await at_once([payment, job])
    assert refused == []
    assert done[1] == Expired(wallets=1, lots=1, yen=3_000)
    assert await figures(crowd) == (0, 2_000, 3_000)
    await after.must_prove()


async def test_a_refund_of_the_last_instant_that_comes_after_the_job_is_expired_by_the_next_one(
    crowd: AsyncEngine, sides: tuple[Town, Town]
) -> None:
    before, after = sides
    (who, shop), (other, _) = await holder(before), await holder(before)
    receipt = await before.pay_store(who, shop, 5_000)
    rest = await before.pay_store(other, shop, 1_000)
    before.go_to(LAST_INSTANT)
    await after.expire()
    await after.do(retire_spent, 10)
    await before.refund(shop, receipt, 2_000)
    await before.refund(shop, rest, 1_000)
    await after.expire()
    assert await figures(crowd) == (0, 6_000, 7_000)
    await after.must_prove()


async def test_at_midnight_itself_no_payment_takes_what_is_not_swept_yet(
    crowd: AsyncEngine, sides: tuple[Town, Town]
) -> None:
    before, after = sides
    who, shop = await holder(before)
    before.go_to(MIDNIGHT)
    done, refused = await at_once([*(before.pay_store(who, shop, 100) for _ in range(5)), after.do(expire_due, 10)])
    assert done == [Expired(wallets=1, lots=1, yen=5_000)]
    assert [type(each) for each in refused] == [ProgrammeClosed] * 5
    await after.must_prove()


async def test_a_city_of_wallets_at_midnight_spends_or_expires_every_yen_once(
    crowd: AsyncEngine, sides: tuple[Town, Town]
) -> None:
    before, after = sides
    people = [await holder(before) for _ in range(16)]
    refunded = [await before.pay_store(who, shop, 1_000) for who, shop in people[:4]]
    before.go_to(LAST_INSTANT)
    calls: list[Awaitable[Any]] = [before.pay_store(who, shop, 1_500) for who, shop in people]
    calls[8:8] = [after.do(expire_due, 5) for _ in range(3)]
    calls += [before.refund(shop, receipt, 1_000) for (_, shop), receipt in zip(people, refunded, strict=False)]
    _, refused = await at_once(calls)
    assert {type(each) for each in refused} <= {PointsMissing}
    await after.expire()
    held, spent, expired = await figures(crowd)
    returned = await scalar(crowd, "SELECT sum(amount_yen) FROM payment_return")
    assert held == await scalar(crowd, HELD + " WHERE expires_at > first_expires_at")
    assert spent - returned + expired + held == 16 * 5_000
    await after.must_prove()
