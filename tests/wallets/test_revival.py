"""Refunds to expired lots: usable for the programme's days, never beyond a six-month exemption.

The rule is a pure function first, then what it does to wallets.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.programme import ProgrammeClosed
from services.campaigns.terms import (
    ExpiredRefund,
    Issuer,
    IssuerKind,
    Period,
    Regime,
    Terms,
    check,
    six_months_after,
)
from services.kit.clock import TOKYO, civil_date, end_of, start_of
from services.payments.payment import RefundTooLate
from services.wallets.expire import expire_due
from services.wallets.lots import Lot, Origin
from services.wallets.revival import revived_until
from tests.town import Town, town_terms

LAST_DAY = date(2026, 9, 30)
EXPIRY = datetime(2026, 10, 1, tzinfo=TOKYO)
COMPANY = Issuer("星見まちづくり", IssuerKind.COMPANY, Regime.SIX_MONTHS_EXEMPT)
SHORT = Period(date(2026, 4, 1), date(2026, 9, 27))
"""180 days from the first instant of sale: the longest that the exemption allows."""


def exempt_terms(**changes: object) -> Terms:
    given: dict[str, object] = {"sale": Period(SHORT.first, date(2026, 5, 31)), "use": SHORT}
    terms = replace(town_terms(**given), issuer=COMPANY, **changes)  # type: ignore[arg-type]
    check(terms)
    return terms


def lot(terms: Terms, issued: datetime) -> Lot:
    return Lot(
        id=UUID(int=1),
        wallet_id=UUID(int=2),
        programme_id=UUID(int=3),
        programme_version=1,
        purse="common",
        store_classes=("large", "small"),
        origin=Origin.PURCHASE,
        origin_id=UUID(int=4),
        paid_issued_yen=10,
        premium_issued_yen=3,
        paid_yen=0,
        premium_yen=0,
        payment_limit_yen=100,
        day_limit_yen=100,
        issued_at=issued,
        usable_from=issued,
        first_expires_at=terms.expires_at,
        expires_at=terms.expires_at,
    )


REFUNDED = st.integers(0, 92 * 86_400).map(lambda second: EXPIRY + timedelta(seconds=second))


@given(REFUNDED, st.integers(1, 31))
def test_revived_points_live_through_the_last_of_their_civil_days(refunded: datetime, days: int) -> None:
    terms = replace(town_terms(), revive_days=days)
    until = revived_until(terms, lot(terms, refunded - timedelta(days=90)), refunded)
    assert until == end_of(civil_date(refunded) + timedelta(days=days))
    assert until > refunded


@given(REFUNDED)
def test_forfeited_points_do_not_live_again(refunded: datetime) -> None:
    for terms in (
        replace(town_terms(), expired_refund=ExpiredRefund.FORFEIT),
        replace(town_terms(), revive_days=0),
    ):
        assert revived_until(terms, lot(terms, refunded - timedelta(days=90)), refunded) is None


@given(REFUNDED, st.integers(0, 31), st.integers(0, 60))
def test_revival_never_reaches_beyond_the_six_month_exemption(refunded: datetime, days: int, bought: int) -> None:
    terms = exempt_terms(revive_days=days)
    held = lot(terms, start_of(SHORT.first) + timedelta(days=bought))
    until = revived_until(terms, held, refunded)
    if until is not None:
        assert refunded < until <= six_months_after(held.issued_at)
        assert until <= end_of(civil_date(refunded) + timedelta(days=days))
    else:
        assert days == 0 or refunded >= six_months_after(held.issued_at)


async def expired_and_refunded(town: Town, terms: Terms, *, hours: float) -> int:
    """Buy, spend all, let the rest of time pass, refund 500 so many hours after expiry: the points left."""
    await town.programme(terms)
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 13_000)
    town.go_to(terms.expires_at + timedelta(hours=hours))
    await town.expire()
    await town.refund(shop, receipt, 500)
    points = await town.points(who)
    swept = await town.do(expire_due, 10)
    assert swept.lots == 0, "what nothing revives has expired in the refund's own deed"
    await town.must_prove()
    return points


async def test_a_refund_to_an_expired_lot_is_usable_for_its_days_and_then_expires(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 12_000)
    town.go_to(EXPIRY + timedelta(hours=9))
    assert await town.points(who) == 0
    await town.refund(shop, receipt, 5_000)
    assert await town.points(who) == 5_000
    town.go_to(datetime(2026, 10, 8, 23, 59, 59, 999_999, tzinfo=TOKYO))
    await town.pay(who, shop, 1_000)
    await town.expire()
    assert await town.points(who) == 4_000
    town.go_to(datetime(2026, 10, 9, tzinfo=TOKYO))
    assert await town.points(who) == 0
    with pytest.raises(ProgrammeClosed):
        await town.pay(who, shop, 1)
    await town.expire()
    await town.must_prove()


async def test_what_a_lot_still_held_at_its_expiry_is_never_revived(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 3_000)
    town.go_to(EXPIRY)
    await town.refund(shop, receipt, 1_000)  # no sweep ran before: 10,000 lie there unswept
    assert await town.points(who) == 1_000
    await town.must_prove()


async def test_forfeited_refunds_expire_in_the_same_deed(engine: AsyncEngine) -> None:
    terms = replace(town_terms(), expired_refund=ExpiredRefund.FORFEIT)
    assert await expired_and_refunded(Town(engine), terms, hours=1) == 0


async def test_an_exempt_programme_revives_until_the_six_months_and_not_a_day_longer(engine: AsyncEngine) -> None:
    town, terms = Town(engine, at=datetime(2026, 4, 1, 9, tzinfo=TOKYO)), exempt_terms()
    await town.programme(terms)
    who, shop = await town.resident(), await town.shop()
    bought_at = town.clock.now()
    await town.buy(who)
    receipt = await town.pay(who, shop, 13_000)
    town.go_to(terms.expires_at + timedelta(hours=1))
    await town.refund(shop, receipt, 500)
    assert await town.points(who) == 500
    town.go_to(bought_at + timedelta(days=180, microseconds=-1))
    assert await town.points(who) == 500
    town.go_to(bought_at + timedelta(days=180))
    assert await town.points(who) == 0
    await town.refund(shop, receipt, 500)
    assert await town.points(who) == 0
    await town.must_prove()


async def test_a_refund_after_the_programmes_days_for_refunds_is_too_late(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 1_000)
    town.go_to(datetime(2026, 10, 15, tzinfo=TOKYO) - timedelta(microseconds=1))
    await town.refund(shop, receipt, 1)
    town.go_to(datetime(2026, 10, 15, tzinfo=TOKYO))
    with pytest.raises(RefundTooLate):
        await town.refund(shop, receipt, 1)
    await town.must_prove()
