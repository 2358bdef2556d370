"""A merge against a payment, a refund and another merge at the same instant: no yen twice, and none left behind."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.changes import ApproveChange, approve
from services.kit.db import Tx
from services.kit.errors import Refusal
from services.payments.order import PayByCode
from services.payments.pay import pay_by_code
from services.payments.refund import Refund, refund
from services.wallets import merge_wallets
from services.wallets.buy import Buy, reserve
from services.wallets.merge_wallets import carry_out_merge, propose_merge
from services.wallets.merging import AskMerge, ProposedMerge, Shown
from services.wallets.purchase import CapExceeded
from services.wallets.spend import PointsMissing
from services.wallets.tables import access
from services.wallets.wallet import DeviceUnknown, WalletMerged
from tests.races.contest import at_once, closed_gate, until_blocked
from tests.town import APPROVER, OFFICER, Resident, Town


async def merge_of(town: Town, closed: Resident, into: Resident) -> ApproveChange:
    asked = AskMerge(OFFICER, closed.wallet.number, into.wallet.number, Shown.IDENTITY_DOCUMENT, "one person")
    proposed: ProposedMerge = await town.do(propose_merge, asked)
    return ApproveChange(proposed.change_id, proposed.fingerprint, APPROVER)


async def carry_out(tx: Tx, command: ApproveChange) -> UUID:
    return await carry_out_merge(tx, await approve(tx, command))


async def behind_the_merge(crowd: AsyncEngine, what: str) -> tuple[Town, Resident, int, list[Refusal]]:
    """The merge stands done but uncommitted until the deed waits for it: who is left, deeds done, refusals."""
    town = Town(crowd)
    await town.programme()
    kept, other, shop = await town.resident(), await town.resident(), await town.shop()
    await town.buy(other)
    paid = await town.pay(other, shop, 1_000)
    deeds: dict[str, Awaitable[Any]] = {
        "payment": town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, town.code_of(other), 500)),
        "refund": town.do(refund, Refund(shop.clerk_id, shop.id, paid.payment_id, 400, "brought back")),
    }
    merge, deed = await merge_of(town, other, kept), deeds.pop(what)
    for left in deeds.values():
        left.close()  # type: ignore[attr-defined]
    async with closed_gate(crowd) as (gate, open_gate):
        running = asyncio.ensure_future(town.do(gate.behind(carry_out), merge))
        await gate.until_full(1)
        waiting = asyncio.ensure_future(deed)
        await until_blocked(crowd, 2)
        await open_gate()
        finished, refused = await at_once([running, waiting])
    return town, kept, len(finished) - 1, refused


async def test_a_payment_that_waited_behind_the_merge_is_refused(crowd: AsyncEngine) -> None:
    town, kept, finished, refused = await behind_the_merge(crowd, "payment")
    assert (finished, [type(each) for each in refused]) == (0, [DeviceUnknown])
    assert await town.points(kept) == 12_000
    await town.must_prove()


async def test_a_refund_that_waited_behind_the_merge_goes_to_the_living_wallet(crowd: AsyncEngine) -> None:
    town, kept, finished, refused = await behind_the_merge(crowd, "refund")
    assert (finished, refused) == (1, [])
    assert await town.points(kept) == 12_400
    await town.must_prove()


async def test_control_a_refund_that_only_locks_its_own_wallet_leaves_points_behind(
    crowd: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def own_alone(tx: Tx, wallet_id: UUID) -> Any:
        wallet = await access.lock_wallet(tx, wallet_id)
        return (wallet, wallet)

    monkeypatch.setattr(access, "lock_line", own_alone)
    town, kept, _, _ = await behind_the_merge(crowd, "refund")
    assert await town.points(kept) == 12_000
    assert {check.name for check in (await town.proof()).broken} == {"merged_wallets_are_empty"}


async def test_payments_and_the_merge_at_once_keep_every_yen(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    await town.programme()
    kept, other, shop = await town.resident(), await town.resident(), await town.shop()
    await town.buy(kept)
    await town.buy(other)
    codes = [town.code_of(who) for who in (kept, other) for _ in range(8)]
    payments = [town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 1_000)) for code in codes]
    merge = town.do(carry_out, await merge_of(town, other, kept))
    finished, refused = await at_once([*payments[:8], merge, *payments[8:]])
    assert {type(each) for each in refused} <= {DeviceUnknown, PointsMissing}
    assert await town.points(kept) == 26_000 - 1_000 * (len(finished) - 1)
    await town.must_prove()


async def test_of_two_merges_into_each_other_one_happens(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    await town.programme()
    one, two = await town.resident(), await town.resident()
    await town.buy(one)
    await town.buy(two)
    merges = [await merge_of(town, one, two), await merge_of(town, two, one)]
    finished, refused = await at_once([town.do(carry_out, each) for each in merges])
    assert (len(finished), [type(each) for each in refused]) == (1, [WalletMerged])
    assert sorted([await town.points(one), await town.points(two)]) == [0, 26_000]
    await town.must_prove()


async def test_without_the_look_under_the_locks_the_tables_still_refuse_a_ring(
    crowd: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town(crowd)
    one, two = await town.resident(), await town.resident()
    merges = [await merge_of(town, one, two), await merge_of(town, two, one)]

    async def nothing(tx: Tx, *_: Any) -> None:
        return None

    monkeypatch.setattr(merge_wallets, "_check", nothing)
    await town.do(carry_out, merges[0])
    with pytest.raises(IntegrityError, match="ck_person_same_as"):
        await town.do(carry_out, merges[1])
    await town.must_prove()


async def test_a_purchase_at_once_with_the_merge_counts_against_one_cap(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    await town.programme()
    kept, other = await town.resident(), await town.resident()
    await town.buy(kept)
    await town.buy(other)
    merge = await merge_of(town, other, kept)
    async with closed_gate(crowd) as (gate, open_gate):
        running = asyncio.ensure_future(town.do(gate.behind(carry_out), merge))
        await gate.until_full(1)
        asked = [Buy(kept.wallet.id, kept.account_id, "starlight", 1) for _ in range(3)]
        waiting = [asyncio.ensure_future(town.do(reserve, each)) for each in asked]
        await until_blocked(crowd, 2)
        await open_gate()
        finished, refused = await at_once([running, *waiting])
    assert (len(finished) - 1, [type(each) for each in refused]) == (1, [CapExceeded, CapExceeded])
    await town.must_prove()
