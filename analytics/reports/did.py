"""What the programme did, in words and in lines: the four numbers beside each other, as every form shows them.

Law: what is not known is a line as well and says why; a cost without an upper end says so; no line is left out.
"""

import math
from typing import Any, Final

import pandas as pd

from analytics.charts.data import Say
from analytics.evaluation.joined import BEFORE, SINCE

HEADS: Final = tuple(f"evaluation.head.{name}" for name in ("item", "value", "interval", "how"))
TITLE: Final = "evaluation.title"
SAYS: Final = "evaluation.says"
SOURCES: Final = {
    "lots": "books",
    "spending": "books",
    "survey": "survey",
    "lottery": "lottery",
    "staggered": "staggered",
    "bounds": "bounds",
    "administration": "administration",
    "premium": "cost",
    "outcomes": "outcomes",
    "Hiratsuka": "hiratsuka",
}
"""The first word of a basis, and the key of its words under `evaluation.source`."""


def lines(rows: pd.DataFrame, say: Say) -> list[tuple[str, str, str, str]]:
    """A line for each row of `what_it_did`: what it is, its value, from where to where, and whence it is known."""
    return [_line(row, say) for row in rows.to_dict("records")]


def _line(row: dict[Any, Any], say: Say) -> tuple[str, str, str, str]:
    head = _head(str(row["item"]), say)
    if row["store_class"] != "all":
        head = say("evaluation.of_class", item=head, stores=say(f"evaluation.class.{row['store_class']}"))
    unit = str(row["unit"])
    between = ""
    if not (math.isnan(row["low"]) and math.isnan(row["high"])):
        low, high = (written(row[end], unit, say) for end in ("low", "high"))
        between = say("evaluation.between", low=low, high=high)
    value = "" if math.isnan(row["value"]) else written(row["value"], unit, say)
    return head, value, between, _how(row, say)


def _head(item: str, say: Say) -> str:
    for mark in (SINCE, BEFORE):
        name, found, weeks = item.partition(mark)
        if found:
            return say(f"evaluation.item.{name}{mark.rstrip('_')}", weeks=int(weeks))
    return say(f"evaluation.item.{item}")


def _how(row: dict[Any, Any], say: Say) -> str:
    said = []
    if row["basis"]:
        first = str(row["basis"]).replace(",", " ").split()[0]
        said.append(say(f"evaluation.source.{SOURCES[first]}"))
    if row["state"] != "known":
        said.append(say(f"evaluation.state.{row['state']}"))
    if row["reason"]:
        said.append(say(f"evaluation.reason.{row['reason']}"))
    return say("evaluation.apart").join(said)


def written(value: float, unit: str, say: Say) -> str:
    """A number of this unit as people read it in a line."""
    if math.isinf(value):
        return say("evaluation.no_limit")
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit in ("months", "weeks"):
        return say(f"evaluation.{unit}", **{unit: int(value)})
    if unit == "p":
        return f"{value:.3f}"
    if unit == "yen per yen":
        return say("insight.yen", amount=f"{value:,.2f}")
    return say("insight.yen", amount=f"{value:,.0f}")
