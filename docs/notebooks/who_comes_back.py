"""A notebook for analysts: who pays, who comes back, what is visited together, and what will be left at the end.

Everything takes and gives DataFrames; rows of another town do as well, if they have the declared columns
(`analytics/frames.py`, `docs/algorithms/mining.md`, `docs/algorithms/forecasts.md`).
"""

# %% An invented city
from datetime import timedelta
from fractions import Fraction

import numpy as np

from analytics.forecast.use import forecast_use
from analytics.mining.baskets import basket_rules
from analytics.mining.cohorts import cohorts
from analytics.mining.concentration import concentration
from analytics.mining.repeat import repeats
from analytics.mining.segments import segment_sizes, segments
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan

frames = make(CityPlan(), np.random.default_rng(2)).frames
spending = frames["spending"]
last = spending["day"].max()

# %% How recently, how often and how much each resident paid, in fifths of all
sizes = segment_sizes(segments(spending, last))
print(sizes.to_string(index=False))

# %% Of those who first paid in one month, how many paid in each month after it
print(cohorts(spending).to_string(index=False))

# %% How many customers come back to a store; who has not yet is counted for as long as they were seen
coming_back = repeats(spending)
print(coming_back.sort_values("customers", ascending=False).head(8).to_string(index=False))

# %% Stores at which the same residents pay, by exact counts: thresholds are fractions, and ties are kept
rules = basket_rules(spending, Fraction(1, 10), Fraction(3, 5), largest=2)
print(rules.sort_values("confidence", ascending=False).head(8).to_string(index=False))

# %% How much of all sales the largest tenth of the stores has
print(concentration(spending).to_string(index=False))

# %% Two months before the end: what will have been used by then, and what will lapse, with 95 % intervals
as_of = (last - timedelta(days=60)).date()
ahead = forecast_use(frames["lots"], spending, frames["expiries"], as_of=as_of)
print(ahead[["day", "used_yen", "used_low", "used_high", "unused_yen"]].iloc[::2].to_string(index=False))
lapsed = int(frames["expiries"][["paid_yen", "premium_yen"]].to_numpy().sum())
print(f"what lapsed in the end: {lapsed:,} yen")
