"""Stores that take part only later, and what small stores tell that they sell, whatever is paid with.

Law: nobody pays at a store before it takes part; what was meant for it goes to stores of its trade that were there from
the beginning. The mean of a week's sales is base × week + effect and the noise multiplies it with the mean one, so the
effect of joining is the difference of means exactly. The frame is what a city's desk collects (`read_joined` reads its
CSV): when a store joined is in it as the lake's `stores` has it, and nothing else of the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from analytics.synthetic.calendar import DAY_SECONDS, WEEK, Floats, Ints, Steps
from analytics.synthetic.coupons import Campaign
from analytics.synthetic.deeds import NONE, PAY, Deeds
from analytics.synthetic.joining_plan import Joining
from analytics.synthetic.misdeeds import Case
from analytics.synthetic.outcomes import first_monday
from analytics.synthetic.people import People, day_of
from analytics.synthetic.places import Places
from analytics.synthetic.plan import CityPlan
from analytics.synthetic.rows import days
from analytics.synthetic.truth import meant, stores_of

FROM_HOUR = 7
"""At this hour of its first day a store takes part."""
BASE_SIGMA, WEEK_SIGMA = 0.3, 0.05
NEVER = np.iinfo(np.int64).max // 2


@dataclass(frozen=True)
class Sales:
    """`frame`: unit, week, sales_yen, joined_week (NaT: never). The truth beside it: `effect` by `since`, weeks since
    joining, `per_unit_yen` and how many `weeks` of units it is the mean of; `mean_yen` over all of them."""

    frame: pd.DataFrame
    effect: pd.DataFrame
    mean_yen: float


def plan_days(
    plan: CityPlan,
    rng: np.random.Generator,
    places: Places,
    campaigns: Sequence[Campaign],
    pairs: Sequence[tuple[int, int]],
    cases: Sequence[Case],
) -> Ints:
    """The day of the origin on which each store begins to take part; 0 where it does from the beginning.

    Small stores, merchant by merchant; the most popular of each trade and those with a part of their own (coupons,
    pairs, misdeeds, a change of hands) are there from the beginning.
    """
    joined = np.zeros(len(places.trade), dtype=np.int64)
    if plan.joining is None:
        return joined
    busy = {campaign.store for campaign in campaigns} | {case.store for case in cases}
    busy |= {store for pair in pairs for store in pair} | set(range(len(joined) - plan.sold_on, len(joined)))
    busy |= {int(np.argmax(np.where(places.trade == trade, places.weight, -1.0))) for trade in np.unique(places.trade)}
    free = ~places.large & ~np.isin(np.arange(len(joined)), list(busy))
    merchants = places.frame["merchant"].to_numpy()[: len(joined)]
    ready = pd.Series(free).groupby(merchants).transform("all").to_numpy()
    latest = min(plan.joining.over_weeks * WEEK, plan.use_days - WEEK)
    for merchant in rng.permutation(np.unique(merchants[ready].astype(str))):
        if (joined > 0).sum() >= round(plan.joining.late * len(joined)) or latest < 1:
            break
        joined[merchants == merchant] = day_of(plan, plan.use_from) + int(rng.integers(1, latest + 1))
    return joined


def opened(plan: CityPlan, places: Places, joined: Ints) -> Places:
    """The places with the first day of every store that joined later."""
    frame = places.frame.copy()
    late = np.flatnonzero(joined)
    origin = pd.Timestamp(plan.use_from - timedelta(days=day_of(plan, plan.use_from)))
    from_day = origin + pd.to_timedelta(joined[late], unit="D")
    frame.loc[late, "from_day"] = from_day.astype(frame["from_day"].dtype)
    return replace(places, frame=frame)


def send_elsewhere(rng: np.random.Generator, places: Places, joined: Ints, homes: Ints, deeds: Deeds) -> None:
    """Payments at a store that does not take part yet go to one of its trade that does; changes `deeds`.

    `homes` are the districts of those who pay; by popularity and distance, as always.
    """
    early = (deeds.kind == PAY) & (joined[deeds.store] > 0)
    early &= deeds.at < joined[deeds.store] * DAY_SECONDS + FROM_HOUR * 3_600
    chance = rng.random(len(deeds))
    for trade in np.unique(places.trade[deeds.store[early]]):
        there = np.flatnonzero((places.trade == trade) & (joined == 0))
        pull = places.weight[there] * places.kernel[:, places.district[there]]
        rows = np.flatnonzero(early & (places.trade[deeds.store] == trade))
        deeds.store[rows] = there[Steps(list(np.cumsum(pull, axis=1))).draw(homes[rows], chance[rows])]
    back = deeds.of != NONE
    deeds.store[back] = deeds.store[deeds.of[back]]


def tell_sales(plan: CityPlan, rng: np.random.Generator, places: Places, people: People, joined: Ints) -> Sales | None:
    """What small stores tell of their weeks, inside the programme and outside of it; None where nobody is asked.

    `joined` is what `plan_days` says.
    """
    if plan.joining is None:
        return None
    asked = plan.joining
    small = np.flatnonzero(~places.large)
    usual = asked.floor_yen + _points_a_week(plan, places, people)[small] / asked.points_share
    inside, outside = small[rng.random(len(small)) < asked.tells], round(asked.outside * len(places.trade))
    base = np.concatenate([usual[np.isin(small, inside)], rng.choice(usual, outside)])
    base *= np.exp(BASE_SIGMA * rng.standard_normal(len(base)) - BASE_SIGMA**2 / 2)
    first = np.concatenate([np.maximum(joined[inside], day_of(plan, plan.use_from)), np.full(outside, NEVER)])
    mondays = _mondays(plan, asked)
    since, effect = _effect(asked, asked.lift * float(usual.mean()), mondays, first)
    own = 1 + asked.spread * rng.uniform(-1, 1, len(base))
    common = np.exp(WEEK_SIGMA * rng.standard_normal(len(mondays)) - WEEK_SIGMA**2 / 2)
    sold = (base[:, None] * common + effect * own[:, None]) * _noise(asked, rng, len(base), len(mondays))
    rows, columns = np.nonzero(rng.random(sold.shape) < asked.told)
    never = first == NEVER
    began = days(people.origin, np.where(never, 0, first - (first - mondays[0]) % WEEK))
    units = np.array([*places.codes[inside], *(f"X{number:05}" for number in range(1, outside + 1))], dtype=object)
    frame = pd.DataFrame(
        {
            "unit": units[rows],
            "week": days(people.origin, mondays)[columns],
            "sales_yen": np.rint(sold[rows, columns]).astype(np.int64),
            "joined_week": pd.Series(began).where(~never).to_numpy()[rows],
        }
    )
    return _with_truth(frame, since[rows, columns], effect[rows, columns])


def as_csv(frame: pd.DataFrame) -> bytes:
    """`Sales.frame` as the file that a city's desk has."""
    return frame.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n").encode()


