"""Rules that look at a person: when they pay and how fast."""

from typing import Final

import pandas as pd

from analytics.alerts.excess import ODD, excess, score_of
from analytics.alerts.findings import Alert
from analytics.mining.engine import query

NIGHT_HOURS: Final = (0, 1, 2, 3, 4)
LEAST_NIGHT: Final = 3
VELOCITY_MINUTES: Final = 15
LEAST_FAST: Final = 6
LEAST_STORES: Final = 2

# Payments taken back later were made as fast as the others, so all count. The fullest window of a person decides,
# the earliest of equal ones; lists are made for it alone.
_FAST: Final = """
with made as (
  select distinct payment, resident, store, epoch_us("at") as t from spending where kind = 'payment'
), counted as (
  select resident, t, count(*) over w as payments
  from made window w as (partition by resident order by t range between ? preceding and current row)
), fullest as (
  select resident, max_by(t, (payments, -t)) as ends from counted where payments >= ? group by resident
)
select resident, count(*) as payments, list(payment) as which, count(distinct store) as stores
from made join fullest using (resident) where t between ends - ? and ends
group by resident having stores >= ?
"""


def night(visits: pd.DataFrame) -> list[Alert]:
    """People who pay between midnight and five in Tokyo on three days or more, far more than others do."""
    dark = visits["at"].dt.hour.isin(NIGHT_HOURS)
    every = visits.groupby("resident").size()
    late = visits[dark].groupby("resident").size().reindex(every.index, fill_value=0)
    days = visits[dark].groupby("resident")["day"].nunique()
    odd = excess(late.to_numpy(), every.to_numpy())
    alerts = []
    for who, value, count, of in zip(every.index, odd, late, every, strict=True):
        if value >= ODD and days.get(who, 0) >= LEAST_NIGHT:
            payments = tuple(int(number) for number in visits.loc[dark & (visits["resident"] == who), "payment"])
            told = {"payments": int(count), "of": int(of), "days": int(days[who])}
            alerts.append(Alert("night", "", (int(who),), payments, score_of(value), told, int(who)))
    return alerts


def velocity(spending: pd.DataFrame) -> list[Alert]:
    """People with six payments or more within a quarter of an hour, at two stores or more."""
    needed = spending[["payment", "kind", "resident", "store", "at"]]
    window = VELOCITY_MINUTES * 60_000_000
    found = query(_FAST, window, LEAST_FAST, window, LEAST_STORES, spending=needed)
    return [
        Alert(
            "velocity",
            "",
            (int(row["resident"]),),
            tuple(int(number) for number in row["which"]),
            (row["payments"] - LEAST_FAST + 1) / (row["payments"] - LEAST_FAST + 4),
            {"payments": int(row["payments"]), "minutes": VELOCITY_MINUTES, "stores": int(row["stores"])},
            int(row["resident"]),
        )
        for row in found.sort_values("resident").to_dict("records")
    ]
