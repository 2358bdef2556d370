"""The curve of use carried on to its end, where no earlier programme can tell.

Points are survivors: each is used at some age or still waits. Kaplan and Meier's curve, with yen as weights, takes
purchases of different days together; a Weibull curve through it is carried on to the last day. In the last week
people hurry, which cannot be seen before it comes: its size is taken from Korea's programme of 2025.
docs/algorithms/forecasts.md, "Extrapolated".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from analytics.evaluation.estimates import CONFIDENCE, NotEstimable
from analytics.forecast.unused import Wallets, Whole

WHAT: Final = "forecast_use"
RUSH: Final = (0.006, 0.009)
"""Of all that was issued, used in the last week beyond the curve (Korea 2025)."""
DRAWS: Final = 400
LEAST_WEEKS: Final = 3
WEEK: Final = 7

Reals = np.ndarray


@dataclass(frozen=True)
class Holdings:
    """Lots of one programme and last day, what each still holds at the end of day `now`, and what was spent."""

    lots: pd.DataFrame
    left: Whole
    spending: pd.DataFrame
    expiries: pd.DataFrame
    now: int


def extrapolated(people: Holdings, ahead: Whole, last: int, rng: np.random.Generator) -> tuple[Reals, Reals, Reals]:
    """Yen unused at the end of each day `ahead`: middle, low and high (95 %), by resampling residents.

    Raises NotEstimable with fewer than three weeks of use: a curve of two points fits everything.
    """
    start, size = _starts(people.lots), people.lots["size"].to_numpy(dtype="float64")
    weeks = (people.now - int(start.min()) + 1) // WEEK
    if weeks < LEAST_WEEKS:
        raise NotEstimable(what=WHAT, reason="too_few_weeks")
    gone, waiting = _used_by_age(people, start, weeks)
    residents = pd.factorize(people.lots["resident"])[0]
    counts = rng.multinomial(residents.max() + 1, np.full(residents.max() + 1, 1 / (residents.max() + 1)), DRAWS)
    weights = np.vstack([np.ones(residents.max() + 1), counts])[:, residents]
    rush = np.concatenate([[np.mean(RUSH)], rng.uniform(*RUSH, DRAWS)])
    fitted = np.array([_weibull(weight, gone, waiting) for weight in weights])
    held = people.left.astype("float64")
    drawn = np.zeros((len(weights), len(ahead)))
    for place, day in enumerate(ahead):
        stay = _stay(fitted, people.now + 1 - start, day + 1 - start)
        hurried = _of_last_week(day, last) - _of_last_week(people.now, last)  # what has hurried by now is spent
        drawn[:, place] = np.maximum(stay @ held - rush * hurried * size.sum(), 0.0)
        if day > people.now:
            drawn[1:, place] = _with_luck(drawn[1:, place], held, people.lots["resident"].to_numpy(), rng)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn[1:], [tail, 1 - tail], axis=0)
    return drawn[0], np.minimum(low, drawn[0]), np.maximum(high, drawn[0])


def _of_last_week(day: int, last: int) -> float:
    """How much of the last week is over at the end of a day."""
    return float(np.clip((day - (last - WEEK)) / WEEK, 0.0, 1.0))


def _starts(lots: pd.DataFrame) -> Whole:
    """The civil day from which each lot pays."""
    days: Whole = lots["usable_from"].dt.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    starts: Whole = np.maximum(days, lots["issued"].to_numpy())
    return starts


def _used_by_age(people: Holdings, start: Whole, weeks: int) -> tuple[Reals, Reals]:
    """Lots × weeks of age: yen used in that week, and (last column) yen still waiting, at the age reached by now."""
    size = people.lots["size"].to_numpy()
    wallets = Wallets(people.lots, people.spending, people.expiries)
    ages = [wallets.unused(np.minimum(start + WEEK * (week + 1) - 1, people.now)) for week in range(weeks)]
    left = np.stack([size, *ages], axis=1).astype("float64")
    used = np.maximum(left[:, :-1] - left[:, 1:], 0.0)
    seen = (start[:, None] + WEEK * (np.arange(weeks)[None, :] + 1) - 1) <= people.now
    reached = seen.sum(axis=1)
    waiting = np.zeros((len(size), weeks + 1))
    waiting[np.arange(len(size)), reached] = size - (used * seen).sum(axis=1)
    return used * seen, waiting


def _weibull(weight: Reals, gone: Reals, waiting: Reals) -> Reals:
    """Shape and level: a line through log(-log S) of Kaplan and Meier's curve over log age (weeks), its slope and where
    it stands at one week."""
    events, censored = weight @ gone, weight @ waiting
    ages = np.arange(1, len(events) + 1)
    times = np.concatenate([ages, np.arange(len(censored))])
    status = np.concatenate([np.ones(len(events)), np.zeros(len(censored))])
    yen = np.concatenate([events, censored])
    keep = yen > 0
    # Censored at age 0 means no week is seen whole yet; a survival time must be positive.
    curve = SurvfuncRight(np.maximum(times[keep], 0.5), status[keep], freq_weights=yen[keep])
    alive = (curve.surv_prob > 0) & (curve.surv_prob < 1)
    if alive.sum() < 2:
        return np.array([np.nan, np.nan])
    at, survived = curve.surv_times[alive], curve.surv_prob[alive]
    shape, level = np.polyfit(np.log(at), np.log(-np.log(survived)), 1, w=np.sqrt(np.arange(1, len(at) + 1)))
    return np.array([shape, level])


def _stay(fitted: Reals, age_now: Whole, age_then: Whole) -> Reals:
    """Draws × lots: the chance that a yen unused at one age (days) is still unused at the other."""
    shape, level = fitted[:, :1], np.exp(fitted[:, 1:])
    now = level * (np.maximum(age_now, 0)[None, :] / WEEK) ** shape
    then = level * (np.maximum(age_then, 0)[None, :] / WEEK) ** shape
    stay: Reals = np.nan_to_num(np.exp(now - then), nan=1.0)
    return stay


def _with_luck(middle: Reals, held: Reals, resident: Whole, rng: np.random.Generator) -> Reals:
    """Each draw's total with the luck of single people, who tend to use what they have left altogether or not."""
    by_person = pd.Series(held).groupby(resident).sum().to_numpy()
    total = by_person.sum()
    share = np.clip(middle / total, 0.0, 1.0) if total > 0 else np.zeros(len(middle))
    spread = np.sqrt(share * (1 - share) * float((by_person**2).sum()))
    return np.clip(middle + spread * rng.standard_normal(len(middle)), 0.0, total)
