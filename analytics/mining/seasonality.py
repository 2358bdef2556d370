"""The rhythm of days: sums by day without a gap, the week's hours, and what a holiday changes.

A row counts on its own civil day, a refund on the day it was made: these are the sums of the days as the books
have them, so a day can be below zero. A day without a row is a zero, not a missing figure.
"""

from typing import Any, Final

import holidays
import pandas as pd
from statsmodels.tsa.seasonal import STL

from analytics.frames import SPENDING, Column, Dtype, Frame
from analytics.mining.civil import civil_day
from analytics.mining.engine import query, shaped
from analytics.mining.refusals import SeriesTooShort, WindowEmpty
from analytics.mining.visits import visits

DAYS: Final = Frame(
    "days",
    "a civil day",
    (
        Column("day", Dtype.DAY, "the day"),
        Column("net_yen", Dtype.INTEGER, "sum of the day's rows, yen"),
        Column("payments", Dtype.INTEGER, "distinct payments made on it, taken back later or not"),
        Column("holiday", Dtype.TRUTH, "a national holiday of Japan"),
    ),
    ("day",),
)

SEASONS: Final = Frame(
    "seasons",
    "a civil day; net_yen = trend + weekly + holiday_yen + rest",
    (
        *DAYS.columns,
        Column("trend", Dtype.REAL, "where the level stands, yen"),
        Column("weekly", Dtype.REAL, "what its weekday adds, yen"),
        Column("holiday_yen", Dtype.REAL, "what holidays add: the median over those in the frame; 0 on other days"),
        Column("rest", Dtype.REAL, "what is left unexplained, yen"),
    ),
    ("day",),
)

WEEK_HOURS: Final = Frame(
    "week_hours",
    "an hour of a weekday: 168 rows, always",
    (
        Column("weekday", Dtype.INTEGER, "0 Monday to 6 Sunday, of the civil day in Asia/Tokyo"),
        Column("hour", Dtype.INTEGER, "0 to 23, in Asia/Tokyo"),
        Column("visits", Dtype.INTEGER, "visits"),
        Column("net_yen", Dtype.INTEGER, "net spending, yen"),
        Column("share", Dtype.REAL, "of all visits, 0 to 1; 0 when there are none"),
    ),
    ("weekday", "hour"),
)

WEEK: Final = 7
LEAST_DAYS: Final = 3 * WEEK
"""Days below which a week's rhythm is not told: each weekday three times."""

_HOURS: Final = """
select isodow(day) - 1 as weekday, hour, count(*) as visits, sum(net_yen)::bigint as net_yen
from visits group by 1, 2
"""


def days(spending: pd.DataFrame, first: pd.Timestamp | None = None, last: pd.Timestamp | None = None) -> pd.DataFrame:
    """Every civil day from `first` to `last` (DAYS); without them, from the frame's first row to its last.

    Raises FrameUnfit, DayUnknown, and WindowEmpty when `last` lies before `first`.
    """
    rows = SPENDING.sound(spending)
    begin = None if first is None else civil_day(first)
    end = None if last is None else civil_day(last)
    if rows.empty and (begin is None or end is None):
        return DAYS.empty()
    begin = rows["day"].min() if begin is None else begin
    end = rows["day"].max() if end is None else end
    if end < begin:
        raise WindowEmpty(first=f"{begin:%Y-%m-%d}", last=f"{end:%Y-%m-%d}")
    every = pd.date_range(begin, end, freq="D", unit="us")
    sums = rows.groupby("day")["amount_yen"].sum().reindex(every, fill_value=0)
    made = rows[rows["kind"] == "payment"].groupby("day")["payment"].nunique().reindex(every, fill_value=0)
    free = holidays.country_holidays("JP", years=range(begin.year, end.year + 1))
    return shaped(
        DAYS,
        pd.DataFrame(
            {
                "day": every,
                "net_yen": sums.to_numpy(),
                "payments": made.to_numpy(),
                "holiday": [day.date() in free for day in every],
            }
        ),
    )


def seasons(
    spending: pd.DataFrame, first: pd.Timestamp | None = None, last: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Level, weekday, holidays and the rest of every day's net sum (SEASONS).

    Robust STL with a period of seven days (Cleveland and others 1990, as statsmodels has it), so that a single
    strange day bends neither level nor week; what holidays differ from that, by the median, is their effect.

    Raises FrameUnfit, DayUnknown, WindowEmpty, and SeriesTooShort below LEAST_DAYS days.
    """
    series = days(spending, first, last)
    if len(series) < LEAST_DAYS:
        raise SeriesTooShort(found=len(series), needed=LEAST_DAYS)
    values = series["net_yen"].astype("float64")
    if values.nunique() == 1:  # nothing varies, so there is nothing to tell apart (and robust weights are 0/0)
        return shaped(SEASONS, series.assign(trend=values, weekly=0.0, holiday_yen=0.0, rest=0.0))
    parts: Any = STL(values.to_numpy(), period=WEEK, robust=True).fit()
    left = pd.Series(values.to_numpy() - parts.trend - parts.seasonal)
    effect = float(left[series["holiday"]].median()) if series["holiday"].any() else 0.0
    holiday_yen = series["holiday"].astype("float64") * effect
    found = series.assign(trend=parts.trend, weekly=parts.seasonal, holiday_yen=holiday_yen, rest=left - holiday_yen)
    return shaped(SEASONS, found)


def week_hours(spending: pd.DataFrame) -> pd.DataFrame:
    """Visits and net spending by hour and weekday of the payment (WEEK_HOURS), 168 rows.

    Raises FrameUnfit.
    """
    made = visits(spending)
    found = query(_HOURS, visits=made[["day", "net_yen"]].assign(hour=made["at"].dt.hour))
    every = pd.MultiIndex.from_product([range(7), range(24)], names=["weekday", "hour"])
    dense = found.set_index(["weekday", "hour"]).reindex(every, fill_value=0).reset_index()
    total = int(dense["visits"].sum())
    return shaped(WEEK_HOURS, dense.assign(share=dense["visits"] / total if total else 0.0))
