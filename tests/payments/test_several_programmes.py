"""Whoever holds points of several programmes pays by the short cut, as long as one payment is of one of them."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.terms import Period, Terms
from services.kit.deeds import Deed, fingerprint
from services.payments.desk import PaymentDesk
from services.payments.order import PayStore
from services.payments.payment import Receipt
from services.wallets.spend import PaymentLimitReached
from tests.town import Resident, Shop, Town, town_terms

APRIL, MAY = (Period(date(2026, 4, 1), date(2026, month, last)) for month, last in ((4, 30), (5, 31)))


def limited(use: Period, yen: int) -> Terms:
    """Terms of points that are used in `use`, at most so many yen by one payment."""
    sale = Period(use.first, min(use.last, date(2026, 4, 15)))
    return replace(town_terms(sale=sale, use=use), payment_limit_yen=yen, day_limit_yen=10 * yen)


async def pay(town: Town, who: Resident, shop: Shop, yen: int) -> tuple[bool, Receipt]:
    """Whether the short cut paid it, and the receipt."""
    order = PayStore(who.account_id, who.wallet.id, shop.code, yen)
    done = await PaymentDesk(town.database).begin(Deed(who.account_id, uuid4(), fingerprint("pay", order)), order)
    if isinstance(done.result, msgspec.Raw):
        return True, msgspec.json.decode(done.result, type=Receipt)
    assert isinstance(done.result, Receipt)
    return False, done.result


async def holder(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    """Somebody with 1,000 points until the end of April and 2,000 until the end of May, of two programmes."""
    town = Town(engine)
    await town.programme(limited(APRIL, 700), code="april")
    await town.programme(limited(MAY, 500), code="may")
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, 1_000, code="april")
    await town.grant(who, 2_000, code="may")
    return town, who, shop


async def test_the_points_that_expire_first_pay_under_their_own_limits(engine: AsyncEngine) -> None:
    town, who, shop = await holder(engine)
    at_speed, receipt = await pay(town, who, shop, 700)  # above the other programme's limit
    assert at_speed
    assert receipt.balance_after_yen == 2_300
    assert [part.yen for part in receipt.parts] == [700]
    await town.must_prove()


async def test_a_payment_of_two_programmes_is_the_plain_paths(engine: AsyncEngine) -> None:
    town, who, shop = await holder(engine)
    await pay(town, who, shop, 600)
    at_speed, receipt = await pay(town, who, shop, 500)
    assert not at_speed
    assert [part.yen for part in receipt.parts] == [400, 100]
    at_speed, receipt = await pay(town, who, shop, 500)  # the first programme's points are used up
    assert at_speed
    assert len({part.programme_id for part in receipt.parts}) == 1
    assert receipt.balance_after_yen == 1_400
    await town.must_prove()


async def test_what_one_programme_may_not_pay_alone_is_the_plain_paths(engine: AsyncEngine) -> None:
    town, who, shop = await holder(engine)
    at_speed, receipt = await pay(town, who, shop, 800)  # one payment takes 700 of the first at most
    assert not at_speed
    assert [part.yen for part in receipt.parts] == [700, 100]
    await pay(town, who, shop, 300)  # nothing is left of the first
    with pytest.raises(PaymentLimitReached):
        await pay(town, who, shop, 501)
    await town.must_prove()


async def test_points_that_expired_are_no_hindrance(engine: AsyncEngine) -> None:
    town, who, shop = await holder(engine)
    town.clock.advance(timedelta(days=30))  # into May: those of April lie there until the job has dealt with them
    at_speed, receipt = await pay(town, who, shop, 500)
    assert at_speed
    assert receipt.balance_after_yen == 1_500
    await town.must_prove()


async def test_of_two_versions_the_newer_one_counts_which_is_the_plain_paths_to_say(engine: AsyncEngine) -> None:
    town, who, shop = await holder(engine)
    await town.correct(limited(APRIL, 900), code="april")
    await town.grant(who, 10, code="april")
    at_speed, receipt = await pay(town, who, shop, 600)  # both allow it; what a day may hold is the newer one's
    assert not at_speed
    assert receipt.amount_yen == 600
    await town.must_prove()


async def test_two_versions_of_another_programme_are_no_hindrance(engine: AsyncEngine) -> None:
    town, who, shop = await holder(engine)
    await town.correct(limited(MAY, 900), code="may")
    await town.grant(who, 10, code="may")
    assert (await pay(town, who, shop, 700))[0]
    await town.must_prove()


async def test_the_lots_of_two_programmes_take_turns_where_their_purses_do(engine: AsyncEngine) -> None:
    town = Town(engine)
    for code in ("starlight", "moonlight"):
        await town.programme(code=code)  # of one last day, each with a purse for small stores only
    who, shop = await town.resident(), await town.shop()
    for code in ("starlight", "moonlight"):
        await town.buy(who, code=code)
        town.wait(seconds=1)
    receipt = await town.pay(who, shop, 20_000)
    first, second = (receipt.parts[place].programme_id for place in (0, 1))
    assert [(part.programme_id, part.yen) for part in receipt.parts] == [
        *((first, 5_000), (second, 5_000)),
        *((first, 8_000), (second, 2_000)),
    ]
    await town.must_prove()
    await town.refund(shop, receipt, 11_000)  # the second's common purse, the first's, and a thousand of small ones
    assert await town.points(who) == 17_000
    await town.must_prove()
