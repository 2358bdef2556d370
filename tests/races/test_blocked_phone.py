"""Payment against the blocking of a phone: a code that waited behind the block is refused."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.wallets.open import BlockDevice, block_device
from services.wallets.tables import access
from services.wallets.tables.schema import DeviceRow, WalletRow
from services.wallets.wallet import Device, DeviceBlocked, Wallet
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


async def test_control_a_phone_read_with_the_wallets_lock_alone_pays_after_its_block(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lock_wallet_only(tx: Tx, device_id: UUID) -> tuple[Wallet, Device]:
        query = select(*access.WALLET, *access.DEVICE).join(WalletRow, WalletRow.id == DeviceRow.wallet_id)
        query = query.where(DeviceRow.id == device_id).with_for_update(of=WalletRow)
        row = tuple((await tx.connection.execute(query)).one())
        return Wallet(*row[: len(access.WALLET)]), Device(*row[len(access.WALLET) :])

    monkeypatch.setattr(access, "lock_by_device", lock_wallet_only)
    town, who, shop = await at_the_shop(crowd)
    assert await pay_behind_the_block(crowd, town, who, shop) == (1, [])


async def test_a_code_that_waited_behind_the_block_is_refused(crowd: AsyncEngine) -> None:
    town, who, shop = await at_the_shop(crowd)
    assert await pay_behind_the_block(crowd, town, who, shop) == (0, [DeviceBlocked])
    assert await town.points(who) == 13_000
    await town.must_prove()
