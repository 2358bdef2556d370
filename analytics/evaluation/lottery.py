"""A lottery as an experiment: winners against losers of the same draw, stratum and number of units asked for.

Chance alone decided who won within such a cell, so what winners later spend more than losers is the draw's doing.
Losers leave no trace in the app: what people spent comes from the frame `outcomes`, and its `source` is said with
every figure. docs/algorithms/evaluation.md, "Lotteries".
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.evaluation.estimates import (
    ColumnUnfit,
    NotEstimable,
    clustered,
    codes,
    coefficient,
    conform_unique,
    interval,
    only,
    regress,
    whole_weeks,
)
from analytics.evaluation.jackknife import Reals, freedom_of, without_each, without_each_person
from analytics.frames import APPLICATIONS, LOTS, OUTCOMES, PROGRAMMES

WEEK: Final = pd.Timedelta(days=7)
WHAT: Final = "lottery_effect"
STRONG: Final = 10.0
"""Below this F of the first stage an instrument is too weak for its interval (Staiger and Stock 1997)."""
FEW_OF_AN_ARM: Final = 30
"""Where so few clusters won, or lost, each is left out in turn, however many there are on the other side."""
MOST_LEFT_OUT: Final = 5_000
"""Clusters beyond which that would take minutes."""


def lottery_effect(
    applications: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    weeks_after: int | None = None,
    lots: pd.DataFrame | None = None,
    programmes: pd.DataFrame | None = None,
    clusters: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The effect of winning, and of a unit bought, on what a person spends in the weeks after the draw.

    applications, outcomes: the declared frames. weeks_after: how many whole weeks after the draw count, at least 1
    (all that `outcomes` has, if None). lots and programmes, given together, say how many units each person bought;
    without them winners count as having bought what they won. clusters (`resident`, `cluster`): who is alike, such as
    a household or district drawn together; each person is one's own cluster otherwise.

    Returns a row per `source` and `estimand`: `itt` (yen per winner, bought or not) and `per_unit` (yen per unit
    bought, two-stage least squares with the draw as instrument). `estimate, se, low, high` are yen over all `weeks`
    (95 %); `residents` and `winners` with an outcome in cells that had both, `clusters`, `answered_won` and
    `answered_lost` (the part of each arm with an outcome), `method`, and `reason`, empty unless the row has no
    estimate. Raises FrameUnfit, or NotEstimable with the reason if no source has an estimate.
    """
    if weeks_after is not None:
        weeks_after = whole_weeks(weeks_after, 1, WHAT)
    if (lots is None) != (programmes is None):
        raise NotEstimable(what=WHAT, reason="lots_without_programmes")
    people = applicants(applications)
    if lots is not None and programmes is not None:
        people["bought"] = _units_bought(people, conform_unique(LOTS, lots), conform_unique(PROGRAMMES, programmes))
    if clusters is not None:
        people["cluster"] = _cluster_of(people, clusters)
    spent = conform_unique(OUTCOMES, outcomes)
    if spent.empty:
        raise NotEstimable(what=WHAT, reason="no_outcomes")
    tables, refused = [], []
    for source, told in spent.groupby("source", sort=True):
        try:
            tables.append(_effects(people, told, weeks_after).assign(source=source))
        except NotEstimable as refusal:
            refused.append(refusal)
    if not tables:
        raise refused[0]
    first = ["source", "estimand"]
    found = pd.concat(tables, ignore_index=True)
    return found[[*first, *(name for name in found.columns if name not in first)]]


def applicants(applications: pd.DataFrame) -> pd.DataFrame:
    """The applications with `won`, `bought` (units won, until told better), `cell` and `cluster` (the person).

    Raises NotEstimable if nobody applied, nobody won, or nobody lost.
    """
    people = conform_unique(APPLICATIONS, applications).reset_index(drop=True)
    if people.empty:
        raise NotEstimable(what=WHAT, reason="no_applications")
    won = people["units_won"] > 0
    if not won.any():
        raise NotEstimable(what=WHAT, reason="nobody_won")
    if won.all():
        raise NotEstimable(what=WHAT, reason="nobody_lost")
    cell = people.groupby(["draw", "stratum", "units_applied"]).ngroup()
    return people.assign(
        won=won.astype("float64"), bought=people["units_won"].astype("float64"), cell=cell, cluster=people["resident"]
    )


