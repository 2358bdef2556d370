"""Rules that look at money which comes back: the points are paid and given back, and somebody keeps something else.

One person in a loop is told of by count alone. Of several people who take turns each does little, so they are
compared with what chance makes of the returns that a store has anyway.
"""

from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from analytics.alerts.excess import ODD, Numbers, score_of
from analytics.alerts.findings import Alert
from analytics.mining.engine import query

KINDS: Final = (("refund_loop", 80, 3), ("half_refunds", 50, 5))
"""The rule; of a payment, per cent that were taken back; how many such payments of one person it takes."""

RING_PERCENT: Final = 50
LEAST_EACH: Final = 2
LEAST_PEOPLE: Final = 2
LEAST_YEN: Final = 3_000
_MOST: Final = 37.0
_SAID: Final = {"loops": "loops", "payments": "payments", "amount_yen": "yen"}

_RETURNS: Final = """
with whole as (
  select payment, min(resident) as resident, min(store) as store,
         sum(amount_yen) filter (where kind = 'payment') as paid,
         -coalesce(sum(amount_yen) filter (where kind <> 'payment'), 0) as returned
  from spending group by payment having count(*) filter (where kind = 'payment') > 0
)
select resident, store, count(*) as payments, count(*) filter (where returned * 100 >= paid * ?) as loops,
       list(payment order by payment) filter (where returned * 100 >= paid * ?) as which,
       coalesce(sum(returned) filter (where returned * 100 >= paid * ?), 0)::bigint as yen
from whole group by resident, store order by store, resident
"""


def refund_loops(spending: pd.DataFrame) -> list[Alert]:
    """People whose payments at one store were taken back again and again, worth 3,000 yen together.

    Three to four fifths or more, or five to a half or more; whoever did both is told of for the first.
    """
    alerts: dict[tuple[str, int], Alert] = {}
    for rule, percent, least in KINDS:
        pairs = _returns(spending, percent)
        found = pairs[(pairs["loops"] >= least) & (pairs["yen"] >= LEAST_YEN)]
        for row in found.to_dict("records"):
            code, who = str(row["store"]), int(row["resident"])
            said = {name: int(row[kept]) for name, kept in _SAID.items()}
            score = said["loops"] / (said["loops"] + 2) * (0.5 + 0.5 * said["loops"] / said["payments"])
            which = tuple(int(number) for number in row["which"])
            alerts.setdefault((code, who), Alert(rule, code, (who,), which, score, said, who))
    return [alerts[pair] for pair in sorted(alerts)]


def refund_rings(spending: pd.DataFrame) -> list[Alert]:
    """Stores where several people had half of their payments or more, two at least, taken back by half or more.

    Far more of them than chance makes where each payment comes back as often as others do: all payments of the town,
    or those of the other people at this store if these come back more often.
    """
    pairs = _returns(spending, RING_PERCENT)
    pairs["circles"] = (pairs["loops"] >= LEAST_EACH) & (pairs["loops"] * 2 >= pairs["payments"])
    town = pairs["loops"].sum() / max(pairs["payments"].sum(), 1)
    alerts = []
    for code in sorted(pairs.loc[pairs["circles"], "store"].unique()):
        here = pairs[pairs["store"] == code]
        ring, others = here[here["circles"]], here[~here["circles"]]
        yen = int(ring["yen"].sum())
        if len(ring) < LEAST_PEOPLE or yen < LEAST_YEN:
            continue
        usual = max(town, others["loops"].sum() / max(others["payments"].sum(), 1))
        odd = _oddness(len(ring), here["payments"].to_numpy(), float(usual))
        if odd < ODD:
            continue
        payments = tuple(int(number) for which in ring["which"] for number in which)
        told = {"people": len(ring), "loops": len(payments), "amount_yen": yen}
        people = tuple(int(who) for who in ring["resident"])
        alerts.append(Alert("refund_ring", str(code), people, payments, score_of(odd), told))
    return alerts


def _oddness(people: int, payments: Numbers, usual: float) -> float:
    """How odd so many who circle are, in standard deviations of a normal, if payments come back as usual.

    `payments` has each person's number of payments at the store. Whether one person circles is rare, so that their
    number is Poisson's.
    """
    least = np.maximum(LEAST_EACH, -(-payments // 2))
    expected = float(stats.binom.sf(least - 1, payments, usual).sum())
    return float(np.clip(stats.norm.isf(max(stats.poisson.sf(people - 1, expected), 1e-300)), 0.0, _MOST))


def _returns(spending: pd.DataFrame, percent: int) -> pd.DataFrame:
    """For each person at each store: payments, those taken back by so much, which, and how many yen came back."""
    needed = spending[["payment", "kind", "resident", "store", "amount_yen"]]
    return query(_RETURNS, *[percent] * 3, spending=needed)
