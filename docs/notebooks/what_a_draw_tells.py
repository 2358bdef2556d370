"""A notebook for analysts: a lottery as an experiment, beside the truth that was put into an invented city.

Who won is chance, so what winners later spend more than losers is the draw's doing (`docs/algorithms/evaluation.md`).
A lake has `applications` of a city that has drawn; `outcomes`, what people spend whether or not they won, come from
elsewhere: a panel, or the weeks in which everybody can pay.
"""

# %% An invented city with a draw, and what is true of it, kept apart
import numpy as np

from analytics.evaluation.bounds import substitution_bounds
from analytics.evaluation.event_study import event_study
from analytics.evaluation.lottery import lottery_effect
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan

city = make(CityPlan(residents=2_000, stores=100), np.random.default_rng(3))
frames, truth = city.frames, city.truth
applications, outcomes = frames["applications"], frames["outcomes"]
print(f"{len(applications):,} applications, {int((applications['units_won'] > 0).sum()):,} of them won")

# %% The effect of winning, and of a unit bought, with 95 % intervals
found = lottery_effect(applications, outcomes, lots=frames["lots"], programmes=frames["programmes"])
print(found[["estimand", "estimate", "low", "high", "residents", "winners", "method", "reason"]].to_string(index=False))

# %% What was put in: yen over the same weeks
if truth.effect is None:
    raise SystemExit("this city had no draw")
weeks = int(found["weeks"].max())
true = truth.effect.sort_values("week").head(weeks)
per_winner = float(true["per_winner_yen"].sum())
itt = found.set_index("estimand").loc["itt"]
print(f"true per winner: {per_winner:,.0f} yen; the interval holds it: {itt['low'] <= per_winner <= itt['high']}")

# %% Week by week: before the draw there should be nothing to see
study = event_study(applications, outcomes, weeks_before=6, weeks_after=10)
print(study[["relative_week", "estimate", "low", "high"]].to_string(index=False))
print(f"no difference before the draw: p = {study['pretrend_p'].iloc[0]:.2f}")

# %% Without a draw only bounds can be told: how much of what was redeemed can be additional
bounds = substitution_bounds(frames["spending"], outcomes)
print(bounds[["assumption", "low_yen", "high_yen", "low_share", "high_share"]].to_string(index=False))
