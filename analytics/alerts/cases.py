"""All rules together: the cases that an officer has time to look at, the most telling first.

A case gathers all alerts about one store, or about one person where no store is named. Its score is that at
least one of its rules is right, as if they erred apart from each other: 1 less the product of what each leaves
open, every rule once with its best alert.
"""

from typing import Final

import pandas as pd

from analytics.alerts.at_stores import top_payers, whole_balance
from analytics.alerts.between import related_payer, shared_means, split_payment
from analytics.alerts.findings import ALERTS, Findings, findings_of
from analytics.alerts.of_people import night, velocity
from analytics.alerts.refunds import refund_loops, refund_rings
from analytics.alerts.relations import MEANS, RELATIONS
from analytics.alerts.rings import new_account_rings
from analytics.frames import RESIDENTS, SPENDING, Column, Dtype, Frame
from analytics.mining.engine import shaped
from analytics.mining.refusals import OutOfRange
from analytics.mining.visits import visits

CASES: Final = Frame(
    "cases",
    "a store, or a person, with an alert",
    (
        Column("place", Dtype.INTEGER, "from 1, the most telling first; equal scores by subject"),
        Column("subject", Dtype.TEXT, "`store:CODE` or `resident:NUMBER`"),
        Column("score", Dtype.REAL, "0 to 1"),
        Column("rules", Dtype.TEXT, "the rules that spoke, in order of name, separated by a space"),
        Column("alerts", Dtype.INTEGER, "how many alerts it gathers"),
    ),
    ("place",),
)


def find_alerts(
    spending: pd.DataFrame,
    residents: pd.DataFrame,
    relations: pd.DataFrame | None = None,
    means: pd.DataFrame | None = None,
) -> Findings:
    """Every alert of every rule on these frames; the same rows in any order give the same findings.

    Raises FrameUnfit when a frame has not its declared columns, or a row twice. Frames without rows give no alerts.
    """
    rows = SPENDING.conform(spending)
    people = RESIDENTS.sound(residents)
    made = visits(rows)
    return findings_of(
        [
            *top_payers(made),
            *whole_balance(made),
            *related_payer(made, RELATIONS.empty() if relations is None else relations),
            *new_account_rings(made, people),
            *shared_means(made, MEANS.empty() if means is None else means),
            *night(made),
            *velocity(rows),
            *split_payment(rows),
            *refund_loops(rows),
            *refund_rings(rows),
        ]
    )


def ranked(findings: Findings, budget: int) -> pd.DataFrame:
    """The first `budget` cases (CASES), by place.

    Raises OutOfRange for a budget below 1.
    """
    if budget < 1:
        raise OutOfRange(name="budget", value=budget, least=1, most="")
    alerts = ALERTS.conform(findings.alerts)
    if alerts.empty:
        return CASES.empty()
    best = alerts.groupby(["subject", "rule"], as_index=False)["score"].max()
    best["open"] = 1 - best["score"]
    cases = best.groupby("subject").agg(open=("open", "prod"), rules=("rule", " ".join))
    cases["score"] = 1 - cases["open"]
    cases["alerts"] = alerts.groupby("subject").size()
    ordered = cases.reset_index().sort_values(["score", "subject"], ascending=[False, True]).head(budget)
    return shaped(CASES, ordered.assign(place=range(1, len(ordered) + 1)))