def _points_a_week(plan: CityPlan, places: Places, people: People) -> Floats:
    """Points that each store may expect in a week of use, yen."""
    issued = int((people.bought * plan.unit_points + people.granted).sum())
    share = stores_of(plan, people, places, meant(plan, places))["share"].to_numpy(dtype="float64")
    return share * issued * WEEK / plan.use_days


def _mondays(plan: CityPlan, asked: Joining) -> Ints:
    """Days of the origin, from some weeks before the first day of use to the last whole week of it."""
    first = day_of(plan, first_monday(plan.use_from)) - asked.before_weeks * WEEK
    return np.arange(first, day_of(plan, plan.use_to) - WEEK + 2, WEEK)


def _effect(asked: Joining, effect_yen: float, mondays: Ints, first: Ints) -> tuple[Ints, Floats]:
    """Units × weeks: weeks since the one in which the unit joined, and what joining adds on average, yen.

    The week of joining counts with the days that were left of it.
    """
    began = first - (first - mondays[0]) % WEEK
    since: Ints = (mondays[None, :] - began[:, None]) // WEEK
    part = np.clip(mondays[None, :] + WEEK - first[:, None], 0, WEEK) / WEEK
    effect: Floats = effect_yen * (1 + asked.opening * np.exp(-np.maximum(since, 0) / asked.fades_weeks)) * part
    return since, effect


def _noise(asked: Joining, rng: np.random.Generator, units: int, weeks: int) -> Floats:
    """Lognormal with mean one, larger at some units; a part of a week's is still there in the next."""
    sigma = rng.uniform(*asked.noise, units)[:, None]
    wandering = rng.standard_normal((units, weeks))
    for week in range(1, weeks):
        wandering[:, week] = asked.lasts * wandering[:, week - 1] + np.sqrt(1 - asked.lasts**2) * wandering[:, week]
    noise: Floats = np.exp(sigma * wandering - sigma**2 / 2)
    return noise


def _with_truth(frame: pd.DataFrame, since: Ints, effect: Floats) -> Sales:
    touched = since >= 0
    table = pd.DataFrame({"since": since[touched], "effect": effect[touched]})
    by_week = table.groupby("since", as_index=False).agg(per_unit_yen=("effect", "mean"), weeks=("effect", "size"))
    return Sales(frame, by_week, float(effect[touched].mean()) if touched.any() else 0.0)