def _units_bought(people: pd.DataFrame, lots: pd.DataFrame, programmes: pd.DataFrame) -> "pd.Series[float]":
    """Units that each applicant bought of the programme after the draw, at its price."""
    bought = lots[lots["origin"] == "purchase"][["resident", "programme", "day", "paid_yen"]]
    after = people.reset_index().merge(bought, on=["resident", "programme"])
    after = after[after["day"] >= after["drawn_day"]]
    yen = after.groupby("index")["paid_yen"].sum().reindex(people.index, fill_value=0)
    price = people["programme"].map(programmes.set_index("programme")["unit_price_yen"])
    if price.isna().any() or (price <= 0).any():
        raise NotEstimable(what=WHAT, reason="no_price")
    return (yen / price).astype("float64")


def _cluster_of(people: pd.DataFrame, clusters: pd.DataFrame) -> "pd.Series[int]":
    """The cluster of each applicant. Raises ColumnUnfit, also where somebody has two, or NotEstimable."""
    known = clusters[only(clusters, "cluster", full=False).notna()]
    told = pd.DataFrame({"resident": only(known, "resident"), "cluster": codes(known, "cluster")}).drop_duplicates()
    if told["resident"].duplicated().any():
        raise ColumnUnfit(column="cluster", problem="changes")
    found = people["resident"].map(told.set_index("resident")["cluster"])
    if found.isna().any():
        raise NotEstimable(what=WHAT, reason="no_cluster")
    return pd.Series(pd.factorize(found)[0], index=people.index)


def _effects(people: pd.DataFrame, told: pd.DataFrame, weeks_after: int | None) -> pd.DataFrame:
    seen, weeks = _windows(people, told, weeks_after)
    answered = seen["after"].notna()
    shares = {
        "answered_won": float(answered[seen["won"] > 0].mean()),
        "answered_lost": float(answered[seen["won"] == 0].mean()),
    }
    seen = seen[answered]
    if seen.empty:
        raise NotEstimable(what=WHAT, reason="no_outcomes")
    both = seen.groupby("cell")["won"].transform("nunique") == 2
    seen = seen[both].reset_index(drop=True)
    if min((seen["won"] > 0).sum(), (seen["won"] == 0).sum()) < 2:
        raise NotEstimable(what=WHAT, reason="no_cell_with_both" if seen.empty else "too_few_residents")
    counts = {
        "weeks": weeks,
        "residents": int(seen["resident"].nunique()),
        "winners": int(seen.loc[seen["won"] > 0, "resident"].nunique()),
    }
    rows = [_intention_to_treat(seen), _per_unit(seen)]
    return pd.DataFrame([row | counts | shares for row in rows])


