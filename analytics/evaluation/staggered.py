"""Stores or districts that joined at different times, where there was no draw.

A regression with effects of unit and time alone mixes late joiners' comparisons with early joiners that are
already changed, and may even get the sign wrong when effects grow or differ. Gardner's two stages (2022) do not:
the first learns units and times from observations not yet touched, the second averages what is left of the touched
ones. Whether joiners moved like the others before they joined is told beside it, time by time, with intervals and one
test of all. docs/algorithms/evaluation.md, "Staggered".
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.evaluation.estimates import ColumnUnfit, NotEstimable, codes, interval, numbers, only
from analytics.evaluation.two_stages import Found, averages, before_joining

WHAT: Final = "staggered"
UNTOUCHED: Final = 2
"""A unit with fewer observations not yet touched, or a time with fewer clusters that have one, tells no level."""
LEADS: Final = 4
"""Times before joining that are told at most; the earlier ones are what they are compared with."""
NEVER: Final = -(10**9)
"""Times since joining of a unit that never joins."""


def staggered(
    frame: pd.DataFrame,
    *,
    unit: str,
    time: str,
    outcome: str,
    joined: str,
    cluster: str | None = None,
    every: Any = None,
    by_time: bool = False,
) -> pd.DataFrame:
    """The average effect of having joined on those that did (yen or whatever `outcome` is), by Gardner's two stages.

    frame: one row per `unit` and `time` (both any values that can be ordered). joined: the time from which the unit
    takes part, empty if it never does. cluster: a column naming units that are alike; the unit if None. every: how
    far apart times are, so that one of which nobody tells counts; if None they are taken as equally spaced in the
    order of their values. by_time: also the effect by times since joining, and what there was before.

    Returns `estimand`, `since` (times since joining; empty for `att`), `estimate, se, low, high` (95 %, clusters - 1
    degrees of freedom), `units, joined, clusters, rows, dropped_rows, pretrend_p, method`. Estimands: `att`, the mean
    over all touched rows; with by_time `since` (0, 1, …) and `before` (-1, -2, … to -4 at most), how joiners differed
    that long before joining from earlier times: no effect can be there. `pretrend_p` is the p-value of "no
    difference in any of them", NaN without by_time or where nothing tells. Rows are dropped where nothing untouched
    tells the unit's or time's level; a time since joining that a single cluster knows, or in which nothing varied, is
    not told. Raises ColumnUnfit (`changes`: a unit has two values of `joined` or of `cluster`) or NotEstimable.
    """
    data = _panel(frame, unit, time, outcome, joined, cluster, every)
    kept = _comparable(data)
    if kept.empty or not kept["treated"].any():
        raise NotEstimable(what=WHAT, reason="nothing_comparable")
    clusters = int(kept["c"].nunique())
    inside = int(kept.loc[kept["treated"] > 0, "c"].nunique())
    if clusters < 3 or inside < 2:
        raise NotEstimable(what=WHAT, reason="one_cluster")
    rows, pretrend_p = _effects(kept, clusters, by_time=by_time), np.nan
    if by_time:
        before, pretrend_p = _before(kept, clusters)
        rows += before
    return (
        pd.DataFrame(rows)
        .astype({"since": "Int64"})
        .assign(
            units=int(kept["u"].nunique()),
            joined=int(kept.loc[kept["treated"] > 0, "u"].nunique()),
            clusters=clusters,
            rows=len(kept),
            dropped_rows=len(data) - len(kept),
            pretrend_p=pretrend_p,
            method="two-stage differences in differences, CRV3 by cluster",
        )
    )


def _panel(
    frame: pd.DataFrame, unit: str, time: str, outcome: str, joined: str, cluster: str | None, every: Any
) -> pd.DataFrame:
    units, clusters = codes(frame, unit), codes(frame, cluster or unit)
    if pd.DataFrame({"u": units, "t": codes(frame, time)}).duplicated().any():
        raise NotEstimable(what=WHAT, reason="duplicate_rows")
    _require_one_each(units, only(frame, joined, full=False), joined)
    _require_one_each(units, only(frame, cluster or unit), cluster or unit)
    at, since = _when(only(frame, time), only(frame, joined, full=False), joined, every)
    return pd.DataFrame(
        {
            "u": units,
            "t": at,
            "c": clusters,
            "y": numbers(frame, outcome).to_numpy(),
            "since": since,
            "treated": (since >= 0).astype("float64"),
        }
    )


def _require_one_each(units: Any, values: "pd.Series[Any]", column: str) -> None:
    """Raises ColumnUnfit where a unit has several values of the column, of which none is one: it joins once, and is
    alike with the same all the time, or its level could not be told."""
    try:
        told = pd.DataFrame({"u": units, "v": pd.factorize(values)[0]})
    except TypeError:
        raise ColumnUnfit(column=column, problem="no_order") from None
    if len(told.drop_duplicates()) > len(told["u"].drop_duplicates()):
        raise ColumnUnfit(column=column, problem="changes")


def _when(now: "pd.Series[Any]", start: "pd.Series[Any]", joined: str, every: Any) -> tuple[Any, Any]:
    """The place of each row's time among all, and the times since its unit joined. Raises ColumnUnfit, naming the
    column `joined`, where the two cannot be compared."""
    now, start = _in_order(now, start, joined)
    times, never = np.sort(now.unique()), start.isna()
    try:
        if every is not None and not every > every * 0:
            raise NotEstimable(what=WHAT, reason="no_step")
        start = start.where(~never, times[-1:].repeat(len(now)))
        at = np.searchsorted(times, now)
        since = at - np.searchsorted(times, start)
        if every is not None:
            told, then = ((values - times[:1].repeat(len(now))) // every for values in (now, start))
            since = (told - then).to_numpy(dtype="int64")
    except TypeError:
        raise ColumnUnfit(column=joined, problem="no_order") from None
    return at, np.where(never, NEVER, since)


def _in_order(now: "pd.Series[Any]", start: "pd.Series[Any]", joined: str) -> "tuple[pd.Series[Any], pd.Series[Any]]":
    """Both in types whose order and differences are those of time. Raises ColumnUnfit as `_when`.

    Categories with an order of their own that is not that of their values (Jan, Feb, …) are their places in it.
    """
    kinds = [each.dtype for each in (now, start) if isinstance(each.dtype, pd.CategoricalDtype)]
    own = [kind.categories for kind in kinds if kind.ordered and not kind.categories.is_monotonic_increasing]
    now, start = _plain(now), _plain(start)
    if not own:
        return now, start
    at, since = (own[0].get_indexer(pd.Index(each)) for each in (now, start))
    if (at < 0).any() or ((since < 0) & start.notna()).any():
        raise ColumnUnfit(column=joined, problem="no_order")
    found = pd.DataFrame({"now": at, "start": since}, index=now.index)
    return found["now"], found["start"].where(start.notna())


def _plain(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """The values of categories, and whole numbers in a type that holds their differences."""
    dtype: Any = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    if pd.api.types.is_integer_dtype(dtype):
        return values.astype("Int64").astype("int64" if values.notna().all() else "Int64")
    return values.astype(dtype)


def _comparable(data: pd.DataFrame) -> pd.DataFrame:
    """The rows whose unit and time both have enough observations not yet touched; rows that go may take others."""
    while not data.empty:
        untouched = data[data["treated"] == 0]
        by_unit, by_time = untouched.groupby("u").size(), untouched.groupby("t")["c"].nunique()
        enough = (data["u"].map(by_unit).fillna(0) >= UNTOUCHED) & (data["t"].map(by_time).fillna(0) >= UNTOUCHED)
        if enough.all():
            break
        data = data[enough]
    codes = {key: pd.factorize(data[key], sort=True)[0] for key in ("u", "t", "c")}
    return data.assign(**codes).reset_index(drop=True)


def _effects(data: pd.DataFrame, clusters: int, *, by_time: bool) -> list[dict[str, object]]:
    """The row of all touched observations, then one for each time since joining that more than one cluster knows."""
    touched, since = (data["treated"] > 0).to_numpy(), data["since"].to_numpy()
    told = np.unique(since[touched]) if by_time else np.zeros(0, dtype=np.int64)
    found = averages(data, np.stack([touched, *(touched & (since == each) for each in told)], axis=1).astype("float64"))
    errors, least = [found.error(place) for place in range(len(told) + 1)], _rounding(data)
    if not np.isfinite(errors[0]):
        raise NotEstimable(what=WHAT, reason="one_cluster")
    if errors[0] <= least:
        raise NotEstimable(what=WHAT, reason="no_variation")
    rows = [_row("att", None, found, 0, clusters)]
    places = [place for place, error in enumerate(errors) if place and np.isfinite(error) and error > least]
    return rows + [_row("since", int(told[place - 1]), found, place, clusters) for place in places]


def _rounding(data: pd.DataFrame) -> float:
    """An error below this is what rounding leaves of none: its interval would claim to know the effect exactly."""
    return 1e-12 * float(data["y"].abs().max())


def _before(data: pd.DataFrame, clusters: int) -> tuple[list[dict[str, object]], float]:
    """A row for each time before joining, as many as the data decide, and the p-value of no difference in any.

    Hotelling's: Wald's statistic x (clusters - leads) / (leads x (clusters - 1)) is F of leads and clusters - leads.
    """
    since = data["since"].to_numpy()
    for leads in range(min(LEADS, clusters - 1), 0, -1):
        found = before_joining(data, (since[:, None] == -np.arange(1, leads + 1)).astype("float64"))
        covariance = found.covariance(range(leads))
        if not np.isfinite(covariance).all() or np.linalg.matrix_rank(covariance, hermitian=True) < leads:
            continue
        if np.sqrt(covariance.diagonal().min()) <= _rounding(data):
            continue
        rows = [_row("before", -lead, found, lead - 1, clusters) for lead in range(1, leads + 1)]
        wald = float(found.estimate @ np.linalg.solve(covariance, found.estimate))
        spare = clusters - leads
        return rows, float(stats.f.sf(wald * spare / (leads * (clusters - 1)), leads, spare))
    return [], float("nan")


def _row(estimand: str, since: int | None, found: Found, place: int, clusters: int) -> dict[str, object]:
    estimate, se = float(found.estimate[place]), found.error(place)
    low, high = interval(estimate, se, clusters - 1)
    return {"estimand": estimand, "since": since, "estimate": estimate, "se": se, "low": low, "high": high}
