"""What a channel says of a checkout, once, twice, late, wrongly or never, has one effect."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.terms import Period
from services.kit.clock import TOKYO
from services.kit.errors import Missing
from services.ledger.chart import Account
from services.wallets.buy import (
    AttachCheckout,
    Buy,
    CheckoutWord,
    attach_checkout,
    hear,
    lapse,
    late_money_returned,
    reserve,
)
from services.wallets.purchase import (
    Purchase,
    PurchaseStatus,
)
from tests.factories.rows import unchanged
from tests.town import NOON, Town
from tests.wallets.checkouts import SEEDS, account, reserved, town_with_buyer, units_left, word


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
