"""Small invented cities for everybody's tests: made once a process, a fraction of a second each."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from analytics.synthetic.city import City, make
from analytics.synthetic.plan import NO_MISDEEDS, CityPlan

SMALL = CityPlan(residents=400, stores=60)
HONEST = replace(SMALL, misdeeds=NO_MISDEEDS)


@cache
def city(plan: CityPlan = SMALL, seed: int = 1) -> City:
    """The city of this plan and seed. Its frames are shared between tests: change copies only."""
    return make(plan, np.random.default_rng(seed))


def payments_of(made: City) -> pd.DataFrame:
    """One row a payment, whatever purses paid it: `deed`, `resident`, `store`, `at`, `amount_yen`."""
    spending = made.frames["spending"]
    of_payments = spending[spending["kind"] == "payment"]
    return of_payments.groupby("deed", as_index=False).agg(
        {"resident": "first", "store": "first", "at": "first", "amount_yen": "sum"}
    )
