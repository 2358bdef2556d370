"""Who stands behind a figure that is published: those of whom something is in it.

A payment that was taken back leaves nothing in a sum. Ten people of whom nine cancelled are, for whoever reads the sum,
one person.
"""

from typing import Any

import pandas as pd

from analytics.lake.lake import Source
from analytics.measures.ask import ask
from analytics.measures.cells import rows_of
from analytics.measures.measure import How
from analytics.measures.question import Question


def ask_for_release(source: Source, question: Question) -> pd.DataFrame:
    """As `ask`; but of a sum, or of deeds that are counted, `people` are those who add to the cell."""
    answer = ask(source, question)
    measure = question.checked()
    if measure.how not in (How.SUM, How.COUNTED):
        return answer
    by = list(question.by)
    rows = adding(rows_of(source.table, measure, question), measure.how, [f"by_{name}" for name in by])
    counts = rows.group_by([f"by_{name}" for name in by]) if by else rows
    found = source.run(counts.aggregate(people=rows["resident"].nunique()))
    found = found.rename(columns={f"by_{name}": name for name in by})
    if not by:
        return answer.assign(people=int(found["people"].iloc[0]))
    found = found.astype({name: answer[name].dtype for name in by})
    told = answer[by].merge(found, on=by, how="left")["people"]
    return answer.assign(people=told.fillna(0).astype("int64").to_numpy())


def adding(rows: Any, how: How, within: list[str]) -> Any:
    """By resident and the columns `within`, those where something is left: these columns, no row twice."""
    left = rows["plus"].sum() if how is How.SUM else rows["counted"].nunique()
    found = rows.group_by(["resident", *within]).aggregate(left=left)
    return found.filter(found["left"] != 0).drop("left")
