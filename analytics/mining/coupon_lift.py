"""Coupon lift: what being shown a coupon added to a person's spending at its store.

Those who were shown it are compared with people who were not, over the same days: first customers with
customers and strangers with strangers, then change with change (after less before), so that a coupon shown to
a store's best customers does not get the credit for what they bought anyway. It is a causal effect only if,
within customers and within strangers, who was shown the coupon has nothing to do with what they were going to
change; a random choice makes sure of that, a clerk's choice does not.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.frames import COUPONS, RESIDENTS, Column, Dtype, Frame, FrameUnfit
from analytics.mining.engine import shaped
from analytics.mining.refusals import NoComparison
from analytics.mining.thresholds import whole_of
from analytics.mining.visits import visits

COUPON_LIFT: Final = Frame(
    "coupon_lift",
    "a coupon",
    (
        Column("coupon", Dtype.TEXT, "the coupon's code"),
        Column("store", Dtype.TEXT, "its store"),
        Column("shown", Dtype.INTEGER, "residents who were shown it"),
        Column("used", Dtype.INTEGER, "of them, who used it"),
        Column("compared", Dtype.INTEGER, "of the shown, for whom there was someone to compare with"),
        Column("comparison", Dtype.INTEGER, "residents who were not shown it"),
        Column("lift_yen", Dtype.REAL, "added net spending at the store per person compared, yen"),
        Column("low_yen", Dtype.REAL, "lower end of its 95 % interval"),
        Column("high_yen", Dtype.REAL, "upper end"),
    ),
    ("coupon",),
)

LEAST_COMPARISON: Final = 10
"""People who were not shown a coupon, below which no lift is told."""
CONFIDENCE: Final = 0.95


def coupon_lift(
    coupons: pd.DataFrame, spending: pd.DataFrame, residents: pd.DataFrame, window_days: int = 28
) -> pd.DataFrame:
    """The lift of every coupon (COUPON_LIFT), by coupon.

    Outcome: a resident's net spending at the coupon's store on the `window_days` civil days from `shown_day` on,
    less the same before it. Strata: the day on which it was shown, and whether the resident had a visit at the
    store in the time before. Comparison: residents never shown it whose wallet is at least as old as the window
    before; the same for the shown. The lift is the mean over the shown of the difference within their stratum;
    the interval is Welch's, a person who is compared with on several days being one. A stratum with fewer than two
    on either side is left out (`compared` says how many that leaves).

    Raises FrameUnfit, also for a coupon of several stores, OutOfRange for a window outside 1 to 366 days,
    NoComparison when fewer than LEAST_COMPARISON residents were not shown a coupon or no stratum can be compared.
    """
    window_days = whole_of("window_days", window_days, 1, 366)
    shown, people = COUPONS.sound(coupons), RESIDENTS.sound(residents)[["resident", "joined_day"]]
    if (shown.groupby("coupon")["store"].nunique() > 1).any():
        raise FrameUnfit(frame=COUPONS.name, column="store", problem="not_one")
    found = visits(spending)[["resident", "store", "day", "net_yen"]]
    found = found[found["store"].isin(set(shown["store"]))]
    at_store = dict(iter(found.groupby("store")))
    rows = [
        _lift(str(coupon), group, at_store.get(group["store"].iloc[0], found.iloc[:0]), people, window_days)
        for coupon, group in shown.groupby("coupon")
    ]
    return shaped(COUPON_LIFT, pd.DataFrame(rows)) if rows else COUPON_LIFT.empty()


def _lift(
    coupon: str, shown: pd.DataFrame, visited: pd.DataFrame, people: pd.DataFrame, window_days: int
) -> dict[str, Any]:
    others = people[~people["resident"].isin(shown["resident"])]
    if len(others) < LEAST_COMPARISON:
        raise NoComparison(coupon=coupon, found=len(others), needed=LEAST_COMPARISON)
    differences, sizes, ours, theirs = [], [], [], []
    for day, group in shown.groupby("shown_day"):
        since = pd.Timestamp(str(day)) - timedelta(days=window_days)
        changes = _changes(visited, pd.Timestamp(str(day)), window_days)
        old = people[people["joined_day"] <= since]
        treated = _by_stratum(old[old["resident"].isin(group["resident"])]["resident"], changes)
        compared = _by_stratum(old[~old["resident"].isin(shown["resident"])]["resident"], changes)
        for own, others_own in zip(treated, compared, strict=True):
            if len(own) >= 2 and len(others_own) >= 2:
                differences.append(float(own.mean() - others_own.mean()))
                sizes.append(len(own))
                ours.append(_parts(own))
                theirs.append(_parts(others_own))
    if not sizes:
        raise NoComparison(coupon=coupon, found=0, needed=LEAST_COMPARISON)
    weights = np.array(sizes) / sum(sizes)
    lift = float(weights @ np.array(differences))
    margin = _reach(weights, ours, theirs)
    return {
        "coupon": coupon,
        "store": shown["store"].iloc[0],
        "shown": len(shown),
        "used": int(shown["used_day"].notna().sum()),
        "compared": sum(sizes),
        "comparison": len(others),
        "lift_yen": lift,
        "low_yen": lift - margin,
        "high_yen": lift + margin,
    }


def _parts(changes: "pd.Series[float]") -> "pd.Series[float]":
    """By resident, their part in the mean's error: its squares sum to the variance of the mean."""
    off: pd.Series[float] = changes - changes.mean()
    return off / float(np.sqrt(len(changes) * (len(changes) - 1)))


def _reach(weights: "np.ndarray[Any, Any]", ours: "list[pd.Series[float]]", theirs: "list[pd.Series[float]]") -> float:
    """Half of the 95 % interval: Student's t with Welch and Satterthwaite's degrees of freedom.

    Whoever was shown the coupon is in one stratum; whoever was not may be compared with on several days, and their
    parts are added up before they are squared: the same people are no new chance.
    """
    pieces = [(weight**2 * float((part**2).sum()), len(part) - 1) for weight, part in zip(weights, ours, strict=True)]
    added = pd.concat([weight * part for weight, part in zip(weights, theirs, strict=True)]).groupby(level=0).sum()
    pieces.append((float((added**2).sum()), len(added) - 1))
    variance = sum(piece for piece, _ in pieces)
    if variance == 0:
        return 0.0
    freedom = variance**2 / sum(piece**2 / own for piece, own in pieces)
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance))


def _changes(visited: pd.DataFrame, day: pd.Timestamp, window_days: int) -> pd.DataFrame:
    """By resident with a visit in either window: spending after less before, and whether there was one before."""
    near = visited[
        (visited["day"] >= day - timedelta(days=window_days)) & (visited["day"] < day + timedelta(days=window_days))
    ]
    before = near["day"] < day
    signed = near["net_yen"].where(~before, -near["net_yen"])
    return (
        pd.DataFrame({"resident": near["resident"], "change": signed, "before": before})
        .groupby("resident")
        .agg({"change": "sum", "before": "any"})
    )


def _by_stratum(residents: "pd.Series[Any]", changes: pd.DataFrame) -> "Iterator[pd.Series[float]]":
    """The changes of these residents (index), customers first, then strangers; who has no visit changed by nothing."""
    theirs = changes.reindex(residents)
    customer, change = theirs["before"].eq(True), theirs["change"].fillna(0).astype("float64")
    for wanted in (True, False):
        yield change[customer == wanted]
