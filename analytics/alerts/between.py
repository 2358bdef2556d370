"""Rules that look at a person at a store: one purchase in many parts, near relations."""

from typing import Any, Final

import pandas as pd

from analytics.alerts.findings import Alert
from analytics.alerts.relations import MEANS, RELATIONS
from analytics.mining.engine import query

SPLIT_MINUTES: Final = 15
LEAST_PARTS: Final = 3
LEAST_SPLIT_YEN: Final = 5_000
LEAST_SHARING: Final = 3
NEARNESS: Final = {"owner": 0.9, "staff": 0.8, "bank_account": 0.8, "device": 0.7, "household": 0.7}
"""The score of someone so near whose money all goes to the store."""

# The fullest window of a person at a store decides, the earliest of equal ones; lists are made for it alone.
_PARTS: Final = """
with made as (
  select payment, resident, store, sum(amount_yen) as yen, epoch_us(min("at")) as t
  from spending where kind = 'payment' group by payment, resident, store
), counted as (
  select resident, store, t, count(*) over w as parts, sum(yen) over w as yen
  from made window w as (partition by resident, store order by t range between ? preceding and current row)
), fullest as (
  select resident, store, max_by(t, (parts, -t)) as ends
  from counted where parts >= ? and yen >= ? group by resident, store
)
select resident, store, count(*) as parts, sum(yen)::bigint as yen, min(yen) = max(yen) as alike,
       list(payment) as which
from made join fullest using (resident, store) where t between ends - ? and ends group by resident, store
"""


def split_payment(spending: pd.DataFrame) -> list[Alert]:
    """People who pay three times or more at one store within a quarter of an hour, 5,000 yen or more together.

    Equal parts weigh more. Payments that were taken back later count as well.
    """
    needed = spending[["payment", "kind", "resident", "store", "at", "amount_yen"]]
    window = SPLIT_MINUTES * 60_000_000
    found = query(_PARTS, window, LEAST_PARTS, LEAST_SPLIT_YEN, window, spending=needed)
    return [
        _of_pair(
            "split_payment",
            row,
            (row["parts"] - 2) / (row["parts"] if row["alike"] else row["parts"] + 2),
            {"parts": int(row["parts"]), "minutes": SPLIT_MINUTES, "amount_yen": int(row["yen"])},
        )
        for row in found.sort_values(["store", "resident"]).to_dict("records")
    ]


def related_payer(visits: pd.DataFrame, relations: pd.DataFrame) -> list[Alert]:
    """Stores paid by those who stand near to them: one alert a store and relation.

    The score is that of the relation, half of it for a payment at all, half in proportion to how much of these
    people's money the store gets.
    """
    near = RELATIONS.sound(relations)
    whole = visits.groupby("resident")["net_yen"].sum()
    here = visits.merge(near, on=["resident", "store"])
    alerts = []
    for (code, relation), rows in here.groupby(["store", "relation"]):
        people = tuple(int(who) for who in sorted(rows["resident"].unique()))
        yen, total = int(rows["net_yen"].sum()), int(whole.loc[list(people)].sum())
        told: dict[str, int | float | str] = {
            "relation": str(relation),
            "people": len(people),
            "amount_yen": yen,
            "share_percent": 100 * yen // total,
        }
        payments = tuple(int(number) for number in rows["payment"])
        score = NEARNESS[str(relation)] * (1 + yen / total) / 2
        alerts.append(Alert("related_payer", str(code), people, payments, score, told, aspect=str(relation)))
    return alerts


def shared_means(visits: pd.DataFrame, means: pd.DataFrame) -> list[Alert]:
    """One card, device or bank account on three accounts or more; a family's shared phone is one, too."""
    alerts = []
    for (kind, which), rows in MEANS.sound(means).groupby(["kind", "means"]):
        people = tuple(int(who) for who in sorted(rows["resident"].unique()))
        if len(people) >= LEAST_SHARING:
            payments = tuple(int(number) for number in visits.loc[visits["resident"].isin(people), "payment"])
            told: dict[str, int | float | str] = {"kind": str(kind), "people": len(people)}
            score = (len(people) - 2) / (len(people) + 1)
            alerts.append(Alert("shared_means", "", people, payments, score, told, people[0], f"{kind}:{which}"))
    return alerts


def _of_pair(rule: str, row: dict[Any, Any], score: float, told: dict[str, int | float | str]) -> Alert:
    who = int(row["resident"])
    payments = tuple(int(number) for number in row["which"])
    return Alert(rule, str(row["store"]), (who,), payments, float(score), told, who)
