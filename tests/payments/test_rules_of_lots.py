"""A refund follows the rules of the very lots it returns to; a code tells a store nothing of its owner."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.draft import Propose, propose
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import ExpiredRefund, Issuer, IssuerKind, Period, Regime, TermsInvalid, six_months_after
from services.identity.people import AccountStatus
from services.identity.staff import SetAccountStatus, set_account_status
from services.kit.clock import TOKYO, civil_date, start_of
from services.kit.errors import Missing
from services.payments.order import PayByCode
from services.payments.pay import pay_by_code
from services.payments.payment import RefundTooLate
from services.wallets.grant import GrantTooEarly
from services.wallets.open import SetWalletStatus, set_wallet_status
from services.wallets.wallet import DeviceUnknown, WalletSuspended
from tests.town import APPROVER, CODE, OFFICER, Town, town_terms

AFTER_THE_END = datetime(2026, 10, 2, 9, tzinfo=TOKYO)


async def test_a_refund_revives_only_the_lots_whose_own_version_revives(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.correct(replace(town_terms(), expired_refund=ExpiredRefund.FORFEIT))
    await town.buy(who)
    receipt = await town.pay(who, shop, 26_000)
    town.go_to(AFTER_THE_END)
    await town.refund(shop, receipt, 26_000)
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_a_refund_is_too_late_only_for_the_programmes_that_it_returns_to(engine: AsyncEngine) -> None:
    town = Town(engine)
    early = town_terms(use=Period(date(2026, 4, 1), date(2026, 6, 30)))
    await town.programme(early, code="early")
    await town.programme(code="late")
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, code="early")
    await town.buy(who, code="late")
    receipt = await town.pay(who, shop, 15_000)
    town.go_to(datetime(2026, 8, 1, 9, tzinfo=TOKYO))
    await town.refund(shop, receipt, 2_000)
    with pytest.raises(RefundTooLate):
        await town.refund(shop, receipt, 1)
    assert await town.points(who) == 13_000
    await town.must_prove()


async def test_a_refusal_at_the_till_names_nobody(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop, other = await town.resident(), await town.shop(), await town.shop()
    await town.buy(who)
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "suspended", "lost", OFFICER))
    with pytest.raises(WalletSuspended) as caught:
        await town.pay(who, shop, 10)
    assert caught.value.params == {}
    with pytest.raises(Missing):
        await town.do(pay_by_code, PayByCode(shop.clerk_id, other.id, town.code_of(who), 10))
    await town.must_prove()


async def test_a_closed_account_no_longer_pays_by_code(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.do(set_account_status, SetAccountStatus(OFFICER, who.account_id, AccountStatus.DISABLED, "fraud"))
    with pytest.raises(DeviceUnknown):
        await town.pay(who, shop, 10)
    await town.must_prove()


async def test_a_grant_before_the_sale_never_outlives_its_own_six_months(engine: AsyncEngine) -> None:
    town = Town(engine)
    exempt = Issuer("星見まちづくり", IssuerKind.COMPANY, Regime.SIX_MONTHS_EXEMPT)
    sale, use = Period(date(2026, 9, 1), date(2026, 10, 31)), Period(date(2026, 4, 1), date(2027, 2, 20))
    await town.programme(replace(town_terms(sale=sale, use=use), issuer=exempt))
    who = await town.resident()
    await town.grant(who, 500)
    [purse] = (await town.balance(who)).purses
    bound = start_of(civil_date(six_months_after(town.clock.now())))
    assert purse.expires_on == civil_date(bound - timedelta(microseconds=1)) == date(2026, 10, 2)
    await town.must_prove()


async def test_points_that_would_expire_before_they_can_be_used_are_not_granted(engine: AsyncEngine) -> None:
    town = Town(engine)
    exempt = Issuer("星見まちづくり", IssuerKind.COMPANY, Regime.SIX_MONTHS_EXEMPT)
    autumn = Period(date(2026, 10, 3), date(2026, 12, 31))
    await town.programme(replace(town_terms(sale=autumn, use=autumn), issuer=exempt))
    who = await town.resident()
    with pytest.raises(GrantTooEarly) as caught:  # 180 days from 6 April end on 3 October
        await town.grant(who, 500)
    assert caught.value.params == {"programme": CODE, "use_first": "2026-10-03"}
    town.go_to(datetime(2026, 4, 7, tzinfo=TOKYO))
    await town.grant(who, 500)
    [purse] = (await town.balance(who)).purses
    assert (civil_date(purse.usable_from), purse.expires_on) == (date(2026, 10, 3), date(2026, 10, 3))
    await town.must_prove()


async def test_fees_are_fixed_from_the_first_day_of_use(engine: AsyncEngine) -> None:
    town = Town(engine, at=datetime(2026, 3, 30, 12, tzinfo=TOKYO))
    programme_id = await town.programme()
    assert isinstance(programme_id, UUID)
    dearer = replace(town_terms(), settlement=replace(town_terms().settlement, fee_bp_small=600))
    await town.correct(dearer)
    town.go_to(datetime(2026, 4, 1, tzinfo=TOKYO))
    proposed = await town.do(propose, Propose(CODE, town_terms(), "cheaper again", OFFICER))
    with pytest.raises(TermsInvalid) as caught:
        await town.do(approve, Approve(CODE, proposed.version, proposed.fingerprint, APPROVER))
    assert caught.value.params == {"rule": "fees_fixed_in_use"}
