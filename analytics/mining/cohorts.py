"""Cohorts: of those who first paid in a month, how many paid again in each month that followed.

Months are calendar months of the civil `day`. A cohort's months run to the last one looked at, those in which
nobody came included, so that no gap is mistaken for a missing figure.
"""

from typing import Final

import pandas as pd

from analytics.frames import Column, Dtype, Frame
from analytics.mining.civil import last_day
from analytics.mining.engine import query, shaped
from analytics.mining.visits import visits

COHORTS: Final = Frame(
    "cohorts",
    "a cohort in a month",
    (
        Column("cohort", Dtype.DAY, "first day of the month of the first visit"),
        Column("months_since", Dtype.INTEGER, "months after that month, from 0"),
        Column("people", Dtype.INTEGER, "residents in the cohort"),
        Column("active", Dtype.INTEGER, "of them, with a visit in that month"),
        Column("net_yen", Dtype.INTEGER, "what they spent in it, net, yen"),
        Column("retention", Dtype.REAL, "active / people, 0 to 1"),
    ),
    ("cohort", "months_since"),
)

# A month is counted as one number, twelve a year, so that differences are plain subtraction.
_COHORTS: Final = """
with monthly as (
  select resident, year(day) * 12 + month(day) - 1 as month, sum(net_yen) as net_yen from visits group by 1, 2
), members as (
  select resident, min(month) as cohort from monthly group by resident
), sizes as (
  select cohort, count(*) as people from members group by cohort
), grid as (
  select cohort, people, unnest(range(0, ? - cohort + 1)) as months_since from sizes
), found as (
  select b.cohort, m.month - b.cohort as months_since, count(*) as active, sum(m.net_yen) as net_yen
  from monthly m join members b using (resident) group by 1, 2
)
select make_date(g.cohort // 12, g.cohort % 12 + 1, 1) as cohort, g.months_since, g.people,
       coalesce(f.active, 0) as active, coalesce(f.net_yen, 0)::bigint as net_yen
from grid g left join found f using (cohort, months_since)
"""


def cohorts(spending: pd.DataFrame, through: pd.Timestamp | None = None) -> pd.DataFrame:
    """Monthly cohorts with their retention (COHORTS), by cohort and month.

    `through` is the last civil day looked at (later visits do not count); without it, the last day on which the
    frame has a row of any kind. A visit counts in the month of its payment, net of whatever was taken back later.

    Raises FrameUnfit, and DayUnknown for a `through` that is no day.
    """
    found = visits(spending)[["resident", "day", "net_yen"]]
    last = last_day(through, spending["day"])
    found = found if last is None else found[found["day"] <= last]
    if last is None or found.empty:
        return COHORTS.empty()
    answer = query(_COHORTS, last.year * 12 + last.month - 1, visits=found)
    return shaped(COHORTS, answer.assign(retention=answer["active"] / answer["people"]))
