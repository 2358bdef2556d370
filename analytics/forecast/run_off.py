"""Run-off of a liability by cohorts and age: Mack's chain ladder, as the library `chainladder` has it.

For points, a cohort is what was issued in a period and the amount is what was used up to an age: then what is still
to come is the use that the outstanding points will see. docs/algorithms/forecasts.md, "Run-off".
"""

from typing import Any, Final

import chainladder
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from analytics.evaluation.estimates import CONFIDENCE, ColumnUnfit, NotEstimable, numbers, only
from analytics.foreign import older_pandas

WHAT: Final = "run_off"
TOTAL: Final = "total"
Reals = npt.NDArray[np.float64]
cl: Any = chainladder
"""The library exports its classes without telling a type checker."""
LEAST_COHORTS: Final = 4
"""The last age's variance rests on one factor and is extrapolated from those before it, which takes two of them."""


def run_off(triangle: pd.DataFrame) -> pd.DataFrame:
    """Mack's forecast (1993) of a cumulative triangle with the columns `origin`, `age`, `amount`.

    origin: the cohort, any values in order (weeks of issue, accident years). age: any equally spaced numbers, the
    same for every cohort; the newest cohort has the first age only, each older one exactly one more. Amounts are
    cumulative, in yen, above zero.

    Returns one row a cohort, then `total`: `origin, latest, outstanding, ultimate, se, low, high`. `se` is Mack's
    standard error of `ultimate`; `low` and `high` are its 95 % interval, lognormal as Mack (1994) proposes, by
    Student's t as its variances are estimated, above `latest` where amounts only grow.

    Raises ColumnUnfit or NotEstimable.
    """
    wide = _wide(triangle)
    with older_pandas(), np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        fitted = cl.MackChainladder().fit(_library_triangle(wide))
        summary = fitted.summary_.to_frame()
    if len(summary) != len(wide):
        raise NotEstimable(what=WHAT, reason="ragged_triangle")
    latest = summary["Latest"].to_numpy(dtype="float64")
    ultimate = summary["Ultimate"].to_numpy(dtype="float64")
    ultimate = np.where(np.isfinite(ultimate), ultimate, latest)
    sigma, factor = (
        np.asarray(each.values, dtype="float64").ravel()[: len(wide) - 1] for each in (fitted.X_.sigma_, fitted.X_.ldf_)
    )
    amounts = wide.to_numpy(dtype="float64")
    parts = _parts(amounts, _spread(np.nan_to_num(sigma), amounts), factor)
    *each_se, total_se = np.sqrt(parts.sum(axis=1))
    rows = pd.DataFrame({"origin": wide.index, "latest": latest, "ultimate": ultimate, "se": each_se})
    whole = pd.DataFrame([{"origin": TOTAL, "latest": latest.sum(), "ultimate": ultimate.sum(), "se": total_se}])
    rows = pd.concat([rows.astype({"origin": object}), whole.astype({"origin": object})], ignore_index=True)
    low, high = _outstanding_interval(rows["ultimate"] - rows["latest"], rows["se"], _freedom(parts))
    rows["outstanding"] = rows["ultimate"] - rows["latest"]
    rows["low"], rows["high"] = rows["latest"] + low, rows["latest"] + high
    return rows[["origin", "latest", "outstanding", "ultimate", "se", "low", "high"]]


def _spread(sigma: Reals, wide: Reals) -> Reals:
    """Mack's sigma by age. Of ages in which all cohorts grew alike it is zero, and has no logarithm: the line that
    tells the last age's goes through the others then, never above the largest; with one left it is that one.
    """
    seen = sigma[:-1]
    varied = seen > 1e-9 * np.sqrt(np.nanmax(wide, axis=0)[: len(seen)])  # what is less is rounding
    if varied.all():
        return sigma
    ages, logs = np.flatnonzero(varied), np.log(seen[varied])
    if len(ages) == 0:
        last = 0.0
    else:
        line = np.polyfit(ages, logs, min(len(ages), 2) - 1)
        last = float(np.exp(min(np.polyval(line, len(seen)), logs.max())))
    return np.append(np.where(varied, seen, 0.0), last)


