"""Hide in an answer what may not be shown, and what would give it away.

`protect` takes one answer of `analytics.measures.ask`, `protect_together` several that will be seen side by
side. Both leave only figures: how many people and stores a cell has, and why it is hidden, stay inside,
because they tell of exactly the cells that they are about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.disclosure.attack import exposed, together
from analytics.disclosure.cells import Cells, Key, key_of, link
from analytics.disclosure.rules import Rules
from analytics.disclosure.suppress import fit, primary, suppress
from analytics.measures.measure import How
from analytics.measures.question import Question
from analytics.measures.registry import measure_named

PLAIN: Final = Rules()


class StillExposed(RuntimeError):
    """The verification found what the suppression should have made impossible: an error of the programme."""


@dataclass(frozen=True)
class Table:
    """An answer and its dimensions. `answer` has columns `*by, value, people, stores, top_store_share`."""

    answer: pd.DataFrame
    by: tuple[str, ...]


def protect(
    answer: pd.DataFrame,
    question: Question,
    rules: Rules = PLAIN,
    *,
    totals: bool = False,
    wholes: Sequence[Table] = (),
) -> pd.DataFrame:
    """The answer with sensitive cells hidden, safe even for readers who know its totals.

    Returns columns `*by, value, suppressed`, one row for each of `answer` in its order; a hidden `value` is empty.
    With `totals`, rows for every total follow: the dimensions that they sum over are empty, and `over` names them,
    separated by commas (empty for a cell). A row that is not there, or that has nobody in it, is zero and shown.

    The measure's own minimum holds where it is stricter. Shares, averages, stocks and counts of distinct residents
    do not add up: they have no totals, and are hidden as the number of their people would have to be. `wholes` are
    answers to the same question by fewer dimensions: they tell how many people and stores the totals really have;
    without them a total is taken to have no more than its fullest cell.

    Raises MeasureUnknown, TableTooLarge, TablesDisagree.
    """
    measure = measure_named(question.measure)
    rules = replace(rules, minimum_people=max(rules.minimum_people, measure.minimum_cell))
    by = tuple(question.by)
    if adds_up(question):
        (shown,) = protect_together({"": Table(answer, by)}, rules, totals=totals, wholes=wholes).values()
        return shown
    proxy = Table(answer.assign(value=answer["people"]), by)
    (pattern,) = protect_together({"": proxy}, rules, totals=False).values()
    figures = answer["value"].reset_index(drop=True)
    whole = figures.dtype.kind == "i"
    pattern["value"] = figures.astype("Int64" if whole else "float64").mask(pattern["suppressed"])
    return pattern


def adds_up(question: Question) -> bool:
    """Whether the figure of a total is the sum of its parts. A payment from two purses is one payment in each."""
    how = measure_named(question.measure).how
    return how is How.SUM or (how is How.COUNTED and not {"programme", "purse"} & set(question.by))


def protect_together(
    tables: Mapping[str, Table], rules: Rules = PLAIN, *, totals: bool = True, wholes: Sequence[Table] = ()
) -> dict[str, pd.DataFrame]:
    """Several answers to one measure over one population and period, safe side by side; as `protect`, by name.

    What is hidden in one is hidden in all. Raises TableTooLarge, TablesDisagree.
    """
    cells = link([(table.answer, table.by) for table in (*tables.values(), *wholes)])
    hidden = suppress(cells, rules)
    verify(cells, hidden, rules)
    return {name: _shown(table, cells, hidden, totals) for name, table in tables.items()}


def verify(cells: Cells, hidden: frozenset[int], rules: Rules) -> None:
    """Attack what would be shown. Raises StillExposed when a hidden cell can be told too closely."""
    watched = primary(cells, rules)
    pairs = [pair for pair in together(cells, hidden, watched) if not fit(cells, pair, rules)]
    if not watched <= hidden or exposed(cells, hidden, watched, rules) or pairs:
        raise StillExposed("a table did not survive the attack that it was made to survive")


def _shown(table: Table, cells: Cells, hidden: frozenset[int], totals: bool) -> pd.DataFrame:
    keys = [key_of(table.by, row) for row in zip(*(table.answer[name] for name in table.by), strict=True)]
    keys = keys if table.by else [frozenset()] * len(table.answer)
    shown = table.answer[list(table.by)].reset_index(drop=True)
    shown["value"], shown["suppressed"] = _figures(keys, cells, hidden, table.answer["value"].dtype)
    if not totals:
        return shown
    shown["over"] = ""
    return pd.concat([shown, *_total_rows(table, keys, cells, hidden)], ignore_index=True)


def _total_rows(table: Table, keys: list[Key], cells: Cells, hidden: frozenset[int]) -> list[pd.DataFrame]:
    found = []
    for size in range(len(table.by) - 1, -1, -1):
        for kept in combinations(table.by, size):
            groups = dict.fromkeys(frozenset(pair for pair in key if pair[0] in kept) for key in keys)
            chosen: list[Key] = list(groups) if kept else [frozenset()]
            rows = pd.DataFrame(index=range(len(chosen)))
            for name in table.by:
                entries = [dict(key).get(name) for key in chosen]
                rows[name] = pd.Series(entries, dtype=table.answer[name].dtype if name in kept else None)
                if name not in kept:
                    rows[name] = _nothing(table.answer[name], len(chosen))
            rows["value"], rows["suppressed"] = _figures(chosen, cells, hidden, table.answer["value"].dtype)
            rows["over"] = ",".join(name for name in table.by if name not in kept)
            found.append(rows)
    return found


def _nothing(like: "pd.Series[Any]", count: int) -> "pd.Series[Any]":
    return pd.Series([None] * count, dtype=like.dtype if like.dtype.kind in "MOU" else "object")


def _figures(
    keys: list[Key], cells: Cells, hidden: frozenset[int], dtype: Any
) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    places = [cells.place(key) for key in keys]
    flags = pd.Series([place in hidden for place in places], dtype="bool")
    values = pd.Series(cells.values[places] if places else np.array([], dtype=np.float64))
    if dtype.kind == "i":
        return values.round().astype("Int64").mask(flags), flags
    return values.astype("float64").mask(flags), flags
