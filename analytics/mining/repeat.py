"""Who comes back to a store, and after how long.

Several payments of one day are one visit day: nobody "returns" between the till's two receipts. Someone who
has not come back by the last day looked at may yet come: they are right-censored, and counted as such by the
Kaplan-Meier estimate (Kaplan and Meier 1958), not taken for lost.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from analytics.frames import Column, Dtype, Frame
from analytics.mining.civil import last_day
from analytics.mining.engine import query, shaped
from analytics.mining.visits import visits

INTERVALS: Final = Frame(
    "return_intervals",
    "a customer of a store on a day of theirs there",
    (
        Column("store", Dtype.TEXT, "the store"),
        Column("resident", Dtype.INTEGER, "the customer"),
        Column("visit", Dtype.INTEGER, "their how-manieth day there, from 1"),
        Column("day", Dtype.DAY, "the civil day"),
        Column("days", Dtype.INTEGER, "to their next day there, or to the last day looked at"),
        Column("returned", Dtype.TRUTH, "there was a next day; otherwise the interval is right-censored"),
    ),
    ("store", "resident", "visit"),
)

REPEATS: Final = Frame(
    "repeats",
    "a store with a visit",
    (
        Column("store", Dtype.TEXT, "the store"),
        Column("customers", Dtype.INTEGER, "distinct residents with a visit"),
        Column("visit_days", Dtype.INTEGER, "distinct days of residents"),
        Column("repeaters", Dtype.INTEGER, "customers with two days or more"),
        Column("repeat_share", Dtype.REAL, "repeaters / customers: what was seen so far, too low for new ones"),
        Column(
            "within_7_days",
            Dtype.REAL,
            "estimated share who return within 7 days of their first; NaN if unknown",
            nullable=True,
        ),
        Column("within_30_days", Dtype.REAL, "the same within 30 days", nullable=True),
        Column(
            "median_days",
            Dtype.REAL,
            "estimated days after which half have returned; NaN if not reached",
            nullable=True,
        ),
    ),
    ("store",),
)

RETURN_CURVE: Final = Frame(
    "return_curve",
    "a number of days after which someone returned",
    (
        Column("days", Dtype.INTEGER, "since the first visit"),
        Column("waiting", Dtype.INTEGER, "customers known not to have returned before"),
        Column("returned", Dtype.INTEGER, "of them, returned on that day"),
        Column("share", Dtype.REAL, "estimated share that has returned by then, 0 to 1"),
        Column("low", Dtype.REAL, "lower end of the 95 % interval (Greenwood, by arcsine)"),
        Column("high", Dtype.REAL, "upper end"),
    ),
    ("days",),
)

_INTERVALS: Final = """
with days as (select distinct store, resident, day from visits where day <= ?),
ahead as (
  select *, row_number() over w as visit, lead(day) over w as next_day
  from days window w as (partition by store, resident order by day)
)
select store, resident, visit, day, next_day is not null as returned,
       date_diff('day', day::date, coalesce(next_day::date, ?::date)) as days