def _parts(wide: Reals, sigma: Reals, factor: Reals) -> Reals:
    """What each age adds to the mean squared error of each cohort, and in the last row to that of the total."""
    count = len(wide)
    whole = wide.copy()
    for age in range(count - 1):
        late = np.isnan(whole[:, age + 1])
        whole[late, age + 1] = whole[late, age] * factor[age]
    parts = np.zeros((count + 1, count - 1))
    for age in range(count - 1):
        to_come = np.arange(count) >= count - 1 - age
        ultimate = np.where(to_come, whole[:, -1], 0.0)
        scale = (sigma[age] / factor[age]) ** 2
        known = wide[~to_come, age].sum()
        parts[:count, age] = scale * (ultimate**2 / whole[:, age] + ultimate**2 / known)
        parts[count, age] = scale * ((ultimate**2 / whole[:, age]).sum() + ultimate.sum() ** 2 / known)
    return parts


def _freedom(parts: Reals) -> Reals:
    """Degrees of freedom of each cohort's error, then of the total's, by Satterthwaite from those of its ages.

    Mack's error adds up sigma²(age), each estimated from one factor less than there are cohorts with that age; the last
    is extrapolated and counts as one. Infinite where nothing is uncertain.
    """
    ages = parts.shape[1]
    own = np.maximum(np.append(ages - 1 - np.arange(ages - 1), 1), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = parts.sum(axis=1) ** 2 / (parts**2 / own).sum(axis=1)
    return np.where(np.isfinite(freedom), freedom, np.inf)


def _outstanding_interval(
    outstanding: "pd.Series[float]", se: "pd.Series[float]", freedom: Reals
) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """Lognormal with the mean and variance of what is outstanding, by Student's t; around it, not around its logarithm,
    where that mean is not positive."""
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, freedom)
    positive = outstanding > 0
    mean = outstanding.where(positive, 1.0)
    sigma = np.sqrt(np.log1p((se / mean) ** 2))
    middle = np.log(mean) - sigma**2 / 2
    low = pd.Series(np.exp(middle - reach * sigma), index=se.index).where(positive, outstanding - reach * se)
    high = pd.Series(np.exp(middle + reach * sigma), index=se.index).where(positive, outstanding + reach * se)
    certain = se == 0
    return low.where(~certain, outstanding), high.where(~certain, outstanding)


def _wide(triangle: pd.DataFrame) -> pd.DataFrame:
    """Cohorts down, ages across. Raises where a cell is there twice or the shape is no triangle."""
    for name in ("origin", "age", "amount"):
        only(triangle, name)
    if triangle.duplicated(["origin", "age"]).any():
        raise NotEstimable(what=WHAT, reason="duplicate_rows")
    numbers(triangle, "amount")
    if triangle["origin"].nunique() < LEAST_COHORTS or triangle["age"].nunique() < LEAST_COHORTS:
        raise NotEstimable(what=WHAT, reason="too_few_cohorts")
    try:
        wide = triangle.pivot_table(index="origin", columns="age", values="amount").sort_index().sort_index(axis=1)
    except TypeError:
        raise ColumnUnfit(column="origin, age", problem="no_order") from None
    known = wide.notna().sum(axis=1).to_numpy()
    gaps = (wide.notna().to_numpy()[:, 1:] & ~wide.notna().to_numpy()[:, :-1]).any()
    if gaps or len(wide) != wide.shape[1] or (known != np.arange(len(wide), 0, -1)).any():
        raise NotEstimable(what=WHAT, reason="ragged_triangle")
    if (wide.iloc[:, 0] <= 0).any():
        raise NotEstimable(what=WHAT, reason="empty_cohort")
    if (wide <= 0).any(axis=None):
        raise NotEstimable(what=WHAT, reason="fell_to_nothing")
    return wide


def _library_triangle(wide: pd.DataFrame) -> Any:
    """The library knows years; what a period is called changes nothing, so cohort and age are numbered as years."""
    rows, columns = np.nonzero(wide.notna().to_numpy())
    flat = pd.DataFrame(
        {
            "origin": pd.to_datetime((1900 + rows).astype(str), format="%Y"),
            "valuation": pd.to_datetime((1900 + rows + columns).astype(str), format="%Y"),
            "amount": wide.to_numpy()[rows, columns].astype("float64"),
        }
    )
    return cl.Triangle(flat, origin="origin", development="valuation", columns="amount", cumulative=True)
