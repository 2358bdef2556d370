"""Flows: from a store to the next one, and from the district where people live to the one where they pay.

Law: a resident with n visits makes n - 1 moves. Visits of one instant stand in the order of their payments'
numbers: arbitrary, but always the same.
"""

from typing import Final

import pandas as pd

from analytics.frames import Column, Dtype, Frame
from analytics.mining.engine import query, shaped
from analytics.mining.thresholds import MOST_DAYS, whole_of
from analytics.mining.visits import placed_visits, visits

STORE_FLOWS: Final = Frame(
    "store_flows",
    "a store and the next one",
    (
        Column("store", Dtype.TEXT, "where people were"),
        Column("next_store", Dtype.TEXT, "where they paid next; the same store for those who came back"),
        Column("moves", Dtype.INTEGER, "times that this happened"),
        Column("residents", Dtype.INTEGER, "distinct people who did it"),
        Column("same_day_moves", Dtype.INTEGER, "of the moves, within one civil day"),
        Column("share", Dtype.REAL, "of all moves away from `store` that count, 0 to 1"),
    ),
    ("store", "next_store"),
)

DISTRICT_FLOWS: Final = Frame(
    "district_flows",
    "a home district and a district of stores",
    (
        Column("home", Dtype.TEXT, "where the payers live"),
        Column("district", Dtype.TEXT, "where the stores stood on the day"),
        Column("visits", Dtype.INTEGER, "visits"),
        Column("residents", Dtype.INTEGER, "distinct people"),
        Column("net_yen", Dtype.INTEGER, "net spending, yen"),
        Column("visit_share", Dtype.REAL, "of the visits of `home`, 0 to 1"),
        Column("yen_share", Dtype.REAL, "of the net spending of `home`, 0 to 1"),
    ),
    ("home", "district"),
)

_MOVES: Final = """
with moves as (
  select resident, store, day,
         lead(store) over w as next_store, lead(day) over w as next_day
  from visits window w as (partition by resident order by "at", payment)
)
select store, next_store, count(*) as moves, count(distinct resident) as residents,
       count(*) filter (where day = next_day) as same_day_moves
from moves
where next_store is not null and (?::bigint is null or date_diff('day', day::date, next_day::date) <= ?)
group by 1, 2
"""

_DISTRICTS: Final = """
select home, district, count(*) as visits, count(distinct resident) as residents, sum(net_yen)::bigint as net_yen
from placed group by 1, 2
"""


def store_flows(spending: pd.DataFrame, within_days: int | None = None) -> pd.DataFrame:
    """Moves between stores (STORE_FLOWS), by store and next store; pairs that never happened have no row.

    With `within_days`, only moves whose days lie at most so many apart count (0: the same day). A payment taken
    back whole is skipped: its payer moved from the visit before it to the one after it.

    Raises FrameUnfit, and OutOfRange for `within_days` that are not whole, or not from 0 to MOST_DAYS.
    """
    most = None if within_days is None else whole_of("within_days", within_days, 0, MOST_DAYS)
    needed = visits(spending)[["payment", "resident", "store", "at", "day"]]
    found = query(_MOVES, most, most, visits=needed)
    found["share"] = found["moves"] / found.groupby("store")["moves"].transform("sum")
    return shaped(STORE_FLOWS, found)


def district_flows(spending: pd.DataFrame, residents: pd.DataFrame, stores: pd.DataFrame) -> pd.DataFrame:
    """Where the people of each district pay (DISTRICT_FLOWS), by home and district.

    A store that moved counts where it stood on the day of the visit. Residents and stores without a row are in
    the district `unknown`.

    Raises FrameUnfit.
    """
    placed = placed_visits(spending, residents, stores)[["resident", "home", "district", "net_yen"]]
    found = query(_DISTRICTS, placed=placed)
    of_home = found.groupby("home")[["visits", "net_yen"]].transform("sum")
    found["visit_share"] = found["visits"] / of_home["visits"]
    found["yen_share"] = found["net_yen"] / of_home["net_yen"]
    return shaped(DISTRICT_FLOWS, found)
