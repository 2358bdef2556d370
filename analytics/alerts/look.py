"""One look at a lake: what the rules find in its last days, as plain values that somebody can keep.

Rules look at a stretch of days and not at all time, because what is usual changes over a programme, and because a
stretch fits into memory whatever the lake has grown to.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from analytics.alerts.cases import find_alerts
from analytics.lake.lake import Source

USUAL_DAYS: Final = 60


@dataclass(frozen=True)
class Told:
    """An alert as it is told: residents are the lake's numbers, `payments` is on how many payments it rests."""

    key: str
    rule: str
    subject: str
    score: float
    parameters: Mapping[str, Any]
    residents: tuple[int, ...]
    payments: int


def look(
    source: Source, last: date, relations: pd.DataFrame, means: pd.DataFrame, days: int = USUAL_DAYS
) -> tuple[date, list[Told]]:
    """The first day that was looked at and what was found up to `last`, by key. Raises LakeCorrupt, FrameUnfit."""
    first = last - timedelta(days=days - 1)
    found = find_alerts(source.frame("spending", first, last), source.frame("residents"), relations, means)
    people = {str(key): tuple(sorted(rows["resident"].tolist())) for key, rows in found.subjects.groupby("alert")}
    payments = found.evidence.groupby("alert").size()
    return first, [
        Told(
            str(row["alert"]),
            str(row["rule"]),
            str(row["subject"]),
            float(row["score"]),
            json.loads(row["parameters"]),
            people.get(str(row["alert"]), ()),
            int(payments.get(row["alert"], 0)),
        )
        for row in found.alerts.to_dict("records")
    ]
