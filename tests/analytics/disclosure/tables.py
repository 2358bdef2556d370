"""Answers made by hand or at random, and a reader's arithmetic that shares no code with the product."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analytics.measures.question import Question


def by(*dimensions: str) -> Question:
    """A question about sales; the names of its dimensions are the test's own."""
    return Question("sales", by=dimensions)


def answer(names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows of dimensions, then value, people, stores, top_store_share."""
    return pd.DataFrame(list(rows), columns=[*names, "value", "people", "stores", "top_store_share"])


def random_table(rng: np.random.Generator, rows: int, columns: int) -> pd.DataFrame:
    """A table of a town: many cells full, some nearly empty, some one store's."""
    found = []
    for row, column in product(range(rows), range(columns)):
        people = int(rng.gamma(0.8, 60))
        stores = min(people, int(rng.integers(0, 15)))
        if people and stores:
            top = 1.0 if stores == 1 else float(rng.uniform(1 / stores, 0.95))
            found.append((f"r{row}", f"c{column:02}", int(people * rng.lognormal(7, 0.5)), people, stores, top))
    return answer(("row", "column"), found)


def solved(shown: pd.DataFrame, names: Sequence[str]) -> set[tuple[Any, ...]]:
    """The hidden cells that exact elimination finds from the shown figures of a table with totals.

    Each total is the sum of its parts; unknowns are the hidden rows; an unknown is found when Gauss-Jordan
    elimination over fractions leaves a row with it alone.
    """
    known = {tuple(row[name] if row[name] == row[name] else None for name in names): row for row in _rows(shown)}
    unknown = [place for place, row in known.items() if row["suppressed"]]
    column = {place: at for at, place in enumerate(unknown)}
    matrix: list[list[Fraction]] = []
    for total in known:
        for at, name in enumerate(names):
            if total[at] is not None:
                continue
            parts = [
                place
                for place in known
                if place[at] is not None and all(place[i] == total[i] for i in range(len(names)) if i != at)
            ]
            line = [Fraction(0)] * len(unknown)
            for place, sign in ((total, 1), *((part, -1) for part in parts)):
                if place in column:
                    line[column[place]] += sign
            if any(line) and name:
                matrix.append(line)
    reduce(matrix)
    alone = [[at for at, entry in enumerate(line) if entry] for line in matrix]
    return {unknown[found[0]] for found in alone if len(found) == 1}


def _rows(shown: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in shown.to_dict("records")]


def reduce(matrix: list[list[Fraction]]) -> None:
    """Gauss-Jordan elimination in place."""
    done = 0
    for column in range(len(matrix[0]) if matrix else 0):
        pivot = next((row for row in range(done, len(matrix)) if matrix[row][column]), None)
        if pivot is None:
            continue
        matrix[done], matrix[pivot] = matrix[pivot], matrix[done]
        lead = matrix[done][column]
        matrix[done] = [entry / lead for entry in matrix[done]]
        for row in range(len(matrix)):
            if row != done and (factor := matrix[row][column]):
                matrix[row] = [a - factor * b for a, b in zip(matrix[row], matrix[done], strict=True)]
        done += 1


def primary_only(table: pd.DataFrame, names: Sequence[str], minimum: int = 10) -> pd.DataFrame:
    """The control: small cells blanked, every total shown. What careless offices publish."""
    cells = table[[*names, "value"]].assign(suppressed=table["people"] < minimum, over="")
    totals = [
        table.groupby(name, as_index=False)["value"].sum().assign(suppressed=False, over="other") for name in names
    ]
    whole = pd.DataFrame({"value": [table["value"].sum()], "suppressed": [False], "over": [",".join(names)]})
    everything: pd.DataFrame = pd.concat([cells, *totals, whole], ignore_index=True)
    return everything
