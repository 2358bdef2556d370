"""Buying: cap and stock are held for a checkout, and whatever the channel says has one effect."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.programme import NotOnSale, ProgrammeUnknown, StockExhausted
from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.db import Tx
from services.kit.errors import Missing, Refusal
from services.kit.numbers import parse_number
from services.ledger.chart import Account
from services.wallets.buy import (
    Buy,
    CheckoutWord,
    Undo,
    hear,
    reserve,
    undo,
)
from services.wallets.open import SetWalletStatus, set_wallet_status
from services.wallets.purchase import (
    RESERVED_FOR,
    CapExceeded,
    Purchase,
    PurchaseNotUndoable,
    PurchaseStatus,
    UnitsInvalid,
)
from services.wallets.read import purchase_of, purchases_of
from services.wallets.wallet import WalletSuspended
from tests.factories.rows import unchanged
from tests.town import CODE, NOON, OFFICER, Resident, town_terms
from tests.wallets.checkouts import account, reserved, town_with_buyer, units_left


async def test_a_reservation_holds_cap_and_stock_and_gives_no_points(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who, units=2)
    assert (purchase.price_yen, purchase.points, purchase.status) == (20_000, 26_000, PurchaseStatus.RESERVED)
    assert parse_number(purchase.number, prefix="B") == purchase.number
    assert purchase.reserved_until == NOON + RESERVED_FOR
    assert await units_left(town, purchase) == 998
    assert await town.points(who) == 0
    with pytest.raises(CapExceeded) as caught:
        await reserved(town, who, units=2)
    assert caught.value.params == {"cap_yen": 30_000, "left_yen": 10_000}
    await town.must_prove()


async def test_paid_units_become_one_lot_a_purse_with_paid_and_premium_parts(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    bought = await town.buy(who, units=2)
    assert (bought.status, bought.paid_at) == (PurchaseStatus.PAID, NOON)
    purses = {purse.purse: purse for purse in (await town.balance(who)).purses}
    assert {name: (each.paid_points, each.premium_points) for name, each in purses.items()} == {
        "common": (12_000, 4_000),
        "small": (8_000, 2_000),
    }
    assert {purse.expires_on for purse in purses.values()} == {date(2026, 9, 30)}
    assert await account(town, Account.CASH_RECEIVABLE) == 20_000
    assert await account(town, Account.FUNDER_RECEIVABLE) == 6_000
    assert await units_left(town, bought) == 998
    await town.must_prove()


async def test_points_bought_before_the_period_of_use_are_usable_from_its_first_midnight(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine, use=Period(date(2026, 5, 1), date(2026, 9, 30)))
    await town.buy(who)
    starts = {purse.usable_from for purse in (await town.balance(who)).purses}
    assert starts == {datetime(2026, 5, 1, tzinfo=TOKYO)}


async def test_the_cap_is_a_persons_and_exact(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    other = await town.resident()
    await town.buy(who, units=2)
    await town.buy(who)
    async with unchanged(engine):
        with pytest.raises(CapExceeded) as caught:
            await town.buy(who)
        with pytest.raises(CapExceeded):
            await town.buy(other, units=4)
    assert caught.value.params["left_yen"] == 0
    await town.buy(other, units=3)
    await town.must_prove()


async def test_a_cap_that_a_correction_lowers_leaves_nothing_to_buy_never_less(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    await town.buy(who, units=3)
    await town.correct(replace(town_terms(), cap_yen=10_000))
    async with unchanged(engine):
        with pytest.raises(CapExceeded) as caught:
            await town.buy(who)
    assert caught.value.params == {"cap_yen": 10_000, "left_yen": 0}
    await town.must_prove()


async def test_the_stock_is_exact_and_a_refused_buyer_keeps_the_cap(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine, stock_units=3)
    other = await town.resident()
    await town.buy(who, units=2)
    async with unchanged(engine):
        with pytest.raises(StockExhausted):
            await town.buy(other, units=2)
    last = await town.buy(other)
    assert await units_left(town, last) == 0
    with pytest.raises(StockExhausted):
        await town.buy(who)
    await town.must_prove()


@pytest.mark.parametrize(
    "instant",
    [datetime(2026, 3, 31, 23, 59, 59, tzinfo=TOKYO), datetime(2026, 6, 1, tzinfo=TOKYO)],
)
async def test_nothing_is_sold_outside_the_period_of_sale(engine: AsyncEngine, instant: datetime) -> None:
    town, who = await town_with_buyer(engine)
    town.go_to(instant)
    async with unchanged(engine):
        with pytest.raises(NotOnSale):
            await town.buy(who)


async def test_refused_before_anything_is_held(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    other = await town.resident()
    stopped = await town.resident()
    await town.do(set_wallet_status, SetWalletStatus(stopped.wallet.number, "suspended", "lost", OFFICER))
    refusals: list[tuple[Buy, type[Refusal]]] = [
        (Buy(who.wallet.id, who.account_id, CODE, 0), UnitsInvalid),
        (Buy(who.wallet.id, who.account_id, CODE, -1), UnitsInvalid),
        (Buy(who.wallet.id, who.account_id, CODE, 1_001), UnitsInvalid),
        (Buy(who.wallet.id, who.account_id, "moonlight", 1), ProgrammeUnknown),
        (Buy(who.wallet.id, other.account_id, CODE, 1), Missing),
        (Buy(UUID(int=1), who.account_id, CODE, 1), Missing),
        (Buy(stopped.wallet.id, stopped.account_id, CODE, 1), WalletSuspended),
    ]
    async with unchanged(engine):
        for command, refusal in refusals:
            with pytest.raises(refusal):
                await town.do(reserve, command)


def undoing(purchase: Purchase) -> Undo:
    return Undo(purchase.number, "wrong number of units", OFFICER)


async def test_an_unused_purchase_is_undone_whole_and_frees_cap_and_stock(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await town.buy(who, units=3)
    undone = await town.do(undo, undoing(purchase))
    assert undone.status is PurchaseStatus.UNDONE
    assert (undone.owed_yen, undone.received_yen) == (30_000, 30_000)
    assert await town.points(who) == 0
    assert await units_left(town, purchase) == 1_000
    for which in (Account.CASH_RECEIVABLE, Account.FUNDER_RECEIVABLE, Account.WALLET_PAID, Account.WALLET_PREMIUM):
        assert await account(town, which) == 0
    async with unchanged(engine):
        with pytest.raises(PurchaseNotUndoable):
            await town.do(undo, undoing(purchase))
        await town.do(hear, CheckoutWord(f"checkout-{purchase.id}", True, purchase.price_yen))
    await town.buy(who, units=3)
    await town.must_prove()


async def test_a_purchase_of_which_a_point_was_spent_is_not_undone_until_it_came_back(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    shop = await town.shop()
    purchase = await town.buy(who)
    receipt = await town.pay(who, shop, 1)
    async with unchanged(engine):
        with pytest.raises(PurchaseNotUndoable):
            await town.do(undo, undoing(purchase))
    await town.cancel(shop, receipt)
    assert (await town.do(undo, undoing(purchase))).status is PurchaseStatus.UNDONE
    await town.must_prove()


async def test_a_purchase_that_is_open_expired_or_unknown_is_not_undone(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    open_one, bought = await reserved(town, who), await town.buy(who)
    with pytest.raises(PurchaseNotUndoable):
        await town.do(undo, undoing(open_one))
    with pytest.raises(Missing):
        await town.do(undo, Undo("B0000", "x", OFFICER))
    town.go_to(datetime(2026, 10, 1, tzinfo=TOKYO))
    for swept in (False, True):
        if swept:
            await town.expire()
        async with unchanged(engine):
            with pytest.raises(PurchaseNotUndoable):
                await town.do(undo, undoing(bought))
    await town.must_prove()


async def test_reading_a_purchase_needs_its_wallet(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    other, purchase = await town.resident(), await town.buy(who)

    async def mine(tx: Tx, whose: Resident) -> Purchase:
        return await purchase_of(tx, whose.wallet, purchase.id)

    assert (await town.do(mine, who)).id == purchase.id
    with pytest.raises(Missing):
        await town.do(mine, other)
    assert await town.do(lambda tx, _: purchases_of(tx, other.wallet), None) == []
