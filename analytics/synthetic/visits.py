"""What residents mean to buy: baskets that come to all their points, put on trips, put on days.

Law: the baskets of a resident come to exactly the points that they hold, and those for large stores fit the
purses that large stores take; so they can be paid in any order. See docs/algorithms/synthetic-city.md.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from analytics.synthetic.calendar import DAY_SECONDS, Floats, Ints, Steps, cumulative_by_day, normal_cdf, seconds_of_day
from analytics.synthetic.deeds import ALL, CPM, MPM, TILL, Deeds, in_order, payments
from analytics.synthetic.people import People, day_of
from analytics.synthetic.places import Places
from analytics.synthetic.plan import CityPlan, Purse

LEAST_YEN = 60
BY_REGISTER = 0.3
"""Of codes that people read, the share with the amount in it."""

BETWEEN_STOPS = (240, 780)
SOON = 900
"""Nobody pays within a quarter of an hour of buying points."""

SPARE_SIGMAS, SPARE_BASKETS = 4.0, 6


@dataclass
class Baskets:
    """Columns: whose, of which trade, for how much, usable from when."""

    resident: Ints
    trade: Ints
    yen: Ints
    since: Ints


def mean_visits(plan: CityPlan, purse: Purse) -> float:
    """Baskets for each yen of a purse, for a person of activity one."""
    return sum(share / trade.mean_yen for trade, share in zip(plan.trades, plan.shares(purse), strict=True))


def fill(
    plan: CityPlan, rng: np.random.Generator, purse: Purse, points: Ints, activity: Floats, since: Ints
) -> Baskets:
    """Baskets for `points` of a purse, for each resident (0 for none); `resident` is the row of `points`.

    Who comes twice as often pays half as much each time, so the mean over payments stays the trade's.
    """
    expected = points * activity * mean_visits(plan, purse)
    tries = np.where(points > 0, expected + SPARE_SIGMAS * np.sqrt(expected) + SPARE_BASKETS, 0).astype(np.int64)
    who = np.repeat(np.arange(len(points)), tries)
    chances = np.array([share / trade.mean_yen for trade, share in zip(plan.trades, plan.shares(purse), strict=True)])
    steps = Steps([np.cumsum(chances)])
    trade = steps.draw(np.zeros(len(who), dtype=np.int64), rng.random(len(who)))
    sigma = np.array([each.sigma for each in plan.trades])[trade]
    centre = np.log(np.array([each.mean_yen for each in plan.trades]))[trade] - sigma**2 / 2
    basket = np.exp(centre + sigma * rng.standard_normal(len(who))) / activity[who]
    yen = np.maximum(np.rint(basket).astype(np.int64), LEAST_YEN)
    firsts = np.cumsum(tries) - tries
    before = np.cumsum(yen) - yen
    before -= before[np.minimum(firsts, len(before) - 1)][who] if len(before) else 0
    is_first = np.arange(len(who)) == firsts[who]
    keep = np.flatnonzero(is_first | (before <= points[who] - LEAST_YEN))
    is_last = np.append(who[keep][1:] != who[keep][:-1], True)[: len(keep)]
    paid = np.where(is_last, points[who[keep]] - before[keep], yen[keep])
    return Baskets(who[keep], trade[keep], paid, since[who[keep]])


def plan_visits(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, who: Ints) -> Deeds:
    """All payments that the residents `who` mean to make, in order; `resident` is the place in `who`."""
    parts = []
    for purse in plan.purses:
        points = people.bought[who] * (purse.paid_points + purse.premium_points)
        parts.append(fill(plan, rng, purse, points, people.activity[who], people.bought_at[who]))
    widest = max(plan.purses, key=lambda purse: len(purse.store_classes))
    parts.append(fill(plan, rng, widest, people.granted[who], people.activity[who], people.granted_at[who]))
    baskets = Baskets(*(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS))
    shuffled = np.argsort(baskets.resident + rng.random(len(baskets.resident)))
    baskets = Baskets(*(getattr(baskets, name)[shuffled] for name in _COLUMNS))
    whose = who[baskets.resident]
    starts = _trip_starts(plan, rng, baskets)
    trip = np.cumsum(starts) - 1
    at = _when(plan, rng, baskets, people.tempo[whose], starts, trip)
    store = places.choose(baskets.trade, people.district[whose], rng.random(len(whose)))
    online = (rng.random(starts.sum()) < people.online[whose[starts]])[trip]
    mode = np.where(online, np.where(rng.random(len(whose)) < BY_REGISTER, TILL, MPM), CPM)
    deeds = in_order(payments(baskets.resident, at, store, baskets.yen, mode))
    return _spend_the_rest(deeds, people.holds_back[who])


_COLUMNS = ("resident", "trade", "yen", "since")


def _trip_starts(plan: CityPlan, rng: np.random.Generator, baskets: Baskets) -> np.ndarray:
    """Which visits begin a way; the others follow on the one before."""
    follows = rng.random(len(baskets.resident)) < plan.next_stop
    follows[:1] = False
    follows[1:] &= (baskets.resident[1:] == baskets.resident[:-1]) & (baskets.since[1:] == baskets.since[:-1])
    return ~follows


def _when(
    plan: CityPlan, rng: np.random.Generator, baskets: Baskets, tempo: Floats, starts: np.ndarray, trip: Ints
) -> Ints:
    """The second of each visit: the day by the redemption curve, the hour by the shops', a stop after the other."""
    trips = int(starts.sum())
    usable = np.maximum(baskets.since[starts], day_of(plan, plan.use_from) * DAY_SECONDS)
    first_days, which = np.unique(usable // DAY_SECONDS, return_inverse=True)
    origin = plan.use_from - timedelta(days=day_of(plan, plan.use_from))
    steps = Steps([cumulative_by_day(origin + timedelta(days=int(day)), plan.use_to) for day in first_days])
    own = rng.standard_normal(trips)
    quantile = normal_cdf(plan.tempo * tempo[starts] + np.sqrt(1 - plan.tempo**2) * own)
    day = first_days[which] + steps.draw(which.astype(np.int64), quantile)
    at = day * DAY_SECONDS + seconds_of_day(rng, trips)
    earliest = usable + SOON
    at = np.where(at < earliest, earliest + rng.integers(0, 7_200, trips), at)
    gaps = np.where(starts, 0, rng.integers(*BETWEEN_STOPS, len(starts)))
    walked = np.cumsum(gaps)
    walked -= walked[starts][trip]
    end = (day_of(plan, plan.use_to) + 1) * DAY_SECONDS - 60
    whole: Ints = np.minimum(at[trip] + walked, end)
    return whole


def _spend_the_rest(deeds: Deeds, holds_back: Floats) -> Deeds:
    """The last payment of each is of all that can be spent, but for what some people never spend."""
    if len(deeds):
        last = np.append(deeds.resident[1:] != deeds.resident[:-1], True)
        deeds.yen = np.where(last, ALL, deeds.yen)
        deeds.leave = np.where(last, holds_back[deeds.resident], 0.0)
    return deeds
