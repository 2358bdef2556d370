"""Week by week around the draw: when winners began to spend more than losers, and whether it lasted.

Before the draw there can be no effect. The joint test of those weeks is printed with every row, so that a reader
sees whether winners and losers were alike. docs/algorithms/evaluation.md, "Event study".
"""

from typing import Final

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
    whole_weeks,
)
from analytics.evaluation.jackknife import Reals, jackknifed
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

    weeks_before, weeks_after: whole numbers, at least 1 and 0. source: which of the outcomes' sources, if there are
    several. Regression with fixed effects of each application
    and of each cell's week, errors clustered by person.

    Returns `relative_week, estimate, se, low, high` (yen per winner and week, 95 %), `residents, clusters, method`
    and `pretrend_p`, the p-value of "no difference in any week before" (NaN with fewer than two weeks before).
    Raises FrameUnfit or NotEstimable.
    """
    before_draw, after_draw = whole_weeks(weeks_before, 1, WHAT), whole_weeks(weeks_after, 0, WHAT)
    panel = _panel(applicants(applications), _of_source(outcomes, source), before_draw, after_draw)
    weeks = sorted(int(week) for week in panel["relative"].unique() if week != REFERENCE)
    names = {week: f"w{index}" for index, week in enumerate(weeks)}
    for week, name in names.items():
        panel[name] = panel["won"] * (panel["relative"] == week)
    variance, count = clustered(panel, "resident", ["won"], WHAT)
    found, covariance = _estimated(panel, list(names.values()), variance)
    rows = []
    for place, week in enumerate(weeks):
        estimate, se = float(found[place]), float(np.sqrt(covariance[place, place]))
        low, high = interval(estimate, se, count - 1)
        rows.append({"relative_week": week, "estimate": estimate, "se": se, "low": low, "high": high})
    before = [place for place, week in enumerate(weeks) if week < REFERENCE]
    return pd.DataFrame(rows).assign(
        residents=count,
        clusters=count,
        method=f"fixed effects of person and of cell and week, {next(iter(variance))} by person",
        pretrend_p=_no_difference(found[before], covariance[np.ix_(before, before)], count),
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


def _estimated(panel: pd.DataFrame, names: list[str], variance: dict[str, str]) -> tuple[Reals, Reals]:
    """The coefficients of these columns, and their covariance."""
    if "CRV3" in variance:
        weeks = np.eye(int(panel["cell_week"].max()) + 1)[panel["cell_week"].to_numpy()]
        table = np.hstack([panel[["spent", *names]].to_numpy(dtype="float64"), weeks])
        table -= pd.DataFrame(table).groupby(panel["unit"].to_numpy()).transform("mean").to_numpy()
        y, x, person = table[:, 0], table[:, 1:], panel["resident"].to_numpy()
        found, covariance = jackknifed(y, x, x, person, len(names), WHAT)
        if not (np.diag(covariance) > 0).all():
            raise NotEstimable(what=WHAT, reason="no_variation")
        return found, covariance
    fit = regress(f"spent ~ {' + '.join(names)} | unit + cell_week", panel, variance, WHAT)
    estimates = np.array([coefficient(fit, name, WHAT)[0] for name in names])
    places = [list(fit.coef().index).index(name) for name in names]
    return estimates, np.asarray(fit._vcov)[np.ix_(places, places)]


def _no_difference(found: Reals, covariance: Reals, clusters: int) -> float:
    """Wald's test of all weeks before at once, F with (weeks, clusters - 1) degrees of freedom."""
    if not len(found):
        return float("nan")
    wald = float(found @ np.linalg.pinv(covariance) @ found) / len(found)
    return float(stats.f.sf(wald, len(found), clusters - 1))
