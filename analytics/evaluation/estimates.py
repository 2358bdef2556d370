"""What every estimate carries, when none is given, and how its interval is made.

An estimate never travels without its interval, the number of people and of clusters behind it, and its method.
Where the data cannot answer, the refusal says why in a word. docs/algorithms/evaluation.md
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
import pyfixest as pf
from scipy import stats

from analytics.foreign import older_pandas
from analytics.frames import Frame
from services.kit.errors import Refusal

CONFIDENCE: Final = 0.95
JACKKNIFED_CLUSTERS: Final = 100
"""Up to so many clusters their variance is the jackknife's (CRV3), which keeps its word when clusters are few."""


class NotEstimable(Refusal):
    """The data cannot answer: `what` was asked, and `reason`, a word with a text under `evaluation.reason.…`."""

    code: ClassVar[str] = "not_estimable"


class ColumnUnfit(Refusal):
    """A frame of the caller's own lacks `column`, or holds there what `problem` says."""

    code: ClassVar[str] = "evaluation_column_unfit"


def whole_weeks(weeks: float, least: int, what: str) -> int:
    """A number of weeks that somebody asked for. Raises NotEstimable if it is not whole, or below `least`."""
    if weeks % 1 != 0 or weeks < least:  # what is no number, or endless, leaves no rest of 0 either
        raise NotEstimable(what=what, reason="weeks_not_whole")
    return int(weeks)


def conform_unique(frame: Frame, data: pd.DataFrame) -> pd.DataFrame:
    """`frame.conform`, and no key twice: people counted twice would make intervals too narrow."""
    fit = frame.conform(data)
    if fit.duplicated(list(frame.key)).any():
        raise NotEstimable(what=frame.name, reason="duplicate_rows")
    return fit


def only(data: pd.DataFrame, column: str, *, full: bool = True) -> "pd.Series[Any]":
    """The one column of this name, with a value in every row if `full`. Raises ColumnUnfit."""
    if column not in data.columns:
        raise ColumnUnfit(column=column, problem="missing")
    values: Any = data[column]
    if isinstance(values, pd.DataFrame):
        raise ColumnUnfit(column=column, problem="twice")
    if full and values.isna().any():
        raise ColumnUnfit(column=column, problem="empty_value")
    return values  # type: ignore[no-any-return]


def numbers(data: pd.DataFrame, column: str) -> "pd.Series[float]":
    """A column as real numbers. Raises ColumnUnfit where it is not one, no real number, empty in a row or infinite."""
    values = only(data, column, full=False)
    kinds = pd.api.types
    if kinds.is_complex_dtype(values) or not (kinds.is_numeric_dtype(values) or kinds.is_bool_dtype(values)):
        raise ColumnUnfit(column=column, problem="no_number")
    values = values.astype("float64")
    if not bool(np.isfinite(values).all()):
        raise ColumnUnfit(column=column, problem="empty_value")
    return values


def codes(data: pd.DataFrame, column: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Which value of a column each row has, numbered as they come. Raises ColumnUnfit, also for lists and the like."""
    try:
        return pd.factorize(only(data, column))[0].astype(np.int64)
    except TypeError:
        raise ColumnUnfit(column=column, problem="no_order") from None


def interval(estimate: float, se: float, freedom: float) -> tuple[float, float]:
    """The 95 % interval from Student's t with `freedom` degrees of freedom."""
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * se
    return estimate - reach, estimate + reach


def regress(formula: str, data: pd.DataFrame, variance: str | dict[str, str], what: str) -> Any:
    """A pyfixest regression. Raises NotEstimable if the data leave nothing to estimate from."""
    try:
        with older_pandas(), np.errstate(divide="ignore", invalid="ignore"):  # a perfect fit has a t of infinity
            return pf.feols(formula, data, vcov=variance, fixef_rm="none")
    except (ValueError, ZeroDivisionError, np.linalg.LinAlgError) as failed:
        raise NotEstimable(what=what, reason="too_few_rows") from failed


def clustered(data: pd.DataFrame, cluster: str, arms: Sequence[str], what: str) -> tuple[dict[str, str], int]:
    """The variance for so many clusters, and how many they are.

    Each arm (a column of truths) must hold at least two clusters and leave at least two outside it, or a cluster's
    own luck could not be told from the effect.
    """
    count = int(data[cluster].nunique())
    if count < 2:
        raise NotEstimable(what=what, reason="one_cluster")
    for arm in arms:
        inside = data.loc[data[arm].astype(bool), cluster].nunique()
        outside = data.loc[~data[arm].astype(bool), cluster].nunique()
        if inside < 2 or outside < 2:
            raise NotEstimable(what=what, reason="one_cluster")
    return {"CRV3" if count <= JACKKNIFED_CLUSTERS else "CRV1": cluster}, count


def coefficient(fit: Any, name: str, what: str) -> tuple[float, float]:
    """A coefficient and its standard error. Raises NotEstimable where there is none, or it has no variance."""
    estimates, errors = fit.coef(), fit.se()
    if name not in estimates.index:
        raise NotEstimable(what=what, reason="no_variation")
    estimate, se = float(estimates[name]), float(errors[name])
    if not np.isfinite(estimate) or not np.isfinite(se) or se <= 0:
        raise NotEstimable(what=what, reason="no_variation")
    return estimate, se
