"""The oracle's own words: programmes, lots, purchases, payments, statements, and Japan's days.

Nothing here comes from the product.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

JST = timedelta(hours=9)
DAY = timedelta(days=1)
HOLIDAYS = {date(2026, 4, 29), date(2026, 5, 3), date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 6)}
"""Of April and May 2026: the days that the laws' world lives in."""

RESERVED_FOR = timedelta(minutes=30)


def day_of(instant: datetime) -> date:
    return (instant + JST).date()


def midnight_after(day: date) -> datetime:
    return datetime.combine(day + DAY, time(0), UTC) - JST


def works(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


def business_days_after(day: date, count: int) -> date:
    while count:
        day += DAY
        count -= works(day)
    return day


@dataclass(frozen=True, eq=False)
class Programme:
    """Terms: yen and points, first and last days; `closes_on` a weekday, or None for every day."""

    code: str
    unit_yen: int
    purses: tuple[tuple[str, int, int, frozenset[str]], ...]
    cap_yen: int
    stock: int
    grant_budget: int
    first: date
    last_sale: date
    last_use: date
    payment_limit: int
    day_limit: int
    refund_days: int
    revive_days: int
    closes_on: int | None
    lag: int
    fee_bp: dict[str, int]
    tax_bp: int
    minimum_payout: int

    @property
    def ends_at(self) -> datetime:
        return midnight_after(self.last_use)

    @property
    def refunds_end_at(self) -> datetime:
        return midnight_after(self.last_use + self.refund_days * DAY)

    def next_closing(self, after: date) -> date:
        day = after + DAY
        while self.closes_on is not None and day.weekday() != self.closes_on:
            day += DAY
        return day


@dataclass(eq=False)
class Lot:
    person: int
    programme: Programme
    purse: str
    classes: frozenset[str]
    paid_issued: int
    premium_issued: int
    bought: bool
    issued_at: datetime
    expires_at: datetime
    paid: int = 0
    premium: int = 0

    @property
    def left(self) -> int:
        return self.paid + self.premium

    @property
    def whole(self) -> bool:
        return (self.paid, self.premium) == (self.paid_issued, self.premium_issued)


@dataclass(eq=False)
class Purchase:
    person: int
    programme: Programme
    units: int
    until: datetime
    status: str = "reserved"
    received: int = 0
    lots: list[Lot] = field(default_factory=list)

    @property
    def price(self) -> int:
        return self.units * self.programme.unit_yen


@dataclass(eq=False)
class Take:
    """What a payment took from a lot and has not given back."""

    lot: Lot
    paid: int
    premium: int


@dataclass(eq=False)
class Payment:
    person: int
    store: int
    amount: int
    at: datetime
    takes: list[Take]

    @property
    def left(self) -> int:
        return sum(take.paid + take.premium for take in self.takes)


@dataclass(eq=False)
class Leg:
    programme: Programme
    store: int
    kind: str
    amount: int
    at: datetime
    told: bool = False


@dataclass(eq=False)
class Statement:
    """What a store was told: its figures in the order of the product's columns."""

    programme: Programme
    store: int
    figures: tuple[int, ...]
    payout: int
    carried: int
    owed_to_us: int
    transfer_on: date
    file: int | None = None


@dataclass(eq=False)
class File:
    statements: list[Statement]
    pays_on: date
    status: str = "proposed"
    withdrawal_asked_by: str = ""

    @property
    def total(self) -> int:
        return sum(each.payout for each in self.statements)


def share(amount: int, first: int, second: int) -> tuple[int, int]:
    """`amount` over two parts in proportion, the odd point from the second."""
    part = amount * first // (first + second)
    return part, amount - part


def towards_zero(amount: int, rate_bp: int) -> int:
    return (abs(amount) * rate_bp // 10_000) * (1 if amount >= 0 else -1)
