"""What an exact release said, and in which figures the lake says something else by now.

A refund that comes late, or a resident who moved, changes figures of days that were published before. A later table of
other days says by how much, to whoever subtracts, unless what happened on those days stands between: so each cell of
a release that is told otherwise now has an unknown part that no new figure has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.disclosure.releases import Release
from analytics.lake.lake import Source
from analytics.measures.ask import ask
from analytics.measures.question import Question


@dataclass(frozen=True)
class Figure:
    """A shown figure of a release: the values that it holds fixed, and the release's filters and period."""

    fixed: Mapping[str, str]
    release: Release
    is_new: bool


def release_of(question: Question, shown: pd.DataFrame, first: date, last: date) -> Release:
    """What is written down of a protected answer. Programmes have no part in exact releases: the field is empty."""
    by = tuple(question.by)
    hidden, told = [], []
    for row in shown.to_dict("records"):
        fixed = {name: str(row[name]) for name in by if not pd.isna(row[name])}
        told.append(f"{sorted(fixed.items())}={row['value']}")
        if row["suppressed"]:
            hidden.append(fixed)
    where = {name: tuple(values) for name, values in question.where.items()}
    period = first.isoformat(), last.isoformat()
    digest = sha256("\n".join(sorted(told)).encode()).hexdigest()
    return Release("", question.measure, by, where, *period, tuple(hidden), digest)


def corrections(source: Source, earlier: Iterable[Release], figures: Sequence[Figure]) -> NDArray[np.bool_]:
    """What may have changed since, by the figures that had it: a row for each cell of an earlier release that does not
    say any more what it said, with the release's own shown figures in which that cell counts. No row twice.
    """
    patterns = [
        [figure.release is release and figure.fixed.items() <= cell.items() for figure in figures]
        for release in earlier
        for cell in _told_otherwise(source, release)
    ]
    if not patterns:
        return np.zeros((0, len(figures)), dtype=bool)
    found: NDArray[np.bool_] = np.unique(np.array(patterns, dtype=bool), axis=0)
    return found[found.any(axis=1)]


def _told_otherwise(source: Source, release: Release) -> list[dict[str, str]]:
    """The cells of a release whose digest the source does not give any more; none of one that it does."""
    question = Question(release.measure, release.by, release.where, *release.period)
    answer = ask(source, question)
    names = zip(*([str(each) for each in answer[name]] for name in release.by), strict=True)
    cells = [dict(zip(release.by, each, strict=True)) for each in names] if release.by else [{}] * len(answer)
    figures = list(answer["value"])
    wholes = [
        (dict(fixed), value)
        for size in range(len(release.by))
        for kept in combinations(release.by, size)
        for fixed, value in _sums(cells, figures, kept).items()
    ]
    alone = list(zip(cells, figures, strict=True))
    dtype = "Int64" if answer["value"].dtype.kind == "i" else "float64"
    for rows in (alone, [*alone, *wholes]):  # some were published with their totals
        if release_of(question, _shown(release, rows, dtype), *release.period).digest == release.digest:
            return []
    return cells


def _sums(
    cells: Sequence[Mapping[str, str]], figures: Sequence[Any], kept: Sequence[str]
) -> dict[tuple[tuple[str, str], ...], Any]:
    sums: dict[tuple[tuple[str, str], ...], Any] = {} if kept else {(): 0}
    for cell, figure in zip(cells, figures, strict=True):
        fixed = tuple((name, cell[name]) for name in kept)
        sums[fixed] = sums.get(fixed, 0) + figure
    return sums


def _shown(release: Release, rows: Sequence[tuple[Mapping[str, str], Any]], dtype: Any) -> pd.DataFrame:
    """These figures as the release showed them: without what it hid."""
    hidden = {frozenset(each.items()) for each in release.hidden}
    shown = pd.DataFrame([fixed for fixed, _ in rows], columns=list(release.by), index=range(len(rows)), dtype=object)
    shown["suppressed"] = [frozenset(fixed.items()) in hidden for fixed, _ in rows]
    shown["value"] = pd.Series([value for _, value in rows], dtype=dtype).mask(shown["suppressed"])
    return shown
