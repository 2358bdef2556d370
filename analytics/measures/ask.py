"""Ask a source a question: a figure for every cell, and how many people and stores stand behind it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from analytics.lake.lake import Source
from analytics.measures.cells import cells_of, rows_of, spread_of
from analytics.measures.dimension import DIMENSIONS, Values
from analytics.measures.measure import How, Measure
from analytics.measures.question import AnswerTooLarge, PeriodOpen, Question

MOST_CELLS: Final = 100_000
_DTYPES: Final = {Values.TEXT: "str", Values.INTEGER: "int64", Values.DAY: "datetime64[us]"}


def ask(source: Source, question: Question) -> pd.DataFrame:
    """The answer, sorted by its dimensions: columns `*by`, `value`, `people`, `stores`, `top_store_share`.

    `value` is int64 for yen and counts, float64 for averages and shares (NaN where there is nothing to divide by).
    `people` and `stores` are the distinct residents and stores of the cell; `top_store_share` is the part of the
    largest store in the sum of what each store adds, their signs aside: 0 where no store is concerned, else up to 1.
    A cell without a row is absent, but a question without `by` always has its one row. Refusals as
    `Question.checked`, and AnswerTooLarge.
    """
    measure = question.checked()
    rows = rows_of(source.table, measure, question)
    cells = cells_of(rows, measure, question)
    if measure.how in (How.GINI, How.TOP_TENTH):
        return _told(source, measure, question, cells, spread_of(rows, question))
    return _told(source, measure, question, cells, None)


def compare(
    source: Source, question: Question, first: date | None = None, last: date | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The answer, and the answer of another period: from `first` to `last`, or else as many days just before.

    Both have the columns of `ask`, so each can be protected for itself. Raises PeriodOpen where nothing says how
    long the other period is.
    """
    if first is None and last is None:
        if question.first is None or question.last is None:
            raise PeriodOpen
        last = question.first - timedelta(days=1)
        first = question.first - (question.last - question.first) - timedelta(days=1)
    return ask(source, question), ask(source, replace(question, first=first, last=last))


def _told(source: Source, measure: Measure, question: Question, cells: Any, spread: Any) -> pd.DataFrame:
    by = [f"by_{name}" for name in question.by]
    found = source.run(cells.limit(MOST_CELLS + 1))
    if len(found) > MOST_CELLS:
        raise AnswerTooLarge(most=MOST_CELLS)
    if spread is not None:
        beside = source.run(spread)
        found = found.merge(beside, on=by, how="left") if by else pd.concat([found, beside], axis=1)
    answer = pd.DataFrame(
        {
            **{name: found[f"by_{name}"].astype(_DTYPES[DIMENSIONS[name].values]) for name in question.by},  # type: ignore[call-overload]  # a dtype by name
            "value": _value(measure, found),
            "people": found["people"].fillna(0).astype("int64"),
            "stores": found["stores"].astype("int64"),
            "top_store_share": _share(found["largest"], found["all_stores"]).fillna(0.0),
        }
    )
    if question.by:
        answer = answer.sort_values(list(question.by), kind="stable")
    return answer.reset_index(drop=True)


def _value(measure: Measure, found: pd.DataFrame) -> "pd.Series[Any]":
    if measure.how in _READ:
        column = found[_READ[measure.how]]
        return column.fillna(0).astype("int64") if measure.unit.whole else column.astype("float64")
    part, whole = _DIVIDED[measure.how]
    return _share(found[part], found[whole])


_READ: Final = {
    How.SUM: "plus",
    How.STOCK: "plus",
    How.COUNTED: "counted",
    How.RESIDENTS: "people",
    How.STORES: "stores",
    How.GINI: "gini",
    How.TOP_TENTH: "top_tenth",
}
_DIVIDED: Final = {
    How.SHARE: ("plus", "over"),
    How.STOCK_SHARE: ("plus", "over"),
    How.AVERAGE: ("plus", "counted"),
    How.REPEATED: ("again", "people"),
}


def _share(part: "pd.Series[Any]", whole: "pd.Series[Any]") -> "pd.Series[Any]":
    return part.astype("float64") / whole.astype("float64").where(whole != 0)
