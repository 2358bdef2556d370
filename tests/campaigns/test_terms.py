"""Terms are data that is checked whole before it is published: every rule can refuse, none can crash."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.scenarios.hiratsuka import BOTH, SPLIT, YEAR_2020_SALE, YEAR_2020_USE
from infra.scenarios.hiratsuka import terms as hiratsuka
from services.campaigns import draft, publish, read, tables
from services.campaigns.programme import fingerprint
from services.campaigns.terms import (
    Issuer,
    IssuerKind,
    Notices,
    Period,
    Phase,
    Purse,
    PurseUnknown,
    Regime,
    Terms,
    TermsInvalid,
    check,
    phase,
    six_months_after,
)
from services.kit.clock import TOKYO, end_of, start_of
from services.kit.db import Tx
from services.kit.store_class import StoreClass
from tests.town import APPROVER, CODE, OFFICER, Town

TERMS = hiratsuka(sale=YEAR_2020_SALE, use=YEAR_2020_USE, stock_units=1_000, purses=SPLIT)


def paid_from(**changes: Any) -> dict[str, Any]:
    return {"paying_account": replace(TERMS.paying_account, **changes)}


WRONG: dict[str, list[dict[str, Any]]] = {
    "name_missing": [{"name": ""}, {"name": " \u3000"}],
    "issuer_missing": [{"issuer": replace(TERMS.issuer, name=" ")}],
    "regime_needs_municipality": [{"issuer": replace(TERMS.issuer, kind=IssuerKind.CHAMBER)}],
    "amounts_out_of_range": [
        {"unit_price_yen": 0},
        {"unit_price_yen": -10_000},
        {"cap_yen": 0},
        {"payment_limit_yen": 0},
        {"day_limit_yen": 10**10},
    ],
    "purses_missing": [
        {"purses": ()},
        {"purses": (replace(SPLIT[0], code=""),)},
        {"purses": (replace(SPLIT[0], name=""),)},
        {"purses": (Purse("x", "x", 10_001, -1, BOTH),)},
        {"purses": (Purse("x", "x", 0, 0, BOTH), *SPLIT)},
        {"purses": tuple(Purse(f"p{n}", "x", 1_000, 0, BOTH) for n in range(10))},
    ],
    "purse_codes_repeat": [{"purses": (SPLIT[0], SPLIT[0])}],
    "purse_without_stores": [{"purses": (SPLIT[0], replace(SPLIT[1], store_classes=()))}],
    "price_is_not_paid_points": [{"unit_price_yen": 9_000, "cap_yen": 27_000}, {"purses": SPLIT[:1]}],
    "cap_is_not_units": [{"cap_yen": 30_001}, {"cap_yen": 5_000}],
    "stock_missing": [{"stock_units": 0}, {"stock_units": -1}, {"stock_units": 10**9}],
    "grant_budget_out_of_range": [{"grant_budget_points": -1}, {"grant_budget_points": 10**13}],
    "years_out_of_range": [
        {"use": Period(date(2020, 10, 1), date.max)},
        {"sale": Period(date.min, date(2020, 12, 31))},
        {"sale": Period(date(1999, 12, 31), date(2020, 12, 31))},
        {"use": Period(date(2020, 10, 1), date(2100, 1, 1))},
    ],
    "sale_period_reversed": [{"sale": Period(date(2020, 12, 31), date(2020, 10, 1))}],
    "use_period_reversed": [{"use": Period(date(2021, 1, 31), date(2020, 12, 31))}],
    "sale_outlasts_use": [{"sale": Period(date(2020, 10, 1), date(2021, 2, 1))}],
    "six_months_exceeded": [
        {
            "issuer": Issuer("x", IssuerKind.COMPANY, Regime.SIX_MONTHS_EXEMPT),
            "use": Period(date(2020, 10, 1), date(2021, 3, 30)),
        }
    ],
    "limits_reversed": [{"payment_limit_yen": 200_001}],
    "refund_days_out_of_range": [{"refund_days": -1}, {"refund_days": 367}],
    "revive_days_out_of_range": [{"revive_days": -1}, {"revive_days": 32}],
    "fees_out_of_range": [
        {"settlement": replace(TERMS.settlement, fee_bp_small=-1)},
        {"settlement": replace(TERMS.settlement, fee_bp_large=5_001)},
        {"settlement": replace(TERMS.settlement, fee_tax_bp=-1)},
    ],
    "closing_out_of_range": [
        {"settlement": replace(TERMS.settlement, weekday=7)},
        {"settlement": replace(TERMS.settlement, lag_business_days=61)},
    ],
    "minimum_payout_out_of_range": [{"settlement": replace(TERMS.settlement, minimum_payout_yen=-1)}],
    "paying_account_consignor_code": [
        paid_from(consignor_code=code)
        for code in ("", "123456789", "01234567890", "012345678A", "０１２３４５６７８９", "-123456789")
    ],
    "paying_account_consignor_name": [
        paid_from(consignor_kana=name) for name in ("", " \u3000", "星見市", "ホシミ・シ", "ガ" * 20 + "ア", "ア" * 201)
    ],
    "paying_account_bank_unknown": [paid_from(bank_code=code) for code in ("", "138", "9998", "０１３８", "abcd")],
    "paying_account_branch_unknown": [paid_from(branch_code=code) for code in ("", "41", "999", "６４１")],
    "paying_account_bank_name": [paid_from(bank_kana=name) for name in ("横浜", "(ヨコハマ)", "ヨ" * 16, "ガ" * 8)],
    "paying_account_branch_name": [paid_from(branch_kana=name) for name in ("平塚", "ヒラツカ.", "ヒ" * 16)],
    "paying_account_kind": [paid_from(kind=kind) for kind in ("", "4", "0", 1)],
    "paying_account_number": [
        paid_from(number=number) for number in ("", "234567", "12345678", "-234567", "１２３４５６７", "123456a")
    ],
    "notices_missing": [{"notices": replace(TERMS.notices, **{each.name: ""})} for each in fields(Notices)],
}


def test_hiratsukas_terms_may_be_published() -> None:
    check(TERMS)
    assert (TERMS.unit_price_yen, TERMS.unit_points, TERMS.premium_points, TERMS.cap_yen) == (
        10_000,
        13_000,
        3_000,
        30_000,
    )
    assert [purse.points for purse in TERMS.purses] == [8_000, 5_000]


@pytest.mark.parametrize(("rule", "changes"), [(rule, each) for rule, many in WRONG.items() for each in many])
def test_each_rule_refuses_what_it_speaks_of_by_its_name(rule: str, changes: dict[str, Any]) -> None:
    with pytest.raises(TermsInvalid) as caught:
        check(replace(TERMS, **changes))
    assert caught.value.params == {"rule": rule}


@pytest.mark.parametrize(
    "changes",
    [
        {"refund_days": 0, "revive_days": 0},
        {"refund_days": 366, "revive_days": 31},
        {"cap_yen": 10_000},
        {"payment_limit_yen": 200_000},
        {"grant_budget_points": 0},
        {"settlement": replace(TERMS.settlement, minimum_payout_yen=0, fee_bp_large=5_000)},
        {
            "issuer": Issuer("x", IssuerKind.COMPANY, Regime.SIX_MONTHS_EXEMPT),
            "use": Period(date(2020, 10, 1), date(2021, 3, 29)),
        },
        {"issuer": Issuer("x", IssuerKind.CHAMBER, Regime.REGULATED)},
        paid_from(consignor_kana="ガ" * 20, bank_kana="", branch_kana="ヒ" * 15, kind="9", number="0000000"),
        paid_from(consignor_kana="ﾎｼﾐｼ(ｽﾀ-ﾗｲﾄ)", bank_code="9900", branch_code="408", number="0234567"),
    ],
)
def test_what_lies_on_the_edge_is_allowed(changes: dict[str, Any]) -> None:
    check(replace(TERMS, **changes))


NUMBERS = st.sampled_from([-(10**13), -1, 0, 1, 31, 32, 366, 367, 5_000, 10_000, 30_000, 10**10, 10**13])
DATES = st.sampled_from([date.min, date(2020, 10, 1), date(2020, 12, 31), date(2021, 1, 31), date.max])
WILD = st.fixed_dictionaries(
    {},
    optional={
        "unit_price_yen": NUMBERS,
        "cap_yen": NUMBERS,
        "stock_units": NUMBERS,
        "payment_limit_yen": NUMBERS,
        "day_limit_yen": NUMBERS,
        "refund_days": NUMBERS,
        "revive_days": NUMBERS,
        "sale": st.builds(Period, DATES, DATES),
        "use": st.builds(Period, DATES, DATES),
        "purses": st.lists(st.sampled_from(SPLIT), max_size=3).map(tuple),
        "issuer": st.builds(Issuer, st.just("x"), st.sampled_from(IssuerKind), st.sampled_from(Regime)),
    },
)


@given(WILD)
def test_wild_terms_are_refused_never_a_crash_and_what_passes_has_all_its_instants(changes: dict[str, Any]) -> None:
    terms = replace(TERMS, **changes)
    try:
        check(terms)
    except TermsInvalid:
        return
    assert terms.expires_at <= terms.refunds_until
    assert sum(purse.paid_points for purse in terms.purses) == terms.unit_price_yen
    assert phase(terms, published=True, now=datetime(2020, 11, 1, tzinfo=UTC)) in set(Phase)


def test_the_phases_follow_one_another_at_midnight_in_japan() -> None:
    terms = replace(
        TERMS,
        sale=Period(date(2020, 10, 1), date(2020, 12, 31)),
        use=Period(date(2020, 11, 1), date(2021, 1, 31)),
    )
    tick = timedelta(microseconds=1)
    edges = [
        (datetime(2020, 10, 1, tzinfo=TOKYO), Phase.PUBLISHED, Phase.SELLING),
        (datetime(2020, 11, 1, tzinfo=TOKYO), Phase.SELLING, Phase.IN_USE),
        (datetime(2021, 2, 1, tzinfo=TOKYO), Phase.IN_USE, Phase.CLOSED),
    ]
    for instant, before, since in edges:
        assert phase(terms, published=True, now=instant - tick) is before
        assert phase(terms, published=True, now=instant) is since
        assert phase(terms, published=False, now=instant) is Phase.DRAFT


def test_a_period_holds_its_first_instant_and_not_the_midnight_after_its_last_day() -> None:
    period = Period(date(2020, 10, 1), date(2020, 10, 1))
    assert period.holds(start_of(date(2020, 10, 1)))
    assert period.holds(end_of(date(2020, 10, 1)) - timedelta(microseconds=1))
    assert not period.holds(end_of(date(2020, 10, 1)))
    assert not period.holds(start_of(date(2020, 10, 1)) - timedelta(microseconds=1))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_six_months_are_never_longer_than_six_calendar_months(issued: datetime) -> None:
    year, month = issued.year + (issued.month > 6), (issued.month + 5) % 12 + 1
    day = min(issued.day, monthrange(year, month)[1])
    assert six_months_after(issued) <= issued.replace(year=year, month=month, day=day)


def _longer(text: str) -> str:
    return text + "."


CHANGES: list[Callable[[Terms], Terms]] = [
    lambda terms: replace(terms, name=_longer(terms.name)),
    lambda terms: replace(terms, cap_yen=terms.cap_yen + 10_000),
    lambda terms: replace(terms, purses=tuple(reversed(terms.purses))),
    lambda terms: replace(
        terms, purses=(replace(terms.purses[0], store_classes=(StoreClass.SMALL,)), *terms.purses[1:])
    ),
    lambda terms: replace(terms, settlement=replace(terms.settlement, fee_bp_small=501)),
    lambda terms: replace(terms, notices=replace(terms.notices, cautions=_longer(terms.notices.cautions))),
    lambda terms: replace(terms, paying_account=replace(terms.paying_account, number="7654321")),
    lambda terms: replace(terms, use=Period(terms.use.first, terms.use.last + timedelta(days=1))),
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_content_changes_the_fingerprint(change: Callable[[Terms], Terms]) -> None:
    assert fingerprint(change(TERMS)) != fingerprint(TERMS)


def test_terms_survive_being_stored_with_the_same_fingerprint() -> None:
    stored = msgspec.convert(msgspec.json.decode(msgspec.json.encode(TERMS)), Terms)
    assert stored == TERMS
    assert fingerprint(stored) == fingerprint(TERMS)


def test_a_purse_that_is_not_there_is_refused() -> None:
    assert TERMS.purse("small") == SPLIT[1]
    with pytest.raises(PurseUnknown):
        TERMS.purse("gold")


async def test_terms_that_no_bank_could_pay_from_are_neither_proposed_nor_approved(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(engine)
    wrong = replace(TERMS, **paid_from(number="234567"))
    with pytest.raises(TermsInvalid) as refused:
        await town.do(draft.create, draft.Propose(CODE, wrong, "an account", OFFICER))
    assert refused.value.params == {"rule": "paying_account_number"}
    with monkeypatch.context() as before_the_rule:
        before_the_rule.setattr(draft, "check", lambda _: None)
        old = await town.do(draft.create, draft.Propose(CODE, wrong, "an account", OFFICER))
    with pytest.raises(TermsInvalid):
        await town.do(publish.approve, publish.Approve(CODE, 1, old.fingerprint, APPROVER))


async def test_who_looks_at_a_proposal_waits_for_nobody_and_holds_up_nobody(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()

    async def look(tx: Tx, _: None) -> int:
        await tx.connection.execute(text("SET LOCAL lock_timeout = '300ms'"))
        return (await read.newest_proposal(tx, CODE))[0].version

    async with town.database.begin() as busy:
        assert await tables.lock_programme(busy, CODE) is not None
        assert await town.do(look, None) == 1
