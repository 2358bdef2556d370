"""Rules that look at a store as a whole: who its money comes from, and how wallets end there.

Both compare a store with the other stores of the frame, and say nothing when there are too few of them.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.alerts.excess import LEAST_MEMBERS, ODD, Numbers, excess, score_of
from analytics.alerts.findings import Alert
from analytics.mining.engine import query

TOP: Final = 3
LEAST_PAYERS: Final = 5
LEAST_YEN: Final = 20_000
LEAST_DRAINED: Final = 3
_FLATTEST: Final = 0.1

# A drain: the wallet is empty after this payment, and most of what its holder had spent until then went to this
# store within the three days up to it.
_DRAINS: Final = """
with spent as (
  select payment, resident, store, emptied, gross_yen,
         sum(gross_yen) over (partition by resident order by "at", payment) as until_now,
         sum(gross_yen) over (partition by resident, store order by epoch_us("at")
                              range between 259200000000 preceding and current row) as lately_here
  from visits
)
select store, resident, max(payment) as payment, sum(gross_yen)::bigint as yen
from spent where emptied and lately_here * 10 >= until_now * 6 and lately_here >= ?
group by store, resident
"""


def top_payers(visits: pd.DataFrame) -> list[Alert]:
    """Stores whose three largest payers bring much more of the money than at stores with as many payers.

    The usual share for a number of payers is a straight line through the logit of the share over the logarithm
    of the number, by the median of all slopes (Theil 1950, Sen 1968), which a minority of odd stores cannot bend.
    """
    sums = visits.groupby(["store", "resident"])[["net_yen"]].sum().reset_index()
    ordered = sums.sort_values(["store", "net_yen", "resident"], ascending=[True, False, True])
    per_store = sums.groupby("store")["net_yen"].agg(["size", "sum"])
    top = ordered.groupby("store").head(TOP)
    found = per_store.assign(top=top.groupby("store")["net_yen"].sum())
    found = found[(found["size"] >= LEAST_PAYERS) & (found["sum"] >= LEAST_YEN)]
    odd = _off_the_line(found["size"].to_numpy(dtype="float64"), (found["top"] / found["sum"]).to_numpy())
    alerts = []
    for (code, row), value in zip(found.iterrows(), odd, strict=True):
        if value >= ODD:
            people = tuple(int(who) for who in top.loc[top["store"] == code, "resident"])
            told = {
                "people": len(people),
                "share_percent": int(100 * row["top"] // row["sum"]),
                "payers": int(row["size"]),
            }
            alerts.append(
                Alert("top_payers", str(code), people, _between(visits, str(code), people), score_of(value), told)
            )
    return alerts


def whole_balance(visits: pd.DataFrame) -> list[Alert]:
    """Stores where more people than usual leave all they have: wallets emptied here, mostly here, within three days."""
    needed = visits[["payment", "resident", "store", "at", "gross_yen", "emptied"]]
    drains = query(_DRAINS, LEAST_DRAINED * 1_000, visits=needed)
    payers = visits.groupby("store")["resident"].nunique()
    drained = drains.groupby("store")["resident"].nunique().reindex(payers.index, fill_value=0)
    odd = excess(drained.to_numpy(), payers.to_numpy())
    alerts = []
    for code, value, count, of in zip(payers.index, odd, drained, payers, strict=True):
        if value >= ODD and count >= LEAST_DRAINED:
            here = drains[drains["store"] == code]
            people = tuple(int(who) for who in here["resident"])
            told = {"people": int(count), "payers": int(of), "amount_yen": int(here["yen"].sum())}
            payments = tuple(int(number) for number in here["payment"])
            alerts.append(Alert("whole_balance", str(code), people, payments, score_of(value), told))
    return alerts


def _off_the_line(payers: Numbers, share: Numbers) -> Numbers:
    if len(payers) < LEAST_MEMBERS:
        return np.zeros(len(payers))
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    logit, size = np.log(inside / (1 - inside)), np.log(payers)
    slope = 0.0 if np.ptp(size) == 0 else float(stats.theilslopes(logit, size).slope)
    rest = logit - slope * size
    rest = rest - np.median(rest)
    odd: Numbers = rest / max(1.4826 * float(np.median(np.abs(rest))), _FLATTEST)
    return odd


def _between(visits: pd.DataFrame, store: str, people: tuple[Any, ...]) -> tuple[int, ...]:
    chosen = visits[(visits["store"] == store) & visits["resident"].isin(people)]
    return tuple(int(payment) for payment in chosen["payment"])
