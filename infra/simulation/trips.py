"""A resident's shopping, planned when points are bought: which stores, when, for how much, by which way to pay.

Law: the visits of a plan come to all points of the purchase, or to less by what is never spent;
and what the plan spends at large stores fits the purses that they take, so that the plan can be
carried out in the order of its days, whatever that order is.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from statistics import NormalDist

from infra.simulation.chance import drawn
from infra.simulation.city import DISTRICTS, StorePlan
from infra.simulation.redemption import spending_days
from infra.simulation.shopping import LEAST_YEN, amount_yen, basket_factor, time_of_day
from services.kit.clock import civil_date
from services.kit.store_class import StoreClass
from services.payments.payment import Mode

OWN_DISTRICT = 3.0
"""How much more often people go to a store in their own district."""

TEMPO = 0.55
"""How alike the days of one person are: some are quick with everything, some slow."""

ONLINE = ((0.0, 50), (0.5, 30), (0.9, 20))
"""Shares of trips on which a person reads the store's code instead of showing one, with weights."""

BY_REGISTER = 0.3
"""Of codes that people read, the share with the amount in it."""

STOPS, STOPS_ONLINE = ((1, 55), (2, 30), (3, 15)), ((1, 35), (2, 35), (3, 30))
"""How many stores one trip visits; whoever has signed in for one of them does more on the way."""

LEAVES_CHANGE = 0.12
"""The share of people who do not bother to spend the last few yen."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How one person shops; `tempo` is a standard normal figure, below zero for the quick."""

    district: int
    factor: float
    tempo: float
    online: float
    leaves_change: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A payment that somebody means to make; `store` is the store's index in the market."""

    at: datetime
    store: int
    amount_yen: int
    mode: Mode


def draw_habits(rng: Random) -> Habits:
    return Habits(
        district=rng.randrange(DISTRICTS),
        factor=basket_factor(rng),
        tempo=rng.gauss(0, 1),
        online=drawn(rng, ONLINE),
        leaves_change=rng.random() < LEAVES_CHANGE,
    )


class Market:
    """The stores as customers choose among them."""

    def __init__(self, stores: Sequence[StorePlan]) -> None:
        self.stores = stores
        self._all = [self._sums(district, large_too=True) for district in range(DISTRICTS)]
        self._small = [self._sums(district, large_too=False) for district in range(DISTRICTS)]

    def _sums(self, district: int, *, large_too: bool) -> list[float]:
        weights = (
            store.weight * (OWN_DISTRICT if store.district == district else 1.0)
            if large_too or store.store_class is StoreClass.SMALL
            else 0.0
            for store in self.stores
        )
        return list(accumulate(weights))

    def pick(self, rng: Random, district: int, *, large_too: bool) -> int:
        """A store by its share and its distance."""
        sums = (self._all if large_too else self._small)[district]
        return bisect_left(sums, (1 - rng.random()) * sums[-1])

    def is_large(self, store: int) -> bool:
        return self.stores[store].store_class is StoreClass.LARGE


def plan_visits(
    rng: Random, market: Market, habits: Habits, points: int, for_large: int, issued_at: datetime, last: date
) -> list[Visit]:
    """Visits in the order of their time; `for_large` of the points can be spent at large stores."""
    baskets = _baskets(rng, market, habits, points, for_large)
    days = spending_days(civil_date(issued_at), last)
    visits: list[Visit] = []
    while baskets:
        online = rng.random() < habits.online
        stops = drawn(rng, STOPS_ONLINE if online else STOPS)
        trip = [baskets.pop() for _ in range(min(stops, len(baskets)))]
        quantile = NormalDist().cdf(TEMPO * habits.tempo + math.sqrt(1 - TEMPO**2) * rng.gauss(0, 1))
        day = days.day_of(quantile)
        at = None if day is None else _not_before(rng, time_of_day(rng, day), issued_at)
        for store, yen in trip:
            mode = Mode.CPM if not online else Mode.TILL if rng.random() < BY_REGISTER else Mode.MPM
            if at is not None and civil_date(at) <= last:
                visits.append(Visit(at, store, yen, mode))
                at += timedelta(seconds=rng.randrange(240, 780))
    return sorted(visits, key=lambda visit: visit.at)


def _baskets(rng: Random, market: Market, habits: Habits, points: int, for_large: int) -> list[tuple[int, int]]:
    """Stores and amounts that come to `points`, of which at most `for_large` at large stores."""
    baskets = []
    while points > 0:
        store = market.pick(rng, habits.district, large_too=for_large >= LEAST_YEN)
        large = market.is_large(store)
        room = min(points, for_large) if large else points
        yen = min(amount_yen(rng, market.stores[store].category, habits.factor), room)
        if room - yen < LEAST_YEN:
            yen = room
        points -= yen
        for_large -= yen if large else 0
        baskets.append((store, yen))
    return baskets


def _not_before(rng: Random, at: datetime, issued_at: datetime) -> datetime:
    """The visit's time, or one soon after the purchase where it would lie before that."""
    earliest = issued_at + timedelta(minutes=15)
    if at >= earliest:
        return at
    soon = earliest + timedelta(minutes=rng.randrange(120))
    return soon if civil_date(soon) == civil_date(issued_at) else time_of_day(rng, civil_date(soon))
