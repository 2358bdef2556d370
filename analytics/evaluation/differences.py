"""Two groups, before and after: what changed in one more than in the other.

Believable only if both would have moved alike without the programme, which no data of the two times can show; the
method's name goes with the figure. docs/algorithms/evaluation.md, "Differences in differences".
"""

from typing import Final

import pandas as pd

from analytics.evaluation.estimates import (
    ColumnUnfit,
    NotEstimable,
    clustered,
    codes,
    coefficient,
    interval,
    numbers,
    regress,
)

WHAT: Final = "difference_in_differences"


def difference_in_differences(
    frame: pd.DataFrame, outcome: str, group: str, after: str, cluster: str | None = None
) -> pd.DataFrame:
    """The interaction of `group` and `after` (columns of 0 and 1) in a regression of `outcome` on both.

    cluster: a column naming who is alike, such as the store or district; up to 100 clusters their variance is the
    jackknife's (CRV3), the interval has clusters - 1 degrees of freedom. Without one, errors are taken as independent
    and of equal variance (iid), rows - 4 degrees of freedom.

    Returns one row: `estimand` (att), `estimate, se, low, high` (in units of the outcome, 95 %), `rows, clusters,
    method`. Raises ColumnUnfit, or NotEstimable if a group or time is missing or a group is a single cluster.
    """
    data = pd.DataFrame({"y": numbers(frame, outcome), "g": _truths(frame, group), "t": _truths(frame, after)})
    data["both"] = data["g"] * data["t"]
    if data.groupby(["g", "t"]).ngroups < 4:
        raise NotEstimable(what=WHAT, reason="group_or_time_missing")
    if data["y"].nunique() == 1:  # what is left of it by rounding is no error
        raise NotEstimable(what=WHAT, reason="no_variation")
    if cluster is None:
        fit = regress("y ~ g + t + both", data, "iid", WHAT)
        freedom, clusters, method = len(data) - 4, len(data), "least squares, iid"
    else:
        data["c"] = codes(frame, cluster)
        variance, clusters = clustered(data, "c", ["g"], WHAT)
        fit = regress("y ~ g + t + both", data, variance, WHAT)
        freedom, method = clusters - 1, f"least squares, {next(iter(variance))} by cluster"
    if freedom < 1:
        raise NotEstimable(what=WHAT, reason="too_few_rows")
    estimate, se = coefficient(fit, "both", WHAT)
    low, high = interval(estimate, se, freedom)
    return pd.DataFrame(
        [
            {
                "estimand": "att",
                "estimate": estimate,
                "se": se,
                "low": low,
                "high": high,
                "rows": len(data),
                "clusters": clusters,
                "method": method,
            }
        ]
    )


def _truths(frame: pd.DataFrame, column: str) -> "pd.Series[float]":
    values = numbers(frame, column)
    if not values.isin([0.0, 1.0]).all():
        raise ColumnUnfit(column=column, problem="not_0_or_1")
    return values
