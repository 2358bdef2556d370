"""Stores or districts that joined at different times, where there was no draw.

A regression with effects of unit and time alone mixes late joiners' comparisons with early joiners that are
already changed, and may even get the sign wrong when effects grow or differ. Gardner's two stages (2022) do not:
the first learns units and times from observations not yet touched, the second averages what is left of the touched
ones. docs/algorithms/evaluation.md, "Staggered".
"""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyfixest as pf

from analytics.evaluation.estimates import ColumnUnfit, NotEstimable, coefficient, interval, numbers
from analytics.foreign import older_pandas

WHAT: Final = "staggered"
UNTOUCHED: Final = 2
"""A unit or time with fewer observations not yet touched teaches the first stage nothing that it does not use up."""


def staggered(
    frame: pd.DataFrame,
    *,
    unit: str,
    time: str,
    outcome: str,
    joined: str,
    cluster: str | None = None,
    by_time: bool = False,
) -> pd.DataFrame:
    """The average effect of having joined on those that did (yen or whatever `outcome` is), by Gardner's two stages.

    frame: one row per `unit` and `time` (both any values that can be ordered; times are taken as equally spaced in
    the order of their values). joined: the time from which the unit takes part, empty if it never does. cluster: a
    column naming units that are alike; the unit if None. by_time: also the effect by times since joining.

    Returns `estimand` (`att`, or `since` with by_time), `since` (times since joining, -1 for `att`), `estimate, se,
    low, high` (95 %, clusters - 1 degrees of freedom), `units, joined, clusters, rows, dropped_rows, method`. Rows
    are dropped where nothing untouched tells the unit's or time's level. Raises ColumnUnfit or NotEstimable.
    """
    data = _panel(frame, unit, time, outcome, joined, cluster)
    kept = _comparable(data)
    if kept.empty or not kept["treated"].any():
        raise NotEstimable(what=WHAT, reason="nothing_comparable")
    clusters = int(kept["c"].nunique())
    inside = int(kept.loc[kept["treated"] > 0, "c"].nunique())
    if clusters < 3 or inside < 2:
        raise NotEstimable(what=WHAT, reason="one_cluster")
    rows = [_row("att", -1, *_two_stages(kept, ["treated"])["treated"], clusters)]
    if by_time:
        names = {
            since: f"s{since}" for since in sorted(int(x) for x in kept.loc[kept["treated"] > 0, "since"].unique())
        }
        for since, name in names.items():
            kept[name] = ((kept["treated"] > 0) & (kept["since"] == since)).astype("float64")
        found = _two_stages(kept, list(names.values()))
        rows += [_row("since", since, *found[name], clusters) for since, name in names.items()]
    return pd.DataFrame(rows).assign(
        units=int(kept["u"].nunique()),
        joined=int(kept.loc[kept["treated"] > 0, "u"].nunique()),
        clusters=clusters,
        rows=len(kept),
        dropped_rows=len(data) - len(kept),
        method="two-stage differences in differences (did2s), CRV1 by cluster",
    )


def _panel(frame: pd.DataFrame, unit: str, time: str, outcome: str, joined: str, cluster: str | None) -> pd.DataFrame:
    for name in (unit, time, joined, cluster or unit):
        if name not in frame.columns:
            raise ColumnUnfit(column=name, problem="missing")
    for name in (unit, time, cluster or unit):
        if frame[name].isna().any():
            raise ColumnUnfit(column=name, problem="empty_value")
    if frame.duplicated([unit, time]).any():
        raise NotEstimable(what=WHAT, reason="duplicate_rows")
    times = np.sort(frame[time].unique())
    start = np.searchsorted(times, frame[joined].where(frame[joined].notna(), times[-1:].repeat(len(frame))))
    never = frame[joined].isna().to_numpy()
    place = np.searchsorted(times, frame[time])
    return pd.DataFrame(
        {
            "u": pd.factorize(frame[unit])[0],
            "t": place,
            "c": pd.factorize(frame[cluster or unit])[0],
            "y": numbers(frame, outcome).to_numpy(),
            "since": np.where(never, -1, place - start),
            "treated": (~never & (place >= start)).astype("float64"),
        }
    )


def _comparable(data: pd.DataFrame) -> pd.DataFrame:
    """The rows whose unit and time both have enough observations not yet touched; rows that go may take others."""
    while not data.empty:
        untouched = data[data["treated"] == 0]
        enough = np.ones(len(data), dtype=bool)
        for key in ("u", "t"):
            enough &= (data[key].map(untouched[key].value_counts()).fillna(0) >= UNTOUCHED).to_numpy()
        if enough.all():
            break
        data = data[enough]
    return data.reset_index(drop=True)


def _two_stages(data: pd.DataFrame, names: list[str]) -> dict[str, tuple[float, float]]:
    try:
        with older_pandas():
            fit: Any = pf.did2s(
                data,
                yname="y",
                first_stage="~ 0 | u + t",
                second_stage="~ " + " + ".join(names),
                treatment="treated",
                cluster="c",
            )
    except (ValueError, ZeroDivisionError, np.linalg.LinAlgError) as failed:
        raise NotEstimable(what=WHAT, reason="too_few_rows") from failed
    return {name: coefficient(fit, name, WHAT) for name in names}


def _row(estimand: str, since: int, estimate: float, se: float, clusters: int) -> dict[str, object]:
    low, high = interval(estimate, se, clusters - 1)
    return {"estimand": estimand, "since": since, "estimate": estimate, "se": se, "low": low, "high": high}
