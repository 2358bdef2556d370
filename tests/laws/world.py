"""The laws' world: two short programmes, three people, three stores, and the ways in which time goes by.

The product's terms are made from the oracle's facts, never the other way round.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from infra.scenarios.hiratsuka import COMMON_ONLY, SPLIT
from services.campaigns.terms import ClosingRhythm, ExpiredRefund, Period, Settlement, Terms
from tests.laws import records
from tests.laws.records import day_of
from tests.town import town_terms

BOTH, SMALL = frozenset({"large", "small"}), frozenset({"small"})
START = datetime(2026, 4, 6, 3, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PEOPLE = 3
STORES = [("small", 0), ("large", 1), ("small", 1)]
"""Class and merchant of each store: two of them share a merchant, so a bank account."""

SHORT = records.Programme(
    code="starlight",
    unit_yen=10_000,
    purses=(("common", 6_000, 2_000, BOTH), ("small", 4_000, 1_000, SMALL)),
    cap_yen=30_000,
    stock=5,
    grant_budget=2_500,
    first=START.date(),
    last_sale=datetime(2026, 4, 12, tzinfo=UTC).date(),
    last_use=datetime(2026, 4, 15, tzinfo=UTC).date(),
    payment_limit=6_000,
    day_limit=9_000,
    refund_days=4,
    revive_days=3,
    closes_on=4,
    lag=2,
    fee_bp={"large": 0, "small": 500},
    tax_bp=1_000,
    minimum_payout=1_000,
)
LONG = records.Programme(
    code="moonlight",
    unit_yen=10_000,
    purses=(("common", 10_000, 3_000, BOTH),),
    cap_yen=20_000,
    stock=1_000,
    grant_budget=0,
    first=START.date(),
    last_sale=datetime(2026, 4, 20, tzinfo=UTC).date(),
    last_use=datetime(2026, 4, 20, tzinfo=UTC).date(),
    payment_limit=50_000,
    day_limit=50_000,
    refund_days=3,
    revive_days=0,
    closes_on=None,
    lag=1,
    fee_bp={"large": 333, "small": 77},
    tax_bp=800,
    minimum_payout=1,
)
PROGRAMMES = [SHORT, LONG]


def terms_of(programme: records.Programme) -> Terms:
    """The product's terms for the oracle's facts."""
    return replace(
        town_terms(purses=SPLIT if len(programme.purses) == 2 else COMMON_ONLY),
        cap_yen=programme.cap_yen,
        stock_units=programme.stock,
        grant_budget_points=programme.grant_budget,
        sale=Period(programme.first, programme.last_sale),
        use=Period(programme.first, programme.last_use),
        payment_limit_yen=programme.payment_limit,
        day_limit_yen=programme.day_limit,
        refund_days=programme.refund_days,
        expired_refund=ExpiredRefund.REVIVE if programme.revive_days else ExpiredRefund.FORFEIT,
        revive_days=programme.revive_days,
        settlement=Settlement(
            rhythm=ClosingRhythm.DAILY if programme.closes_on is None else ClosingRhythm.WEEKLY,
            weekday=programme.closes_on or 0,
            lag_business_days=programme.lag,
            fee_bp_large=programme.fee_bp["large"],
            fee_bp_small=programme.fee_bp["small"],
            fee_tax_bp=programme.tax_bp,
            minimum_payout_yen=programme.minimum_payout,
        ),
    )


JUMPS: dict[str, Callable[[datetime], datetime]] = {
    "a second": lambda now: now + timedelta(seconds=1),
    "half an hour": lambda now: now + timedelta(minutes=31),
    "some hours": lambda now: now + timedelta(hours=5),
    "the last instant of the day": lambda now: records.midnight_after(day_of(now)) - TICK,
    "midnight": lambda now: records.midnight_after(day_of(now)),
    "a day": lambda now: now + timedelta(days=1),
    "three days": lambda now: now + timedelta(days=3),
    "the last instant of the short programme": lambda _: SHORT.ends_at - TICK,
    "the end of the short programme": lambda _: SHORT.ends_at,
    "the end of the long programme": lambda _: LONG.ends_at,
}
SOON = ("a second", "half an hour", "some hours", "the last instant of the day", "midnight")
WAYS = ("pay code", "store code", "register")
PERSON = st.integers(0, PEOPLE - 1)
STORE = st.integers(0, len(STORES) - 1)
CODE = st.sampled_from([each.code for each in PROGRAMMES])
ANY = st.integers(0, 10_000)
"""Which of the things that are there; taken modulo their number."""

FAIR = st.sampled_from([True, True, False])
"""Mostly the right officer."""

YEN = st.one_of(
    st.integers(1, 7_000),
    st.integers(1, 3_000),
    st.sampled_from(["everything", "a yen more", "the limit", "above the limit"]),
)

BACK = st.one_of(st.integers(1, 60), st.sampled_from(["half", "half", "all", "all", "too much", "cancel"]))
