"""Buying: cap and stock are held for a checkout, and whatever the channel says has one effect."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import read as campaigns
from services.campaigns.programme import NotOnSale, ProgrammeUnknown, StockExhausted
from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.db import Tx
from services.kit.errors import Missing, Refusal
from services.kit.numbers import parse_number
from services.ledger.chart import Account
from services.ledger.read import balance
from services.wallets.buy import (
    AttachCheckout,
    Buy,
    CheckoutWord,
    Undo,
    attach_checkout,
    hear,
    lapse,
    late_money_returned,
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
from tests.town import CODE, NOON, OFFICER, Resident, Town, town_terms

SEEDS = count()


async def reserved(town: Town, who: Resident, units: int = 1) -> Purchase:
    """A purchase whose resident has been sent to the checkout page."""
    purchase = await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, units))
    await town.do(attach_checkout, AttachCheckout(purchase.id, f"checkout-{purchase.id}"))
    return replace(purchase, checkout_id=f"checkout-{purchase.id}")


async def word(town: Town, purchase: Purchase, *, paid: bool, yen: int | None = None) -> Purchase:
    said = purchase.price_yen if yen is None else yen
    return await town.do(hear, CheckoutWord(purchase.checkout_id or "", paid, said))


async def units_left(town: Town, purchase: Purchase) -> int:
    return (await town.do(campaigns.stock, purchase.programme_id)).units_left


async def account(town: Town, which: Account) -> int:
    return await town.do(lambda tx, _: balance(tx, which), None)


async def town_with_buyer(engine: AsyncEngine, **changes: object) -> tuple[Town, Resident]:
    town = Town(engine, seed=next(SEEDS))
    await town.programme(replace(town_terms(), **changes))  # type: ignore[arg-type]
    return town, await town.resident()


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


async def test_the_channels_word_heard_twice_has_one_effect(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who)
    first = await word(town, purchase, paid=True)
    async with unchanged(engine):
        assert await word(town, purchase, paid=True) == first
        assert await word(town, purchase, paid=False) == first
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_a_declined_checkout_frees_cap_and_stock(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who, units=3)
    lapsed = await word(town, purchase, paid=False)
    assert lapsed.status is PurchaseStatus.LAPSED
    assert await units_left(town, purchase) == 1_000
    async with unchanged(engine):
        await word(town, purchase, paid=False)
    await town.buy(who, units=3)
    await town.must_prove()


async def test_a_reservation_lapses_only_when_its_time_is_over(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who)
    town.go_to(purchase.reserved_until - timedelta(microseconds=1))
    async with unchanged(engine):
        assert (await town.do(lapse, purchase.id)).status is PurchaseStatus.RESERVED
    town.go_to(purchase.reserved_until)
    assert (await town.do(lapse, purchase.id)).status is PurchaseStatus.LAPSED
    async with unchanged(engine):
        assert (await town.do(lapse, purchase.id)).status is PurchaseStatus.LAPSED
    assert await units_left(town, purchase) == 1_000
    await town.must_prove()


async def test_what_was_paid_in_time_never_lapses(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await town.buy(who)
    town.wait(hours=2)
    async with unchanged(engine):
        assert (await town.do(lapse, purchase.id)).status is PurchaseStatus.PAID


async def test_late_money_never_becomes_points_and_goes_back_once(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who)
    town.wait(minutes=31)
    await town.do(lapse, purchase.id)
    assert (await word(town, purchase, paid=True)).status is PurchaseStatus.LATE
    async with unchanged(engine):
        await word(town, purchase, paid=True)
    assert await town.points(who) == 0
    assert await account(town, Account.SUSPENSE) == -10_000
    assert await account(town, Account.CASH_RECEIVABLE) == 10_000
    await town.must_prove()
    assert (await town.do(late_money_returned, purchase.id)).status is PurchaseStatus.RETURNED
    async with unchanged(engine):
        await town.do(late_money_returned, purchase.id)
        await word(town, purchase, paid=True)
    assert await account(town, Account.SUSPENSE) == 0
    assert await account(town, Account.CASH_RECEIVABLE) == 0
    await town.must_prove()


async def test_money_that_comes_after_the_programmes_last_midnight_is_late(engine: AsyncEngine) -> None:
    last = date(2026, 4, 6)
    town, who = await town_with_buyer(engine, sale=Period(date(2026, 4, 1), last), use=Period(date(2026, 4, 1), last))
    town.go_to(datetime(2026, 4, 6, 23, 59, tzinfo=TOKYO))
    first, second = await reserved(town, who), await reserved(town, who)
    town.go_to(datetime(2026, 4, 6, 23, 59, 59, 999_999, tzinfo=TOKYO))
    assert (await word(town, first, paid=True)).status is PurchaseStatus.PAID
    town.go_to(datetime(2026, 4, 7, tzinfo=TOKYO))
    assert (await word(town, second, paid=True)).status is PurchaseStatus.LATE
    assert await units_left(town, second) == 999
    await town.must_prove()


@pytest.mark.parametrize("yen", [9_999, 10_001, 1])
async def test_money_of_another_amount_issues_nothing_and_goes_back_as_it_came(
    engine: AsyncEngine, yen: int, caplog: pytest.LogCaptureFixture
) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who)
    held = await word(town, purchase, paid=True, yen=yen)
    assert (held.status, held.received_yen, held.owed_yen) == (PurchaseStatus.LATE, yen, yen)
    assert await town.points(who) == 0
    assert await units_left(town, purchase) == 1_000
    assert (await account(town, Account.SUSPENSE), await account(town, Account.CASH_RECEIVABLE)) == (-yen, yen)
    assert f"took {yen} yen for purchase {purchase.number} of 10000 yen" in caplog.text
    async with town.database.begin() as tx:
        asked = "SELECT detail FROM audit_entry WHERE action = 'purchase.amount_wrong'"
        detail = (await tx.connection.exec_driver_sql(asked)).scalar_one()
    assert detail == {"expected_yen": 10_000, "received_yen": yen}
    await town.must_prove()
    async with unchanged(engine):
        await word(town, purchase, paid=True, yen=purchase.price_yen)
    returned = await town.do(late_money_returned, purchase.id)
    assert (returned.status, returned.money_returned_at, returned.owed_yen) == (PurchaseStatus.RETURNED, NOON, 0)
    assert await account(town, Account.SUSPENSE) == 0
    await town.buy(who, units=3)
    await town.must_prove()


async def test_a_paid_word_without_money_is_none(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    purchase = await reserved(town, who)
    assert (await word(town, purchase, paid=True, yen=0)).status is PurchaseStatus.LAPSED
    await town.must_prove()


async def test_a_reservation_ends_at_its_instant_whether_anybody_swept_it_or_not(engine: AsyncEngine) -> None:
    town, who = await town_with_buyer(engine)
    first, second = await reserved(town, who), await reserved(town, who)
    town.go_to(first.reserved_until - timedelta(microseconds=1))
    assert (await word(town, first, paid=True)).status is PurchaseStatus.PAID
    town.go_to(second.reserved_until)
    assert (await word(town, second, paid=True)).status is PurchaseStatus.LATE
    assert await town.points(who) == 13_000
    assert await units_left(town, second) == 999
    await town.must_prove()


async def test_a_session_that_nobody_began_is_unknown(engine: AsyncEngine) -> None:
    town, _ = await town_with_buyer(engine)
    for use_case, command in (
        (hear, CheckoutWord("checkout-?", True, 1)),
        (lapse, uuid4()),
        (late_money_returned, uuid4()),
    ):
        with pytest.raises(Missing):
            await town.do(use_case, command)  # type: ignore[arg-type]


Step = Callable[[Town, Purchase], Awaitable[object]]


async def _wait(town: Town, _: Purchase) -> None:
    town.wait(minutes=31)


STEPS: dict[str, Step] = {
    "paid": lambda town, purchase: word(town, purchase, paid=True),
    "declined": lambda town, purchase: word(town, purchase, paid=False),
    "sweep": lambda town, purchase: town.do(lapse, purchase.id),
    "send back": lambda town, purchase: town.do(late_money_returned, purchase.id),
    "wait": _wait,
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=8))
async def test_in_any_order_the_channels_words_end_in_points_or_in_money_given_back(
    engine: AsyncEngine, steps: list[str]
) -> None:
    number = next(SEEDS)
    town, code = Town(engine, seed=number), f"programme-{number}"
    town._residents = number  # examples share one database, and a phone is one person's
    await town.programme(code=code)
    who = await town.resident()
    purchase = await town.do(reserve, Buy(who.wallet.id, who.account_id, code, 1))
    purchase = replace(purchase, checkout_id=f"checkout-{purchase.id}")
    await town.do(attach_checkout, AttachCheckout(purchase.id, purchase.checkout_id or ""))
    for step in steps:
        await STEPS[step](town, purchase)
    told = [step for step in steps if step in {"paid", "declined"}]
    lapsed_first = _lapses_before_paid(steps)
    end = await word(town, purchase, paid=True) if "paid" in told else await town.do(lapse, purchase.id)
    if "paid" in told and not lapsed_first:
        assert (end.status, await town.points(who)) == (PurchaseStatus.PAID, 13_000)
    elif "paid" in told:
        returned = steps.count("send back") and "paid" in steps[: _last(steps, "send back")]
        assert end.status is (PurchaseStatus.RETURNED if returned else PurchaseStatus.LATE)
        assert await town.points(who) == 0
    else:
        assert end.status in {PurchaseStatus.RESERVED, PurchaseStatus.LAPSED}
        assert await town.points(who) == 0
    await town.must_prove()


def _last(steps: list[str], name: str) -> int:
    return len(steps) - 1 - steps[::-1].index(name)


def _lapses_before_paid(steps: list[str]) -> bool:
    """Whether the reservation ended, by a no or by its time, before the first yes."""
    waited = False
    for step in steps:
        if step == "paid":
            return waited
        waited = waited or step == "wait"
        if step == "declined" or (step == "sweep" and waited):
            return True
    return False


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
