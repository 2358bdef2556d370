"""What a carer does against the end of their care, and against what the person does at once: one cap, one balance."""

import asyncio
from collections.abc import Awaitable, Sequence
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.kit.errors import Missing, Refusal
from services.payments.order import PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store
from services.wallets import spend
from services.wallets.buy import Buy, reserve
from services.wallets.end_care import EndCare, end_care
from services.wallets.purchase import CapExceeded
from services.wallets.spend import PointsMissing
from services.wallets.tables import access, holdings
from services.wallets.wallet import Absent, DeviceUnknown, Payer, PayerAsked
from tests.care.family import Family, family_of
from tests.http_town import HttpTown
from tests.races.contest import at_once, closed_gate, until_blocked


async def deed_of(town: HttpTown, family: Family, which: str) -> Awaitable[object]:
    """What the daughter may do, as the town does it without HTTP."""
    account, wallet, shop = family.daughter.account_id, family.mother.wallet.id, family.shop
    if which == "buy":
        return town.do(reserve, Buy(wallet, account, "starlight", 1))
    if which == "store's code":
        return town.do(pay_store, PayStore(account, wallet, shop.code, 100))
    code = family.code(await family.phone())
    return town.do(pay_by_code, PayByCode(shop.clerk_id, shop.id, code, 100))


async def behind_the_end(crowd: AsyncEngine, which: str) -> tuple[int, list[type[Refusal]]]:
    """The end stands done but uncommitted until the deed waits for it: deeds done, refusals."""
    town = HttpTown(crowd)
    await town.programme()
    family = await family_of(town)
    deed = await deed_of(town, family, which)
    ending = EndCare(UUID(family.care_id), family.mother.account_id)
    async with closed_gate(crowd) as (gate, open_gate):
        running = asyncio.ensure_future(town.do(gate.behind(end_care), ending))
        await gate.until_full(1)
        waiting = asyncio.ensure_future(deed)
        await until_blocked(crowd, 2)
        await open_gate()
        finished, refused = await at_once([running, waiting])
    await town.must_prove()
    return len(finished) - 1, [type(each) for each in refused]


REFUSED_BY = {"buy": Missing, "store's code": Missing, "pay code": DeviceUnknown}


@pytest.mark.parametrize("which", REFUSED_BY)
async def test_what_waited_behind_the_end_is_refused(crowd: AsyncEngine, which: str) -> None:
    assert await behind_the_end(crowd, which) == (0, [REFUSED_BY[which]])


async def test_control_a_payer_read_before_the_wallets_lock_pays_after_the_end(
    crowd: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read_then_lock(tx: Tx, asked: Sequence[PayerAsked], *, wait: bool) -> list[Payer | Absent]:
        payers = await holdings.read_payers(tx, asked)
        await access.lock_wallets(tx, {each.wallet_id for each in asked}, wait=wait)
        return payers

    monkeypatch.setattr(spend, "lock_payers", read_then_lock)
    assert await behind_the_end(crowd, "store's code") == (1, [])


async def test_the_cap_is_the_cared_for_persons_whoever_buys_at_once(crowd: AsyncEngine) -> None:
    """Three units are one person's cap; the mother has bought one, and the daughter's own cap is untouched."""
    town = HttpTown(crowd)
    await town.programme()
    family = await family_of(town)
    accounts, wallet = (family.mother.account_id, family.daughter.account_id), family.mother.wallet.id
    finished, refused = await at_once(town.do(reserve, Buy(wallet, accounts[n % 2], "starlight", 1)) for n in range(20))
    assert (len(finished), {type(each) for each in refused}) == (2, {CapExceeded})
    await town.buy(family.daughter, 3)
    await town.must_prove()


async def test_payments_of_both_at_once_take_no_yen_twice(crowd: AsyncEngine) -> None:
    town = HttpTown(crowd)
    await town.programme()
    family = await family_of(town)
    accounts, wallet = (family.mother.account_id, family.daughter.account_id), family.mother.wallet.id
    finished, refused = await at_once(
        town.do(pay_store, PayStore(accounts[n % 2], wallet, family.shop.code, 1_000)) for n in range(20)
    )
    assert (len(finished), {type(each) for each in refused}) == (13, {PointsMissing})
    assert await town.points(family.mother) == 0
    await town.must_prove()