def _windows(people: pd.DataFrame, told: pd.DataFrame, weeks_after: int | None) -> tuple[pd.DataFrame, int]:
    """Each application with the yen spent `after` the draw, scaled to the window's weeks, and `before` it.

    A week that a person did not tell of is unknown, not zero: the mean of the weeks told stands for it.
    """
    weeks = people.reset_index()[["index", "resident", "drawn_day"]].merge(told, on="resident")
    since = (weeks["week"] - weeks["drawn_day"]).dt.days
    is_after = since > 0
    if weeks_after is not None:
        is_after &= since <= 7 * weeks_after
    after, before = weeks[is_after], weeks[weeks["week"] + WEEK <= weeks["drawn_day"]]
    length = int(((since[is_after] - 1) // 7).nunique())
    means = {name: part.groupby("index")["spent_yen"].mean() for name, part in (("after", after), ("before", before))}
    seen = people.assign(
        after=means["after"].reindex(people.index) * length, before=means["before"].reindex(people.index) * length
    )
    return seen, length


def _adjusted(seen: pd.DataFrame) -> bool:
    """Spending before the draw sharpens the comparison where everybody told of it; it cannot bias it."""
    return bool(seen["before"].notna().all()) and bool((seen.groupby("cell")["before"].nunique() > 1).any())


def _variance(seen: pd.DataFrame) -> tuple[str, int]:
    """How errors are counted, and the number of clusters."""
    if seen["cluster"].is_unique:
        return "HC3", len(seen)
    if not (seen.groupby("cluster")["resident"].nunique() > 1).any():
        return "CRV1", int(seen["cluster"].nunique())
    variance, count = clustered(seen, "cluster", ["won"], WHAT)
    arms = seen.groupby("won")["cluster"].nunique()
    few = int(arms.min()) <= FEW_OF_AN_ARM and count <= MOST_LEFT_OUT
    return "CRV3" if few else next(iter(variance)), count


def _intention_to_treat(seen: pd.DataFrame) -> dict[str, object]:
    method = f"least squares, cell fixed effects, {_called(seen)}"
    return _row("itt", *_measured(seen, "won"), method)


def _per_unit(seen: pd.DataFrame) -> dict[str, object]:
    method = f"two-stage least squares, cell fixed effects, {_called(seen)}"
    if _strength(seen) < STRONG:
        return _row("per_unit", np.nan, np.nan, np.nan, np.nan, _variance(seen)[1], method, "weak_instrument")
    return _row("per_unit", *_measured(seen, "bought"), method)


def _measured(seen: pd.DataFrame, effect_of: str) -> tuple[float, float, float, float, int]:
    """Estimate, error and interval of the effect of `won` in one stage, or of `bought` in two; and the clusters."""
    variance, clusters = _variance(seen)
    if variance == "CRV1":
        right = "before" if _adjusted(seen) else "1"
        formula = f"after ~ {right} | cell | bought ~ won" if effect_of == "bought" else f"after ~ won + {right} | cell"
        estimate, se = coefficient(regress(formula, seen, {"CRV1": "cluster"}, WHAT), effect_of, WHAT)
        return estimate, se, *interval(estimate, se, max(clusters - 1, 1)), clusters
    estimate, moves, won = _moves(seen, effect_of, variance)
    se = float(np.sqrt((moves**2).sum()))
    if se <= 1e-12 * float(seen["after"].abs().max()):  # what rounding leaves of none
        raise NotEstimable(what=WHAT, reason="no_variation")
    return estimate, se, *interval(estimate, se, freedom_of(moves, won)), clusters


def _moves(
    seen: pd.DataFrame, effect_of: str, variance: str
) -> tuple[float, Reals, "np.ndarray[Any, np.dtype[np.bool_]]"]:
    """The effect, by how much it moves without each cluster or person in turn, and which of them won."""
    before = seen["before"].to_numpy(dtype="float64")[:, None] if _adjusted(seen) else np.zeros((len(seen), 0))
    columns = {name: np.hstack([seen[name].to_numpy()[:, None], before]) for name in (effect_of, "won")}
    y, cell = seen["after"].to_numpy(dtype="float64"), seen["cell"].to_numpy()
    x, z = columns[effect_of], columns["won"]
    if variance == "HC3":
        estimate, moves = without_each_person(y, x, z, cell, WHAT)
        return estimate, moves, seen["won"].to_numpy() > 0
    cells = np.eye(int(cell.max()) + 1)[cell]
    found, off = without_each(y, np.hstack([x, cells]), np.hstack([z, cells]), seen["cluster"].to_numpy(), 1, WHAT)
    won = seen.groupby("cluster")["won"].mean().to_numpy() > 0.5
    return float(found[0]), off[:, 0] * np.sqrt((len(off) - 1) / len(off)), won


def _strength(seen: pd.DataFrame) -> float:
    """The F of the first stage; infinite where the draw alone decided what was bought."""
    if (seen.groupby(["cell", "won"])["bought"].nunique() == 1).all():
        return np.inf if (seen.groupby("cell")["bought"].nunique() > 1).any() else 0.0
    estimate, se = coefficient(regress("bought ~ won | cell", seen, "hetero", WHAT), "won", WHAT)
    return float((estimate / se) ** 2)


def _called(seen: pd.DataFrame) -> str:
    variance, _ = _variance(seen)
    words = variance if variance == "HC3" else f"{variance} by cluster"
    return f"{words}, adjusted for before" if _adjusted(seen) else words


def _row(
    estimand: str, estimate: float, se: float, low: float, high: float, clusters: int, method: str, reason: str = ""
) -> dict[str, object]:
    return {
        "estimand": estimand,
        "estimate": estimate,
        "se": se,
        "low": low,
        "high": high,
        "clusters": clusters,
        "method": method,
        "reason": reason,
    }
