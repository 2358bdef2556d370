"""Payment against the blocking of a phone: a code that waited behind the block is refused."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.wallets import spend
from services.wallets.open import BlockDevice, block_device
from services.wallets.tables import access, holdings
from services.wallets.wallet import Absent, DeviceBlocked, Payer, PayerAsked
from tests.races.contest import at_once, closed_gate, until_blocked
from tests.town import Resident, Shop, Town


async def at_the_shop(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


async def pay_behind_the_block(crowd: AsyncEngine, town: Town, who: Resident, shop: Shop) -> tuple[int, list[type]]:
    """The block stands done but uncommitted until the payment waits for it: payments done, refusals."""
    command = BlockDevice(who.wallet.id, who.account_id, who.device.id)
    async with closed_gate(crowd) as (gate, open_gate):
        blocking = asyncio.ensure_future(town.do(gate.behind(block_device), command))
        await gate.until_full(1)
        paying = asyncio.ensure_future(town.pay(who, shop, 100))
        await until_blocked(crowd, 2)
        await open_gate()
        done, refused = await at_once([blocking, paying])
    return len(done) - 1, [type(each) for each in refused]


async def test_control_a_phone_read_before_the_wallets_lock_pays_after_its_block(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_then_lock(tx: Tx, asked: Sequence[PayerAsked], *, wait: bool) -> list[Payer | Absent]:
        payers = await holdings.read_payers(tx, asked)
        await access.lock_wallets(tx, {each.wallet_id for each in asked}, wait=wait)
        return payers

    monkeypatch.setattr(spend, "lock_payers", read_then_lock)
    town, who, shop = await at_the_shop(crowd)
    assert await pay_behind_the_block(crowd, town, who, shop) == (1, [])


async def test_a_code_that_waited_behind_the_block_is_refused(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    assert await pay_behind_the_block(crowd, town, who, shop) == (0, [DeviceBlocked])
    assert await town.points(who) == 13_000
    await town.must_prove()
