"""New customers: who paid at a store for the first time, and whom a store brought into the city's points at all.

New means: no visit there since the frame begins. A frame that begins with the window would call everybody new,
so the function asks for a time before it in which a customer could have been seen, and refuses without one.
"""

from datetime import timedelta
from typing import Final

import pandas as pd

from analytics.frames import COUPONS, Column, Dtype, Frame
from analytics.mining.civil import civil_day
from analytics.mining.engine import query, shaped
from analytics.mining.refusals import HistoryTooShort, WindowEmpty
from analytics.mining.thresholds import MOST_DAYS, whole_of
from analytics.mining.visits import visits

NEWCOMERS: Final = Frame(
    "newcomers",
    "a store with a visit in the window",
    (
        Column("store", Dtype.TEXT, "the store"),
        Column("customers", Dtype.INTEGER, "distinct residents with a visit in the window"),
        Column("new_customers", Dtype.INTEGER, "of them, who had none there before"),
        Column("new_to_city", Dtype.INTEGER, "of the new, whose very first visit anywhere was this one"),
        Column("by_coupon", Dtype.INTEGER, "of the new, who used a coupon of the store on the day of that visit"),
        Column("returned", Dtype.INTEGER, "of the new, with a visit there on a later day of the window"),
        Column("new_yen", Dtype.INTEGER, "net spending of the new there in the window, yen"),
    ),
    ("store",),
)

_NEWCOMERS: Final = """
with ranked as (
  select store, resident, day, net_yen,
         row_number() over (partition by resident order by "at", payment) = 1 as very_first,
         min(day) over (partition by store, resident) as first_day
  from visits where day <= ?
), pairs as (
  select store, resident, min(first_day) as first_day, bool_or(very_first) as very_first,
         sum(net_yen) as net_yen, max(day) > min(first_day) as returned
  from ranked where day >= ? group by store, resident
), used as (select distinct store, resident, used_day from coupons where used_day is not null)
select p.store, count(*) as customers,
       count(*) filter (where p.first_day >= ?) as new_customers,
       count(*) filter (where p.first_day >= ? and p.very_first) as new_to_city,
       count(*) filter (where p.first_day >= ? and u.used_day is not null) as by_coupon,
       count(*) filter (where p.first_day >= ? and p.returned) as returned,
       coalesce(sum(p.net_yen) filter (where p.first_day >= ?), 0)::bigint as new_yen
from pairs p left join used u on u.store = p.store and u.resident = p.resident and u.used_day = p.first_day
group by p.store
"""


def newcomers(
    spending: pd.DataFrame,
    first: pd.Timestamp,
    last: pd.Timestamp,
    coupons: pd.DataFrame | None = None,
    lookback_days: int = 28,
) -> pd.DataFrame:
    """New customers of every store from the civil day `first` to `last` (NEWCOMERS), by store.

    The frame's first row must lie at least `lookback_days` before `first`; 0 says that the frame begins where
    the programme does, so that nobody could have been a customer earlier. Two first visits of one instant stand
    in the order of their payments' numbers, so that a resident is new to the city at exactly one store.

    Raises FrameUnfit, DayUnknown, WindowEmpty, HistoryTooShort, OutOfRange for a look-back that is not whole, or
    not from 0 to MOST_DAYS.
    """
    first, last = civil_day(first), civil_day(last)
    if last < first:
        raise WindowEmpty(first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}")
    lookback_days = whole_of("lookback_days", lookback_days, 0, MOST_DAYS)
    found = visits(spending)[["payment", "resident", "store", "at", "day", "net_yen"]]
    shown = COUPONS.sound(coupons if coupons is not None else COUPONS.empty())
    if found.empty:
        return NEWCOMERS.empty()
    begins, needed = civil_day(spending["day"].min()), first - timedelta(days=lookback_days)
    if lookback_days and begins > needed:
        raise HistoryTooShort(begins=f"{begins:%Y-%m-%d}", first=f"{first:%Y-%m-%d}", needed=f"{needed:%Y-%m-%d}")
    answer = query(_NEWCOMERS, last, *[first] * 6, visits=found, coupons=shown[["store", "resident", "used_day"]])
    return shaped(NEWCOMERS, answer)
