"""A programme's terms as JSON: one shape for what officers propose and for what is answered."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from infra.http.strict import (
    AmountYen,
    Body,
    Day,
    Name,
    ShortText,
    TrueOrFalse,
    WholeNumber,
)

Points = WholeNumber
BasisPoints = Annotated[int, Field(strict=True, ge=0, le=10_000, description="Hundredths of a percent.")]
Days = Annotated[int, Field(strict=True, ge=0, le=366)]
Paragraph = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2_000)]
"""Text for reading, line breaks allowed."""


class _Part(Body):
    model_config = ConfigDict(from_attributes=True)


class IssuerJson(_Part):
    """Who issues the points, and where the instrument stands under the Payment Services Act."""

    name: Name
    kind: Literal["municipality", "chamber", "company"]
    regime: Literal["municipal_exempt", "six_months_exempt", "regulated"]
    invoice_number: ShortText | None = None


class PurseJson(_Part):
    """One purse of a unit: what it holds, and which stores take it."""

    code: ShortText
    name: Name
    paid_points: Points
    premium_points: Points
    store_classes: Annotated[tuple[Literal["large", "small"], ...], Field(min_length=1, max_length=2)]


class PeriodJson(_Part):
    """Civil dates in Japan, both included."""

    first: Day
    last: Day


class SettlementJson(_Part):
    """When stores are closed, charged and paid; `weekday` (Monday 0) matters for the weekly rhythm."""

    rhythm: Literal["daily", "weekly", "twice_monthly", "monthly"]
    weekday: Annotated[int, Field(strict=True, ge=0, le=6)]
    lag_business_days: Annotated[int, Field(strict=True, ge=1, le=60)]
    fee_bp_large: BasisPoints
    fee_bp_small: BasisPoints
    fee_tax_bp: BasisPoints
    minimum_payout_yen: WholeNumber


class PayingAccountJson(_Part):
    """The bank account that pays the stores, as the bank file's header names it."""

    consignor_code: ShortText
    consignor_kana: Name
    bank_code: ShortText
    bank_kana: Name
    branch_code: ShortText
    branch_kana: Name
    kind: Literal["1", "2", "9"]
    number: ShortText


class NoticesJson(_Part):
    """What must be shown before a purchase."""

    complaint_contact: Paragraph
    where_usable: Paragraph
    cautions: Paragraph
    balance_inquiry: Paragraph
    terms_url: Paragraph
    asset_protection: Paragraph
    unauthorised_use: Paragraph
    forbidden_goods: Paragraph


class PublicTermsJson(_Part):
    """What everybody may read of a programme's terms."""

    name: Name
    issuer: IssuerJson
    unit_price_yen: AmountYen
    purses: Annotated[tuple[PurseJson, ...], Field(min_length=1, max_length=8)]
    cap_yen: AmountYen
    stock_units: WholeNumber
    sale: PeriodJson
    use: PeriodJson
    payment_limit_yen: AmountYen
    day_limit_yen: AmountYen
    refund_days: Days
    expired_refund: Literal["revive", "forfeit"]
    revive_days: Days
    notices: NoticesJson
    residents_only: TrueOrFalse = Field(default=False, description="Only who has proven to live in the city may buy.")


class TermsJson(PublicTermsJson):
    """A programme's whole terms, as officers propose and approve them."""

    grant_budget_points: WholeNumber
    settlement: SettlementJson
    paying_account: PayingAccountJson
