"""The knobs of an invented city. Every default is a published figure or marked as chosen.

The recipe and the source of each figure: docs/algorithms/synthetic-city.md.
"""

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from analytics.synthetic.joining_plan import Joining
from services.kit.store_class import StoreClass

LARGE, SMALL = StoreClass.LARGE, StoreClass.SMALL
BOTH: Final = (LARGE, SMALL)


@dataclass(frozen=True)
class Trade:
    """Stores of one category and class: their share of the stores, of value, and what a basket costs.

    `share` is of the value spent where large stores may be paid, `share_small` where only small ones may.
    A basket is lognormal with this mean (yen) and the standard deviation `sigma` of its logarithm.
    """

    category: str
    store_class: StoreClass
    of_stores: float
    share: float
    share_small: float
    mean_yen: int
    sigma: float


TRADES: Final = (
    Trade("supermarket", LARGE, 0.03, 0.34, 0.0, 1_080, 0.75),
    Trade("supermarket", SMALL, 0.01, 0.03, 0.03, 1_000, 0.70),
    Trade("drugstore", LARGE, 0.02, 0.14, 0.0, 950, 0.70),
    Trade("household", LARGE, 0.01, 0.10, 0.0, 1_350, 0.80),
    Trade("household", SMALL, 0.05, 0.02, 0.04, 1_250, 0.80),
    Trade("clothing", LARGE, 0.01, 0.04, 0.0, 1_700, 0.70),
    Trade("clothing", SMALL, 0.05, 0.02, 0.04, 1_700, 0.70),
    Trade("convenience", SMALL, 0.08, 0.09, 0.11, 535, 0.55),
    Trade("food", SMALL, 0.14, 0.05, 0.16, 760, 0.60),
    Trade("restaurant", LARGE, 0.01, 0.01, 0.0, 1_050, 0.55),
    Trade("restaurant", SMALL, 0.30, 0.035, 0.40, 1_020, 0.55),
    Trade("medical", SMALL, 0.08, 0.03, 0.09, 1_350, 0.65),
    Trade("services", SMALL, 0.14, 0.03, 0.06, 1_600, 0.80),
    Trade("leisure", SMALL, 0.03, 0.015, 0.03, 1_400, 0.70),
    Trade("other", LARGE, 0.01, 0.03, 0.0, 1_200, 0.80),
    Trade("other", SMALL, 0.03, 0.02, 0.04, 1_050, 0.80),
)
"""Shares of supermarkets, restaurants, food, convenience and medical are published; the others fill up to one."""


@dataclass(frozen=True)
class District:
    """A part of the city: its share of the people and of the stores, and where its middle lies (km)."""

    name: str
    people: float
    stores: float
    x_km: float
    y_km: float


DISTRICTS: Final = (
    District("Ekimae", 0.18, 0.34, 0.0, 0.0),
    District("Minato", 0.16, 0.16, 0.4, -2.2),
    District("Asahi", 0.22, 0.18, -2.6, 0.6),
    District("Kaneda", 0.14, 0.10, -1.8, 4.4),
    District("Oshima", 0.16, 0.14, 1.6, 3.2),
    District("Tsuchiya", 0.14, 0.08, -6.0, 4.0),
)


@dataclass(frozen=True)
class AgeBand:
    """An age band of the frames: its share of the people, and how many of them take part."""

    name: str
    people: float
    adoption: float


AGES: Final = (
    AgeBand("18-29", 0.14, 0.42),
    AgeBand("30-39", 0.13, 0.55),
    AgeBand("40-49", 0.17, 0.56),
    AgeBand("50-59", 0.18, 0.50),
    AgeBand("60-69", 0.15, 0.40),
    AgeBand("70-79", 0.15, 0.28),
    AgeBand("80+", 0.08, 0.12),
)


@dataclass(frozen=True)
class Purse:
    """One purse of a unit: its bought and given points, which stores take it, and what people call it."""

    code: str
    paid_points: int
    premium_points: int
    store_classes: tuple[StoreClass, ...] = BOTH
    title: str = ""


COMMON_ONLY: Final = (Purse("common", 10_000, 3_000, title="共通ポイント"),)
SMALL_ONLY: Final = (Purse("small", 10_000, 3_000, (SMALL,), "小規模店専用ポイント"),)
SPLIT: Final = (
    Purse("small", 4_000, 1_000, (SMALL,), "小規模店専用ポイント"),
    Purse("common", 6_000, 2_000, title="共通ポイント"),
)
"""13,000 = 8,000 for all stores + 5,000 for small ones only."""


@dataclass(frozen=True)
class Misdeeds:
    """How many of each kind are planted; a ring has `ring_size` members and one store."""

    rings: int = 1
    ring_size: int = 6
    refund_loops: int = 2
    households: int = 1
    splits: int = 2
    nights: int = 2
    velocities: int = 2

    def times(self, factor: int) -> "Misdeeds":
        """As many of each in each of `factor` cities."""
        counts = ("rings", "refund_loops", "households", "splits", "nights", "velocities")
        return replace(self, **{name: getattr(self, name) * factor for name in counts})


