"""Residents: who they are, what they apply for, win, buy and are given.

Seconds count from midnight of the plan's first day (`origin`), in Asia/Tokyo, which has no summer time.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from analytics.synthetic.calendar import DAY_SECONDS, Floats, Ints
from analytics.synthetic.plan import CityPlan

FIRST_DAY_SHARE, FIRST_HOURS, LATER_DAYS = 0.75, 9, 9
"""Three quarters come within nine hours of the opening, the others over the next days."""

OPENS, GRANTS_AT = 9, 9
JOINS_EARLY = 0.8
ONLINE = ((0.0, 0.5), (0.5, 0.3), (0.9, 0.2))
"""Shares of trips on which a person reads the store's code instead of showing one, with weights."""

BEFORE_SALE = timedelta(days=30)


@dataclass
class People:
    """One entry a resident. `bought_at` and `granted_at` mean something where `bought` and `granted` are not zero.

    `bought` and `won` are units, `granted` points, `bought_at` and `granted_at` seconds, `joined` a day of the origin.
    """

    origin: date
    number: Ints
    """The pseudonym."""
    age: Ints
    district: Ints
    activity: Floats
    """How often, as a multiple of everybody's: the mean is one."""
    tempo: Floats
    """A standard normal figure, below zero for the quick."""
    online: Floats
    holds_back: Floats
    """The share of all points that this person lets lapse; zero for most."""
    applied: Ints
    won: Ints
    bought: Ints
    bought_at: Ints
    granted: Ints
    granted_at: Ints
    joined: Ints

    def __len__(self) -> int:
        return len(self.number)


def origin_of(plan: CityPlan) -> date:
    """The day from which seconds count; nobody joins before."""
    return plan.sale_from - BEFORE_SALE


def day_of(plan: CityPlan, day: date) -> int:
    """The day's place, counted from the origin."""
    return (day - origin_of(plan)).days


def build_people(plan: CityPlan, rng: np.random.Generator) -> People:
    """Age × district, then who applies, who wins, who buys and when, and who is given points."""
    count = plan.residents
    wants = rng.random(count) < plan.wants
    shares = np.array(plan.unit_shares)
    units = rng.choice(len(shares), count, p=shares / shares.sum()) + 1
    applied = np.where(wants, units, 0)
    arrival = _arrival(plan, rng, count)
    won = _allot(applied, rng.permutation(count) if plan.lottery else np.argsort(arrival, kind="stable"), plan)
    bought = np.where(rng.random(count) < plan.take_up, won, 0) if plan.lottery else won
    granted = np.where(rng.random(count) < plan.granted, plan.grant_points, 0)
    granted_after = min(plan.grant_after_days, _days_of_sale(plan))
    grant_at = (day_of(plan, plan.sale_from) + granted_after) * DAY_SECONDS + GRANTS_AT * 3_600
    holds_back = rng.random(count) < plan.holds_back
    people = People(
        origin=origin_of(plan),
        number=rng.permutation(count).astype(np.int64) + 1,
        age=_drawn(rng, [age.people * age.adoption for age in plan.ages], count),
        district=_drawn(rng, [district.people for district in plan.districts], count),
        activity=_activity(plan, rng, count),
        tempo=rng.standard_normal(count),
        online=np.array([share for share, _ in ONLINE])[_drawn(rng, [weight for _, weight in ONLINE], count)],
        holds_back=np.where(holds_back, rng.exponential(1.0, count), 0.0),
        applied=applied if plan.lottery else np.zeros(count, dtype=np.int64),
        won=won if plan.lottery else np.zeros(count, dtype=np.int64),
        bought=bought,
        bought_at=arrival,
        granted=granted,
        granted_at=np.full(count, grant_at, dtype=np.int64),
        joined=_joined(plan, rng, arrival),
    )
    people.holds_back *= plan.lapses / max(plan.holds_back, 1e-9)
    return people


def _drawn(rng: np.random.Generator, weights: list[float], count: int) -> Ints:
    shares = np.array(weights)
    return rng.choice(len(shares), count, p=shares / shares.sum())


def _days_of_sale(plan: CityPlan) -> int:
    """Days after the first one on which points can still be had: nobody buys what can be used no more."""
    return (plan.use_to - plan.sale_from).days


def _arrival(plan: CityPlan, rng: np.random.Generator, count: int) -> Ints:
    """When each would buy, to the second."""
    days = min(LATER_DAYS, _days_of_sale(plan))
    opening = day_of(plan, plan.sale_from) * DAY_SECONDS + OPENS * 3_600
    at_once = rng.integers(0, FIRST_HOURS * 3_600, count)
    later = rng.integers(1, max(days, 1) + 1, count) * DAY_SECONDS + rng.integers(0, 12 * 3_600, count)
    later = later if days else at_once
    return opening + np.where(rng.random(count) < FIRST_DAY_SHARE, at_once, later)


def _allot(applied: Ints, order: Ints, plan: CityPlan) -> Ints:
    """Units in this order until the stock is gone; whoever is the last in gets what is left."""
    queue = applied[order]
    before = np.cumsum(queue) - queue
    won = np.zeros_like(applied)
    won[order] = np.clip(plan.stock_units - before, 0, queue)
    return won


def _activity(plan: CityPlan, rng: np.random.Generator, count: int) -> Floats:
    drawn = rng.gamma(plan.activity_shape, 1 / plan.activity_shape, count)
    cut: Floats = np.clip(drawn, plan.least_activity, plan.most_activity)
    return cut / _mean_of_cut(plan.activity_shape, plan.least_activity, plan.most_activity)


@lru_cache(maxsize=16)
def _mean_of_cut(shape: float, least: float, most: float) -> float:
    """The mean of the cut Gamma, by its quantiles, so that a small city's own chance does not shift it."""
    reference = np.random.default_rng(0).gamma(shape, 1 / shape, 200_000)
    return float(np.clip(reference, least, most).mean())


def _joined(plan: CityPlan, rng: np.random.Generator, arrival: Ints) -> Ints:
    """Before the draw where there is one; otherwise some days before the sale, or on the way to buy."""
    count = len(arrival)
    if plan.lottery:
        return day_of(plan, plan.drawn_day) - rng.integers(1, 15, count)
    early = rng.random(count) < JOINS_EARLY
    return np.where(early, day_of(plan, plan.sale_from) - rng.integers(2, 8, count), arrival // DAY_SECONDS)
