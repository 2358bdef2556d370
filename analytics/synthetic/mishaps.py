"""What goes wrong at a till now and then: a mistyped amount is cancelled, something is brought back later."""

import numpy as np

from analytics.synthetic.calendar import DAY_SECONDS, seconds_of_day
from analytics.synthetic.deeds import ALL, CANCEL, CPM, REFUND, Deeds, back, joined, payments
from analytics.synthetic.people import day_of
from analytics.synthetic.plan import CityPlan

CLOSING_HOUR = 22
REFUND_AFTER_DAYS = 4.0
IN_PART = 0.5
MOST_WRONG = 0.1


def with_mishaps(plan: CityPlan, rng: np.random.Generator, deeds: Deeds) -> Deeds:
    """The same deeds with cancels, the right payments after them, and refunds; not yet in order again.

    Refunds end with the period of use. An amount to take back is at most that of its payment; what a payment
    of ALL comes to is not known yet, so that is cancelled or brought back whole.
    """
    luck = rng.random(len(deeds))
    early = deeds.at % DAY_SECONDS < CLOSING_HOUR * 3_600
    wrong = np.flatnonzero((luck < plan.cancelled) & early)
    soon = deeds.at[wrong] + rng.integers(60, 181, len(wrong))
    cancels = back(deeds, wrong, soon, np.full(len(wrong), ALL), CANCEL)
    right = deeds.take(wrong)
    right.at = soon + rng.integers(60, 121, len(wrong))
    less = np.ceil(right.yen * (1 - MOST_WRONG * rng.random(len(wrong)))).astype(np.int64)
    right.yen = np.where(right.yen == ALL, ALL, np.maximum(less, 1))
    right.mode = np.full(len(wrong), CPM, dtype=np.int64)
    returned = np.flatnonzero((luck >= plan.cancelled) & (luck < plan.cancelled + plan.refunded))
    days = deeds.at[returned] // DAY_SECONDS + 1 + rng.exponential(REFUND_AFTER_DAYS, len(returned)).astype(np.int64)
    at = days * DAY_SECONDS + seconds_of_day(rng, len(returned))
    paid = deeds.yen[returned]
    part = 1 + np.floor(rng.random(len(returned)) * np.where(paid == ALL, 1, paid)).astype(np.int64)
    yen = np.where((paid == ALL) | (rng.random(len(returned)) >= IN_PART), ALL, part)
    in_time = days <= day_of(plan, plan.use_to)
    refunds = back(deeds, returned[in_time], at[in_time], yen[in_time], REFUND)
    return joined([deeds, right, cancels, refunds, _afterwards(plan, rng, deeds, refunds)], shifted=False)


def _afterwards(plan: CityPlan, rng: np.random.Generator, deeds: Deeds, refunds: Deeds) -> Deeds:
    """What came back after somebody's last visit is spent some days later, where it came from."""
    last = np.zeros(int(deeds.resident.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(last, deeds.resident, deeds.at)
    late = refunds.take(refunds.at > last[refunds.resident])
    days = late.at // DAY_SECONDS + rng.integers(1, 5, len(late))
    at = days * DAY_SECONDS + seconds_of_day(rng, len(late))
    all_of_it = np.full(len(late), ALL)
    return payments(late.resident, at, late.store, all_of_it, late.mode).take(days <= day_of(plan, plan.use_to))