NO_MISDEEDS: Final = Misdeeds(0, 6, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Effect:
    """What the premium does to what its holders spend in the city, week by week, and how that is seen.

    A unit's premium of `p` yen adds `propensity * p` yen while it is spent, as its points are spent;
    `brought_forward` of that is missing in the `after_weeks` after the end. The propensity differs between
    people (`spread` of it, and with age). Weekly spending has the mean `base_yen` with `base_sigma` between
    people, and a noise whose relative size lies, person by person, between the two of `noise`.
    """

    propensity: float = 0.2
    spread: float = 0.5
    brought_forward: float = 0.3
    base_yen: int = 18_000
    base_sigma: float = 0.5
    noise: tuple[float, float] = (0.2, 0.5)
    before_weeks: int = 8
    after_weeks: int = 17
    answered: float = 0.95
    panel: float = 1.0
    """Share of the applicants who are asked at all."""


@dataclass(frozen=True)
class CityPlan:
    """One invented city with one programme. Shares lie between 0 and 1, money is yen."""

    residents: int = 400
    stores: int = 60
    programme: str = "starlight"
    title: str = "架空の星あかり商品券"
    purses: tuple[Purse, ...] = SPLIT
    trades: tuple[Trade, ...] = TRADES
    districts: tuple[District, ...] = DISTRICTS
    ages: tuple[AgeBand, ...] = AGES
    sale_from: date = date(2025, 10, 1)
    use_from: date = date(2025, 10, 1)
    use_to: date = date(2026, 2, 17)
    lottery: bool = True
    """Application and draw; otherwise first come, first served."""
    wants: float = 0.96
    """Share of the residents who want points at all."""
    demand: float = 1.25
    """Units wanted for each one there is."""
    unit_shares: tuple[float, ...] = (0.05, 0.05, 0.90)
    """How many want one unit, two, three; the last is the cap."""
    take_up: float = 0.97
    """Share of winners who buy what they won."""
    granted: float = 0.05
    grant_points: int = 1_000
    grant_after_days: int = 4
    activity_shape: float = 0.8
    least_activity: float = 0.08
    most_activity: float = 6.0
    zipf: float = 1.1
    own_district: float = 2.0
    """How much more often people go to a store of their own district than distance alone says."""
    distance_km: float = 2.5
    """Over so many kilometres a store loses all but 1/e of its visits."""
    tempo: float = 0.55
    """How alike the days of one person are: some are quick with everything, some slow."""
    next_stop: float = 0.37
    """How often a visit is followed by another one on the same way."""
    companions: int = 3
    companion_chance: float = 0.35
    """Pairs of stores of which the second is the next stop so often after the first."""
    holds_back: float = 0.12
    lapses: float = 0.002
    """Share of people who do not spend everything, and the share of all points that lapses."""
    cancelled: float = 0.008
    refunded: float = 0.007
    coupons: int = 4
    coupon_shown: tuple[float, float] = (0.35, 0.12)
    """Share of people who are shown a coupon, in the store's own district and elsewhere."""
    coupon_pull: float = 0.06
    """Chance that a visit to a small store goes to the coupon's store instead, while it holds."""
    coupon_used: float = 0.6
    """How often somebody who comes anyway uses it."""
    coupon_days: int = 14
    sold_on: int = 1
    """Stores that change hands in the middle of the period of use."""
    misdeeds: Misdeeds = Misdeeds()
    effect: Effect = Effect()
    joining: Joining | None = None
    """None: every store takes part from the beginning, and none tells what it sells."""

    def __post_init__(self) -> None:
        """Raises ValueError for a plan that no city can have."""
        if self.residents < 0 or self.stores < len(self.trades):
            raise ValueError(f"a city has residents, and at least {len(self.trades)} stores")
        if not self.sale_from <= self.use_from <= self.use_to:
            raise ValueError("points are sold before they are used")
        if not self.purses or any(SMALL not in purse.store_classes for purse in self.purses):
            raise ValueError("there is a purse, and small stores take every one")

    @property
    def unit_points(self) -> int:
        return sum(purse.paid_points + purse.premium_points for purse in self.purses)

    @property
    def unit_price_yen(self) -> int:
        return sum(purse.paid_points for purse in self.purses)

    @property
    def unit_premium_yen(self) -> int:
        return sum(purse.premium_points for purse in self.purses)

    @property
    def cap_units(self) -> int:
        return len(self.unit_shares)

    @property
    def mean_units(self) -> float:
        return sum(units * share for units, share in enumerate(self.unit_shares, start=1))

    @property
    def stock_units(self) -> int:
        """Units for sale: the wanted ones over the demand."""
        return round(self.residents * self.wants * self.mean_units / self.demand)

    @property
    def use_days(self) -> int:
        return (self.use_to - self.use_from).days + 1

    @property
    def drawn_day(self) -> date:
        return self.sale_from - timedelta(days=5)

    @property
    def mean_payment_yen(self) -> float:
        """What a payment comes to on average, from the baskets and where the points may be spent."""
        visits = sum(
            (purse.paid_points + purse.premium_points)
            * sum(share / trade.mean_yen for trade, share in zip(self.trades, self.shares(purse), strict=True))
            for purse in self.purses
        )
        return self.unit_points / visits

    def shares(self, purse: Purse) -> tuple[float, ...]:
        """The trades' shares of the value of a purse; they sum to one."""
        raw = [trade.share if LARGE in purse.store_classes else trade.share_small for trade in self.trades]
        return tuple(share / sum(raw) for share in raw)


def city_of(payments: int, **knobs: object) -> CityPlan:
    """A plan with about so many payments; stores and planted misdeeds grow with it, more slowly."""
    plan = replace(CityPlan(), **knobs)  # type: ignore[arg-type]
    each = plan.take_up * plan.wants / plan.demand * plan.mean_units * plan.unit_points / plan.mean_payment_yen
    residents = max(1, round(payments / each))
    stores = max(len(plan.trades), round(math.sqrt(residents) * 3))
    factor = max(1, residents // 20_000)
    return replace(plan, residents=residents, stores=stores, misdeeds=plan.misdeeds.times(factor))
