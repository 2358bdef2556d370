"""Terms after the Hiratsuka model: 13,000 points for 10,000 yen, at most 30,000 yen a person.

What the first year's sources do not state is chosen and marked so in docs/sources.md: the
fee (5 % reported for later years, none for large stores), the limits, the closing calendar.
"""

from dataclasses import replace
from datetime import date

from services.campaigns.terms import (
    ClosingRhythm,
    ExpiredRefund,
    Issuer,
    IssuerKind,
    Notices,
    PayingAccount,
    Period,
    Purse,
    Regime,
    Settlement,
    Terms,
)
from services.kit.store_class import StoreClass

BOTH = (StoreClass.LARGE, StoreClass.SMALL)
COMMON_ONLY = (Purse("common", "共通ポイント", 10_000, 3_000, BOTH),)
SPLIT = (
    Purse("common", "共通ポイント", 6_000, 2_000, BOTH),
    Purse("small", "小規模店専用ポイント", 4_000, 1_000, (StoreClass.SMALL,)),
)
"""13,000 = 8,000 for all stores + 5,000 for small ones only."""

NOTICES = Notices(
    complaint_contact="星見市 商業観光課 0463-00-0000",
    where_usable="市内の加盟店(アプリの「お店」に一覧があります)",
    cautions="現金との引き換え、おつり、他の人への譲渡はできません。",
    balance_inquiry="アプリのホーム画面、または市の窓口で確かめられます。",
    terms_url="/terms",
    asset_protection="市が発行するため、資金決済法第4条により供託の対象外です。",
    unauthorised_use="不正に使われたときは、すぐに窓口へご連絡ください。残高を止めます。",
    forbidden_goods="たばこ、商品券、切手、税金・公共料金、不動産、自動車、換金性の高いもの、賭け事",
)

PAYING_ACCOUNT = PayingAccount(
    consignor_code="0123456789",
    consignor_kana="ホシミシ",
    bank_code="0138",
    bank_kana="ヨコハマ",
    branch_code="641",
    branch_kana="ヒラツカ",
    kind="1",
    number="1234567",
)


def terms(
    *,
    name: str = "星見スターライトポイント",
    sale: Period,
    use: Period,
    stock_units: int,
    purses: tuple[Purse, ...] = COMMON_ONLY,
    rhythm: ClosingRhythm = ClosingRhythm.TWICE_MONTHLY,
) -> Terms:
    """Hiratsuka's terms for a city's own programme."""
    return Terms(
        name=name,
        issuer=Issuer("星見市", IssuerKind.MUNICIPALITY, Regime.MUNICIPAL_EXEMPT, "T1234567890123"),
        unit_price_yen=10_000,
        purses=purses,
        cap_yen=30_000,
        stock_units=stock_units,
        grant_budget_points=50_000_000,
        sale=sale,
        use=use,
        payment_limit_yen=100_000,
        day_limit_yen=200_000,
        refund_days=14,
        expired_refund=ExpiredRefund.REVIVE,
        revive_days=7,
        settlement=Settlement(
            rhythm=rhythm,
            weekday=4,
            lag_business_days=5,
            fee_bp_large=0,
            fee_bp_small=500,
            fee_tax_bp=1_000,
            minimum_payout_yen=1_000,
        ),
        paying_account=PAYING_ACCOUNT,
        notices=NOTICES,
    )


def with_changes(given: Terms, **changes: object) -> Terms:
    """The same terms but for some fields."""
    return replace(given, **changes)  # type: ignore[arg-type]


YEAR_2020_SALE = Period(date(2020, 10, 1), date(2020, 12, 31))
YEAR_2020_USE = Period(date(2020, 10, 1), date(2021, 1, 31))
"""The first year's programme ran in the autumn and winter of 2020; its exact days are not in our sources."""
