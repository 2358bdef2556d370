"""A programme's terms as data: what is sold, to whom, until when, where it is used, what it costs.

Terms are frozen when published; a correction is a new version, and a lot keeps the
version that it was sold under. Dates are civil dates in Japan, both ends included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from services.kit.banks import NUMBER_DIGITS, fits_field, is_bank, is_branch, is_number
from services.kit.clock import end_of, start_of
from services.kit.errors import Kind, Refusal
from services.kit.japan import InvalidInvoiceRegistration, invoice_registration
from services.kit.kana import FieldClass
from services.kit.money import MAX_AMOUNT_YEN
from services.kit.store_class import StoreClass

YEARS = range(2000, 2100)
"""Years in which a programme may be sold and used; beyond them a date is a slip of the hand."""


class TermsInvalid(Refusal):
    """A programme cannot be published with these terms: `rule` names what is missing or wrong."""

    code = "terms_invalid"


class PurseUnknown(Refusal):
    """The programme has no purse of that code."""

    code = "purse_unknown"
    kind = Kind.MISSING


class IssuerKind(StrEnum):
    MUNICIPALITY = "municipality"
    CHAMBER = "chamber"
    COMPANY = "company"


class Regime(StrEnum):
    """Where the instrument stands under the Payment Services Act (資金決済法)."""

    MUNICIPAL_EXEMPT = "municipal_exempt"
    """Article 4: issued by a municipality itself."""
    SIX_MONTHS_EXEMPT = "six_months_exempt"
    """Usable for less than six months from issue."""
    REGULATED = "regulated"
    """Chapter 2 applies: base dates, security deposit."""


class ExpiredRefund(StrEnum):
    """What happens to a refund whose lot has expired meanwhile."""

    REVIVE = "revive"
    """Usable again for `revive_days`, then expired again."""
    FORFEIT = "forfeit"
    """Expired again in the same deed."""


class ClosingRhythm(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    TWICE_MONTHLY = "twice_monthly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Issuer:
    """`invoice_number` (T and 13 digits) makes statements with a fee qualified invoices; None without one."""

    name: str
    kind: IssuerKind
    regime: Regime
    invoice_number: str | None = None


@dataclass(frozen=True)
class Purse:
    """One purse of a unit: its points, paid and premium, and the store classes that take it."""

    code: str
    name: str
    paid_points: int
    premium_points: int
    store_classes: tuple[StoreClass, ...]

    @property
    def points(self) -> int:
        return self.paid_points + self.premium_points


@dataclass(frozen=True)
class Period:
    """Civil dates in Japan, both included."""

    first: date
    last: date

    def holds(self, instant: datetime) -> bool:
        return start_of(self.first) <= instant < end_of(self.last)


@dataclass(frozen=True)
class Settlement:
    """When stores are closed, what they are charged, and when they are paid.

    `weekday` counts from Monday = 0 and matters for the weekly rhythm only. Fees are in
    basis points of net sales by store class; the tax is on the fee.
    """

    rhythm: ClosingRhythm
    weekday: int
    lag_business_days: int
    fee_bp_large: int
    fee_bp_small: int
    fee_tax_bp: int
    minimum_payout_yen: int

    def fee_bp(self, store_class: str) -> int:
        return self.fee_bp_large if store_class == StoreClass.LARGE else self.fee_bp_small


@dataclass(frozen=True)
class PayingAccount:
    """The bank account that pays the stores, as the bank file's header names it.

    Codes and numbers have their full width, zeros in front: one account has one spelling.
    """

    consignor_code: str
    consignor_kana: str
    bank_code: str
    bank_kana: str
    branch_code: str
    branch_kana: str
    kind: Literal["1", "2", "9"]
    number: str


@dataclass(frozen=True)
class Notices:
    """What must be shown before a purchase (DOMAIN.md section 3, rule 4); none may be empty."""

    complaint_contact: str
    where_usable: str
    cautions: str
    balance_inquiry: str
    terms_url: str
    asset_protection: str
    unauthorised_use: str
    forbidden_goods: str


@dataclass(frozen=True)
class Terms:
    name: str
    issuer: Issuer
    unit_price_yen: int
    purses: tuple[Purse, ...]
    cap_yen: int
    stock_units: int
    grant_budget_points: int
    sale: Period
    use: Period
    payment_limit_yen: int
    day_limit_yen: int
    refund_days: int
    expired_refund: ExpiredRefund
    revive_days: int
    settlement: Settlement
    paying_account: PayingAccount
    notices: Notices
    residents_only: bool = False
    """Only who has proven to live in the city may buy."""

    @property
    def unit_points(self) -> int:
        return sum(purse.points for purse in self.purses)

    @property
    def premium_points(self) -> int:
        return self.unit_points - self.unit_price_yen

    def purse(self, code: str) -> Purse:
        """The purse of that code; PurseUnknown if the programme has none such."""
        for purse in self.purses:
            if purse.code == code:
                return purse
        raise PurseUnknown(purse=code[:60])

    @property
    def expires_at(self) -> datetime:
        """The first instant at which points are no longer valid."""
        return end_of(self.use.last)

    @property
    def refunds_until(self) -> datetime:
        """The first instant at which nothing is refunded any more."""
        return end_of(self.use.last + timedelta(days=self.refund_days))


class Phase(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    SELLING = "selling"
    IN_USE = "in_use"
    CLOSED = "closed"


def phase(terms: Terms, published: bool, now: datetime) -> Phase:
    """Where a programme stands at an instant. Sale and use may overlap: use is named first."""
    if not published:
        return Phase.DRAFT
    if now >= terms.expires_at:
        return Phase.CLOSED
    if terms.use.holds(now):
        return Phase.IN_USE
    return Phase.SELLING if terms.sale.holds(now) else Phase.PUBLISHED


def six_months_after(instant: datetime) -> datetime:
    """The instant at which a six-month exemption ends for what was issued at `instant`.

    Counted as 180 days, never more than six calendar months (shortest: 181 days), so that
    the exemption is not overstayed by an hour whatever the months.
    """
    return instant + timedelta(days=180)


def check(terms: Terms) -> None:
    """Raise TermsInvalid, naming the first broken rule, unless the terms may be published."""
    for rule, holds in _rules(terms):
        if not holds:
            raise TermsInvalid(rule=rule)


def _rules(terms: Terms) -> Iterator[tuple[str, bool]]:
    """Every rule and whether it holds, in an order in which each may rely on those before it."""
    settlement = terms.settlement
    codes = [purse.code for purse in terms.purses]
    amounts = (terms.unit_price_yen, terms.cap_yen, terms.payment_limit_yen, terms.day_limit_yen)
    purses_hold = all(
        purse.code and purse.name and purse.paid_points >= 0 and purse.premium_points >= 0 and purse.points > 0
        for purse in terms.purses
    )
    exempt = terms.issuer.regime is Regime.SIX_MONTHS_EXEMPT
    municipal = terms.issuer.regime is Regime.MUNICIPAL_EXEMPT
    days = (terms.sale.first, terms.sale.last, terms.use.first, terms.use.last)
    rates = (settlement.fee_bp_large, settlement.fee_bp_small, settlement.fee_tax_bp)
    yield "name_missing", bool(terms.name.strip())
    yield "issuer_missing", bool(terms.issuer.name.strip())
    yield "invoice_number_wrong", _is_invoice_number(terms.issuer.invoice_number)
    yield "regime_needs_municipality", not municipal or terms.issuer.kind is IssuerKind.MUNICIPALITY
    yield "amounts_out_of_range", all(0 < amount <= MAX_AMOUNT_YEN for amount in amounts)
    yield "purses_missing", 1 <= len(codes) <= 8 and purses_hold
    yield "purse_codes_repeat", len(set(codes)) == len(codes)
    yield "purse_without_stores", all(purse.store_classes for purse in terms.purses)
    yield "price_is_not_paid_points", sum(p.paid_points for p in terms.purses) == terms.unit_price_yen
    yield "cap_is_not_units", terms.cap_yen % terms.unit_price_yen == 0
    yield "stock_missing", 0 < terms.stock_units <= 100_000_000
    yield "grant_budget_out_of_range", 0 <= terms.grant_budget_points <= 10**12
    yield "years_out_of_range", all(day.year in YEARS for day in days)
    yield "sale_period_reversed", terms.sale.first <= terms.sale.last
    yield "use_period_reversed", terms.use.first <= terms.use.last
    yield "sale_outlasts_use", terms.sale.last <= terms.use.last
    yield "six_months_exceeded", not exempt or terms.expires_at <= six_months_after(start_of(terms.sale.first))
    yield "limits_reversed", terms.payment_limit_yen <= terms.day_limit_yen
    yield "refund_days_out_of_range", 0 <= terms.refund_days <= 366
    yield "revive_days_out_of_range", 0 <= terms.revive_days <= 31
    yield "fees_out_of_range", all(0 <= rate <= 5_000 for rate in rates)
    yield "closing_out_of_range", 0 <= settlement.weekday <= 6 and 1 <= settlement.lag_business_days <= 60
    yield "minimum_payout_out_of_range", 0 <= settlement.minimum_payout_yen <= 1_000_000
    yield from _paying_account_rules(terms.paying_account)
    yield "notices_missing", all(str(text).strip() for text in vars(terms.notices).values())


def _paying_account_rules(account: PayingAccount) -> Iterator[tuple[str, bool]]:
    """What a bank would send back: a header's names with nothing cut off, its account in the list of banks."""
    consignor, bank, branch = account.consignor_kana, account.bank_kana, account.branch_kana
    named = bool(consignor.strip()) and fits_field(consignor, FieldClass.PARTY, 40)
    yield "paying_account_consignor_code", is_number(account.consignor_code, 10)
    yield "paying_account_consignor_name", named
    yield "paying_account_bank_unknown", is_bank(account.bank_code)
    yield "paying_account_branch_unknown", is_branch(account.bank_code, account.branch_code)
    yield "paying_account_bank_name", fits_field(bank, FieldClass.BANK, 15)
    yield "paying_account_branch_name", fits_field(branch, FieldClass.BANK, 15)
    yield "paying_account_kind", account.kind in {"1", "2", "9"}
    yield "paying_account_number", is_number(account.number, NUMBER_DIGITS)


def _is_invoice_number(number: str | None) -> bool:
    try:
        return number is None or invoice_registration(number) == number
    except InvalidInvoiceRegistration:
        return False
