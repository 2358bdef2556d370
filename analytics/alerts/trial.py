"""How well a ranking finds what is known to be there: precision and recall at a budget.

Only whoever planted the misdeeds can fill the frame that this asks for; no rule reads it.
"""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from analytics.alerts.cases import CASES
from analytics.alerts.findings import ALERTS, SUBJECTS, Findings
from analytics.frames import Column, Dtype, Frame

MISDEEDS: Final = Frame(
    "misdeeds",
    "a person who took part in a misdeed",
    (
        Column("case", Dtype.INTEGER, "which misdeed"),
        Column("kind", Dtype.TEXT, "what it was"),
        Column("resident", Dtype.INTEGER, "who took part"),
        Column("store", Dtype.TEXT, "where; empty where it had no single store"),
    ),
    ("case", "resident"),
)

RECALLS: Final = Frame(
    "recalls",
    "a kind of misdeed",
    (
        Column("kind", Dtype.TEXT, "what it was"),
        Column("planted", Dtype.INTEGER, "misdeeds of this kind"),
        Column("found", Dtype.INTEGER, "of them, found within the budget"),
    ),
    ("kind",),
)


@dataclass(frozen=True)
class Trial:
    """`looked_at` cases, `right` of them about a misdeed; `recalls` as RECALLS declares it."""

    looked_at: int
    right: int
    recalls: pd.DataFrame

    @property
    def precision(self) -> float:
        return self.right / self.looked_at if self.looked_at else float("nan")

    @property
    def recall(self) -> float:
        planted = int(self.recalls["planted"].sum())
        return int(self.recalls["found"].sum()) / planted if planted else float("nan")


def tried(findings: Findings, cases: pd.DataFrame, misdeeds: pd.DataFrame) -> Trial:
    """What the ranked `cases` find of the `misdeeds` (MISDEEDS).

    A case finds a misdeed when it is about its store, or about a person where the misdeed has no store, and its
    alerts name at least half of those who took part.
    """
    planted = MISDEEDS.conform(misdeeds)
    alerts = ALERTS.conform(findings.alerts)[["alert", "subject"]]
    named = SUBJECTS.conform(findings.subjects)[["alert", "resident"]].merge(alerts, on="alert")
    people = {str(subject): set(rows["resident"]) for subject, rows in named.groupby("subject")}
    looked_at = CASES.conform(cases)["subject"].tolist()
    right, found, kinds = set(), [], []
    for _, rows in planted.groupby("case"):
        store, members = str(rows["store"].iloc[0]), set(rows["resident"])
        subjects = {f"store:{store}"} if store else {f"resident:{who}" for who in members}
        hits = [s for s in looked_at if s in subjects and 2 * len(people[s] & members) >= len(members)]
        right.update(hits)
        kinds.append(str(rows["kind"].iloc[0]))
        found.append(bool(hits))
    table = pd.DataFrame({"kind": kinds, "found": found}).groupby("kind")["found"].agg(["size", "sum"])
    recalls = pd.DataFrame({"kind": table.index.astype("str"), "planted": table["size"], "found": table["sum"]})
    typed = recalls.reset_index(drop=True).astype({"planted": "int64", "found": "int64"})
    return Trial(len(looked_at), len(right), RECALLS.conform(typed) if len(typed) else RECALLS.empty())
