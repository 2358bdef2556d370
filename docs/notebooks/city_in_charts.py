"""A notebook for analysts, in cells that any editor runs one by one: an invented city, its charts and its report.

Take a lake instead of the city with `Lake(Path(".data/lake/tanabata"))` once `tanabata insight refresh` has run.
"""

# %% An invented city; the same seed makes the same one
from functools import partial

import numpy as np

import locales
from analytics.charts.names import Shape
from analytics.charts.theme import Look
from analytics.lake.lake import InMemory
from analytics.measures.ask import ask
from analytics.measures.question import Question
from analytics.reports.gather import gather
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan

city = make(CityPlan(residents=200, stores=30), np.random.default_rng(1))
source = InMemory(city.frames)

# %% A measure is asked for, by what it is divided, and answers with a DataFrame
by_category = ask(source, Question("sales", by=("category",)))
print(by_category.sort_values("value", ascending=False).to_string(index=False))

# %% Charts of the report, as rows
gathered = gather(source, names=("circulation", "flows", "ranking", "before_after"))
flows = gathered.figure("flows")
matrix = flows.data.pivot(index="home", columns="place", values="sales_yen")
print(matrix.to_string())

# %% The same rows as a chart: Vega-Lite, for any notebook that shows it (`alt.Chart.from_dict(spec)`)
say = partial(locales.text, "en")
spec = flows.spec(Look(say, Shape.SCREEN))
print(spec["description"])

# %% What winners of the draw spent a week more than the others, before and after points could be used; a city that has
# drawn nothing has no such weeks
weeks = gathered.figure("before_after").data
means = weeks.pivot(index="week", columns="group", values="mean_yen").reindex(columns=["won", "lost"])
gap = means["won"] - means["lost"]
print(gap.to_string())
