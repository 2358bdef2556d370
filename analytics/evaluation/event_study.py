"""Week by week around the draw: when winners began to spend more than losers, and whether it lasted.

Before the draw there can be no effect. The joint test of those weeks is printed with every row, so that a reader
sees whether winners and losers were alike. docs/algorithms/evaluation.md, "Event study".
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.evaluation.estimates import (
    NotEstimable,
    clustered,
    coefficient,
    conform_unique,
    interval,
    regress,
)
from analytics.evaluation.lottery import applicants
from analytics.frames import OUTCOMES

WHAT: Final = "event_study"
REFERENCE: Final = -1


def event_study(
    applications: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    weeks_before: int = 8,
    weeks_after: int = 26,
    source: str | None = None,
) -> pd.DataFrame:
    """What winners spent more than losers in each week relative to the draw (week 0 holds it), against week -1.

    source: which of the outcomes' sources, if there are several. Regression with fixed effects of each application
    and of each cell's week, errors clustered by person.

    Returns `relative_week, estimate, se, low, high` (yen per winner and week, 95 %), `residents, clusters, method`
    and `pretrend_p`, the p-value of "no difference in any week before" (NaN with fewer than two weeks before).
    Raises FrameUnfit or NotEstimable.
    """
    panel = _panel(applicants(applications), _of_source(outcomes, source), weeks_before, weeks_after)
    weeks = sorted(int(week) for week in panel["relative"].unique() if week != REFERENCE)
    names = {week: f"w{index}" for index, week in enumerate(weeks)}
    for week, name in names.items():
        panel[name] = panel["won"] * (panel["relative"] == week)
    variance, count = clustered(panel, "resident", ["won"], WHAT)
    fit = regress(f"spent ~ {' + '.join(names.values())} | unit + cell_week", panel, variance, WHAT)
    rows = []
    for week, name in names.items():
        estimate, se = coefficient(fit, name, WHAT)
        low, high = interval(estimate, se, count - 1)
        rows.append({"relative_week": week, "estimate": estimate, "se": se, "low": low, "high": high})
    return pd.DataFrame(rows).assign(
        residents=count,
        clusters=count,
        method=f"fixed effects of person and of cell and week, {next(iter(variance))} by person",
        pretrend_p=_no_difference(fit, [name for week, name in names.items() if week < REFERENCE], count),
    )


def _of_source(outcomes: pd.DataFrame, source: str | None) -> pd.DataFrame:
    told = conform_unique(OUTCOMES, outcomes)
    sources = sorted(told["source"].unique())
    if source is None and len(sources) > 1:
        raise NotEstimable(what=WHAT, reason="several_sources")
    told = told[told["source"] == (source or "".join(sources))]
    if told.empty:
        raise NotEstimable(what=WHAT, reason="no_outcomes")
    return told


def _panel(people: pd.DataFrame, told: pd.DataFrame, weeks_before: int, weeks_after: int) -> pd.DataFrame:
    """One row per application and week: `unit, resident, won, relative, cell_week, spent`."""
    people = people.assign(unit=np.arange(len(people)))
    panel = people[["unit", "resident", "won", "cell", "drawn_day"]].merge(told, on="resident")
    monday = panel["drawn_day"] - pd.to_timedelta(panel["drawn_day"].dt.day_of_week, unit="D")
    panel["relative"] = (panel["week"] - monday).dt.days // 7
    panel = panel[panel["relative"].between(-weeks_before, weeks_after)].reset_index(drop=True)
    if not (panel["relative"] == REFERENCE).any():
        raise NotEstimable(what=WHAT, reason="no_week_before")
    panel["cell_week"] = panel.groupby(["cell", "relative"]).ngroup()
    both = panel.groupby("cell_week")["won"].transform("nunique") == 2
    panel = panel[both].reset_index(drop=True)
    if panel.empty:
        raise NotEstimable(what=WHAT, reason="no_cell_with_both")
    if not (panel["relative"] == REFERENCE).any() or panel["relative"].nunique() < 2:
        raise NotEstimable(what=WHAT, reason="no_week_before")
    return panel.assign(spent=panel["spent_yen"].astype("float64"))


def _no_difference(fit: Any, before: list[str], clusters: int) -> float:
    """Wald's test of all weeks before at once, F with (weeks, clusters - 1) degrees of freedom."""
    if not before:
        return float("nan")
    names = list(fit.coef().index)
    places = [names.index(name) for name in before]
    found, variance = fit.coef().to_numpy()[places], fit._vcov[np.ix_(places, places)]
    wald = float(found @ np.linalg.pinv(variance) @ found) / len(places)
    return float(stats.f.sf(wald, len(places), clusters - 1))
