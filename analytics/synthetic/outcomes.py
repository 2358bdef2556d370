"""What applicants spend in the city week by week, whatever they pay with, and the premium's true part in it."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from analytics.frames import OUTCOMES
from analytics.synthetic.calendar import Floats, Ints, spent_after
from analytics.synthetic.people import People
from analytics.synthetic.plan import CityPlan

SOURCE = "survey"
AGE_SLOPE = 0.1
"""By so much the propensity of an age band differs from the next younger one's: the old spend more of it."""

WEEK_SIGMA = 0.05


@dataclass(frozen=True)
class Panel:
    """The frame, and the truth beside it: `effect` by week, `propensity` by age band."""

    frame: pd.DataFrame
    effect: pd.DataFrame
    propensity: pd.DataFrame
    mean_propensity: float


def first_monday(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def build_panel(plan: CityPlan, rng: np.random.Generator, people: People) -> Panel:
    """The panel of those who applied.

    The mean of a cell is base × week + effect; the noise multiplies it and has the mean one, so that the effect
    is the difference of means exactly, whatever the size of the noise.
    """
    settings = plan.effect
    wants = np.flatnonzero(people.applied > 0)
    asked = np.sort(rng.permutation(wants)[: round(settings.panel * len(wants))])
    weeks, profile = week_profile(plan)
    count = len(asked)
    band = people.age[asked]
    middle = (len(plan.ages) - 1) / 2
    by_age = 1 + AGE_SLOPE * (band - middle)
    own = np.maximum(by_age * (1 + settings.spread * rng.uniform(-1, 1, count)), 0.0)
    propensity = settings.propensity * own
    premium = people.bought[asked] * plan.unit_premium_yen
    base = _lognormal(rng, settings.base_sigma, count) * settings.base_yen
    common = _lognormal(rng, WEEK_SIGMA, len(weeks))
    noise = rng.uniform(*settings.noise, count)
    shape = 1 / noise**2
    without = base[:, None] * common[None, :]
    mean = np.maximum(without + (propensity * premium)[:, None] * profile[None, :], 0.0)
    cell = rng.gamma(np.repeat(shape[:, None], len(weeks), axis=1)) / shape[:, None] * mean
    answered = rng.random(cell.shape) < settings.answered
    rows, columns = np.nonzero(answered)
    frame = pd.DataFrame(
        {
            "resident": people.number[asked][rows],
            "week": np.array(weeks, dtype="datetime64[us]")[columns],
            "spent_yen": np.rint(cell[rows, columns]).astype(np.int64),
            "source": SOURCE,
        }
    ).astype({column.name: column.dtype.value for column in OUTCOMES.columns})
    return _with_truth(plan, people, asked, weeks, frame, mean - without, propensity)


def week_profile(plan: CityPlan) -> tuple[list[date], Floats]:
    """The Mondays of the panel, and which share of a person's gain lies in each.

    The shares while points are used sum to one; after the end they are negative and sum to what was only
    brought forward.
    """
    start = first_monday(plan.use_from)
    used = -(-((plan.use_to - start).days + 1) // 7)
    settings = plan.effect
    before, after = settings.before_weeks, settings.after_weeks
    weeks = [start + timedelta(weeks=week) for week in range(-before, used + after)]
    ends = np.minimum((np.arange(used + 1) * 7 - (plan.use_from - start).days).clip(0), plan.use_days)
    shares = np.diff(spent_after(ends / 7, plan.use_days / 7))
    later = np.full(after, -settings.brought_forward / max(after, 1))
    return weeks, np.concatenate([np.zeros(before), shares, later])


def _lognormal(rng: np.random.Generator, sigma: float, count: int) -> Floats:
    drawn: Floats = np.exp(sigma * rng.standard_normal(count) - sigma**2 / 2)
    return drawn


def _with_truth(
    plan: CityPlan,
    people: People,
    asked: Ints,
    weeks: list[date],
    frame: pd.DataFrame,
    effect: Floats,
    propensity: Floats,
) -> Panel:
    winners = people.won[asked] > 0
    units = int(people.bought[asked].sum())
    total = effect.sum(axis=0)
    by_week = pd.DataFrame(
        {
            "week": np.array(weeks, dtype="datetime64[us]"),
            "per_winner_yen": total / max(int(winners.sum()), 1),
            "per_unit_yen": total / max(units, 1),
        }
    )
    premium = people.bought[asked] * plan.unit_premium_yen
    names = np.array([age.name for age in plan.ages])[people.age[asked]]
    grouped = pd.DataFrame({"age_band": names, "gain": propensity * premium, "premium": premium})
    sums = grouped.groupby("age_band", as_index=False).sum()
    sums["propensity"] = sums["gain"] / sums["premium"].where(sums["premium"] > 0)
    mean = float((propensity * premium).sum() / max(int(premium.sum()), 1))
    return Panel(frame, by_week, sums[["age_band", "propensity"]], mean)
