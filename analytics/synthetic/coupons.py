"""Coupons whose effect is known: which visits would have gone elsewhere, and which would have come anyway."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from analytics.frames import COUPONS
from analytics.synthetic.calendar import DAY_SECONDS, Floats, Ints
from analytics.synthetic.deeds import NONE, PAY, Deeds
from analytics.synthetic.people import day_of
from analytics.synthetic.places import Places
from analytics.synthetic.plan import CityPlan

SHOWN_WITHIN_DAYS = 3


@dataclass(frozen=True)
class Campaign:
    """One coupon of a small store: from which day of the origin on it is shown."""

    code: str
    store: int
    first_day: int


def plan_coupons(plan: CityPlan, rng: np.random.Generator, places: Places) -> list[Campaign]:
    """Coupons of the better small stores, spread over the first half of the period of use.

    No two are of one store. Fewer where there are not enough small stores.
    """
    small = np.flatnonzero(~places.large)
    best = small[np.argsort(-places.weight[small], kind="stable")][: max(plan.coupons * 3, 1)]
    stores = rng.permutation(best)[: plan.coupons]
    first = day_of(plan, plan.use_from)
    every = max(plan.use_days // (2 * max(plan.coupons, 1)), 1)
    return [Campaign(f"C{turn + 1:03}", int(store), first + turn * every) for turn, store in enumerate(stores)]


def show(plan: CityPlan, rng: np.random.Generator, places: Places, campaigns: list[Campaign], homes: Ints) -> Ints:
    """Coupon × resident: the day on which each was shown, NONE where it was not."""
    shown = np.full((len(campaigns), len(homes)), NONE, dtype=np.int64)
    near, far = plan.coupon_shown
    for turn, campaign in enumerate(campaigns):
        chance = np.where(homes == places.district[campaign.store], near, far)
        sees = rng.random(len(homes)) < chance
        shown[turn, sees] = campaign.first_day + rng.integers(0, SHOWN_WITHIN_DAYS, int(sees.sum()))
    return shown


def pull(
    plan: CityPlan, rng: np.random.Generator, places: Places, campaigns: list[Campaign], shown: Ints, deeds: Deeds
) -> None:
    """Send some visits to small stores to a coupon's store instead, and note which; changes `deeds`."""
    for turn, campaign in enumerate(campaigns):
        holds = _holds(plan, shown[turn], deeds)
        elsewhere = ~places.large[deeds.store] & (deeds.store != campaign.store) & (deeds.coupon == NONE)
        free = np.flatnonzero(holds & elsewhere & (deeds.kind == PAY))
        drawn = free[rng.random(len(free)) < plan.coupon_pull]
        deeds.store[drawn], deeds.coupon[drawn] = campaign.store, turn


def _holds(plan: CityPlan, shown: Ints, deeds: Deeds) -> np.ndarray:
    """Whether the resident of each deed holds the coupon on that day."""
    seen = shown[deeds.resident]
    day = deeds.at // DAY_SECONDS
    holds: np.ndarray = (seen != NONE) & (day >= seen) & (day < seen + plan.coupon_days)
    return holds


@dataclass(frozen=True)
class Tally:
    """Per coupon: who was shown it, who used it, and the visits of those shown, with it and without."""

    shown: int
    used: int
    visits: int
    pulled: int
    yen: int
    pulled_yen: int


def tally(
    plan: CityPlan,
    rng: np.random.Generator,
    places: Places,
    campaigns: list[Campaign],
    shown: Ints,
    deeds: Deeds,
    yen: Ints,
    numbers: Ints,
) -> tuple[pd.DataFrame, list[Tally]]:
    """The frame of coupons for these residents, and what is true of each coupon.

    Whoever was pulled uses the coupon; of the others who come, a share does.
    """
    frames, tallies = [COUPONS.empty()], []
    origin = pd.Timestamp(plan.use_from - timedelta(days=day_of(plan, plan.use_from)))
    for turn, campaign in enumerate(campaigns):
        here = _holds(plan, shown[turn], deeds) & (deeds.store == campaign.store) & (deeds.kind == PAY) & (yen > 0)
        pulled = here & (deeds.coupon == turn)
        uses = pulled | (here & (rng.random(len(deeds)) < plan.coupon_used))
        who = np.flatnonzero(shown[turn] != NONE)
        used = np.full(len(shown[turn]), np.iinfo(np.int64).max)
        np.minimum.at(used, deeds.resident[uses], deeds.at[uses] // DAY_SECONDS)
        has_used = used[who] != np.iinfo(np.int64).max
        used_day = pd.Series(origin + pd.to_timedelta(np.where(has_used, used[who], 0), unit="D")).where(has_used)
        frames.append(
            pd.DataFrame(
                {
                    "coupon": campaign.code,
                    "store": places.codes[campaign.store],
                    "resident": numbers[who],
                    "shown_day": origin + pd.to_timedelta(shown[turn, who], unit="D"),
                    "used_day": used_day,
                }
            ).astype({column.name: column.dtype.value for column in COUPONS.columns})
        )
        tallies.append(
            Tally(len(who), int(has_used.sum()), int(here.sum()), int(pulled.sum()), _sum(yen, here), _sum(yen, pulled))
        )
    return pd.concat(frames, ignore_index=True), tallies


def _sum(yen: Ints, rows: np.ndarray) -> int:
    return int(yen[rows].sum())


def companions(plan: CityPlan, rng: np.random.Generator, places: Places) -> list[tuple[int, int]]:
    """Pairs of small stores of which the second is often the next stop after the first; no store is in two pairs."""
    small = np.flatnonzero(~places.large)
    best = small[np.argsort(-places.weight[small], kind="stable")][: 4 * plan.companions]
    drawn = rng.permutation(best)[: 2 * plan.companions]
    return [(int(first), int(second)) for first, second in zip(drawn[::2], drawn[1::2], strict=False)]


def walk_on(
    plan: CityPlan, rng: np.random.Generator, places: Places, pairs: list[tuple[int, int]], deeds: Deeds, longest: int
) -> Floats:
    """Send some next stops, within `longest` seconds after a pair's first store, to its second; changes `deeds`.

    Returns how many there were of each pair.
    """
    counts = np.zeros(len(pairs))
    for place, (first, second) in enumerate(pairs):
        follows = np.zeros(len(deeds), dtype=bool)
        follows[1:] = (
            (deeds.store[:-1] == first)
            & (deeds.resident[1:] == deeds.resident[:-1])
            & (deeds.at[1:] - deeds.at[:-1] < longest)
        )
        free = np.flatnonzero(follows & ~places.large[deeds.store] & (deeds.store != second))
        drawn = free[rng.random(len(free)) < plan.companion_chance]
        deeds.store[drawn] = second
        counts[place] = len(drawn)
    return counts