from ahead
"""
_NORMAL_95: Final = 1.959963984540054


def return_intervals(spending: pd.DataFrame, through: pd.Timestamp | None = None) -> pd.DataFrame:
    """Every customer's intervals at every store (INTERVALS), by store, resident and visit.

    `through` is the last civil day looked at; without it, the last day on which the frame has a row of any kind.

    Raises FrameUnfit, and DayUnknown for a `through` that is no day.
    """
    found = visits(spending)[["store", "resident", "day"]]
    last = last_day(through, spending["day"])
    if last is None or found.empty:
        return INTERVALS.empty()
    return shaped(INTERVALS, query(_INTERVALS, last, last, visits=found))


def repeats(spending: pd.DataFrame, through: pd.Timestamp | None = None) -> pd.DataFrame:
    """How many come back to each store (REPEATS), by store.

    The estimates look at each customer's first return only: one interval a customer, so that a few frequent
    ones do not stand for all. One is NaN where everybody still watched had left before its days were over.

    Raises FrameUnfit, and DayUnknown for a `through` that is no day.
    """
    intervals = return_intervals(spending, through)
    first = intervals[intervals["visit"] == 1]
    counts = first.groupby("store")["returned"].agg(["size", "sum"])
    found = pd.DataFrame(
        {
            "store": counts.index.astype("str"),
            "customers": counts["size"].to_numpy(),
            "visit_days": intervals.groupby("store").size().to_numpy(),
            "repeaters": counts["sum"].to_numpy(dtype="int64"),
        }
    )
    found["repeat_share"] = found["repeaters"] / found["customers"]
    rows = list(_estimates(first))
    estimates = pd.DataFrame(rows, columns=["within_7_days", "within_30_days", "median_days"], dtype="float64")
    return shaped(REPEATS, pd.concat([found, estimates], axis=1))


def return_curve(spending: pd.DataFrame, store: str, through: pd.Timestamp | None = None) -> pd.DataFrame:
    """The estimated share of a store's customers who returned within so many days (RETURN_CURVE), by days.

    A store without a return has no rows. Raises FrameUnfit, and DayUnknown.
    """
    intervals = return_intervals(spending, through)
    curve = _survival(intervals[(intervals["visit"] == 1) & (intervals["store"] == store)])
    if curve is None:
        return RETURN_CURVE.empty()
    gone = curve.n_events > 0
    share = 1 - curve.surv_prob[gone]
    low, high = _between(curve.surv_prob[gone], curve.surv_prob_se[gone])
    return shaped(
        RETURN_CURVE,
        pd.DataFrame(
            {
                "days": curve.surv_times[gone],
                "waiting": curve.n_risk[gone],
                "returned": curve.n_events[gone],
                "share": share,
                "low": low,
                "high": high,
            }
        ),
    )


def _between(left: Any, error: Any) -> tuple[Any, Any]:
    """The 95 % interval of 1 - S by the arcsine of its root (Borgan and Liestøl 1990): Greenwood's error is nearer to
    normal there than at S itself, whose interval misses one in eleven with thirty customers.

    Where all have returned there is no error to go by: at most all, and at least what was known the time before.
    """
    some = left > 0
    root = np.arcsin(np.sqrt(left))
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = _NORMAL_95 / 2 * error / np.sqrt(left * (1 - left))
    low = 1 - np.sin(np.minimum(root + np.where(some, reach, 0.0), np.pi / 2)) ** 2
    high = np.where(some, 1 - np.sin(np.maximum(root - np.where(some, reach, 0.0), 0.0)) ** 2, 1.0)
    known = low[some].max(initial=0.0)
    return np.where(some, low, known), high


def _estimates(first: pd.DataFrame) -> Iterator[tuple[float, float, float]]:
    for _, customers in first.groupby("store"):
        curve = _survival(customers)
        if curve is None:
            watched = int(customers["days"].max())
            yield (0.0 if watched >= 7 else np.nan, 0.0 if watched >= 30 else np.nan, np.nan)
            continue
        yield _share_by(curve, customers, 7), _share_by(curve, customers, 30), _median(curve)


def _median(curve: Any) -> float:
    """The first day with half returned; NaN if none. In fractions: the curve's logarithms miss an exact half."""
    left = Fraction(1)
    for day, waiting, gone in zip(curve.surv_times, curve.n_risk, curve.n_events, strict=True):
        left *= 1 - Fraction(int(gone), int(waiting))
        if 2 * left <= 1:
            return float(day)
    return float("nan")


def _share_by(curve: Any, customers: pd.DataFrame, days: int) -> float:
    """1 - S(days); NaN when the curve ends above zero before that day, for then nobody was watched so long."""
    before = curve.surv_prob[curve.surv_times <= days]
    left = float(before[-1]) if len(before) else 1.0
    return 1 - left if left == 0.0 or int(customers["days"].max()) >= days else np.nan


def _survival(customers: pd.DataFrame) -> Any | None:
    """The estimate over first returns; an interval of no days (first seen on the last day) tells nothing."""
    watched = customers[customers["days"] > 0]
    if not watched["returned"].any():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # the error where nobody is left is 0/0
        return SurvfuncRight(watched["days"].to_numpy(), watched["returned"].to_numpy(dtype="int64"))
