"""What a new edition of open data, laid beside what was published before, tells of one store.

Two editions whose periods have days in common tell, by subtraction, of the other days. What a resident did there
is covered by the noise, whatever else is known; what a store took may be a hundred times the noise of one resident.
So a cell is hidden in the new edition where those days are nearly one store's, or too few stores', and the noise of
the two figures together does not leave the difference as open as a hidden cell must be.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd

from analytics.disclosure.cells import Key, key_of
from analytics.disclosure.noise import mechanism
from analytics.disclosure.releases import Release
from analytics.disclosure.rules import Rules
from analytics.lake.lake import Source
from analytics.measures.ask import ask
from analytics.measures.question import Question

Period = tuple[date, date]
_DAY: Final = timedelta(days=1)


def told_beside(
    source: Source, questions: Iterable[Question], bound: int, known: Iterable[Release], rules: Rules
) -> frozenset[Key]:
    """The cells of these questions, all of one measure, filter and period, whose difference from an earlier figure
    tells of a store. `bound` is how far the noise of a new figure may lead astray, yen.
    """
    asked = list(questions)
    found: set[Key] = set()
    for earlier in known:
        for question in asked:
            if _about_the_same(earlier, question) and _shows(earlier, question.by):
                hidden = {frozenset(cell.items()) for cell in earlier.hidden}
                keys = _telling(source, question, earlier, bound + _bound_of(earlier), rules)
                found.update(key for key in keys if frozenset((name, str(value)) for name, value in key) not in hidden)
    return frozenset(found)


def _about_the_same(earlier: Release, question: Question) -> bool:
    where = {name: tuple(sorted(values)) for name, values in earlier.where.items()}
    return earlier.measure == question.measure and where == {
        name: tuple(sorted(values)) for name, values in question.where.items()
    }


def _shows(earlier: Release, by: tuple[str, ...]) -> bool:
    """Exact figures can be added up to totals; figures with noise are published with totals of their own."""
    return set(by) <= set(earlier.by) if earlier.epsilon == "0" else set(by) == set(earlier.by)


def _bound_of(earlier: Release) -> int:
    """How far its noise may lead astray; 0 for exact figures, and where nobody wrote down what they were clamped to."""
    return mechanism(earlier.clamp, Fraction(earlier.epsilon)).bound() if earlier.clamp else 0


def _telling(source: Source, question: Question, earlier: Release, bound: int, rules: Rules) -> Iterator[Key]:
    parts = [
        ask(source, Question(question.measure, question.by, question.where, first, last))
        for first, last in _between(_period(question), earlier.period)
    ]
    parts = [part[part["value"] != 0] for part in parts]
    for key, rows in _by_cell(parts, question.by):
        value = float(rows["value"].abs().sum())
        if value * rules.protection <= bound:
            continue  # the noise alone leaves it open
        # Of several stretches of days the fullest has no more stores than all, and no store has more than its parts.
        top = float((rows["top_store_share"] * rows["value"].abs()).sum()) / value
        stores = np.array([float(rows["stores"].max())])
        if rules.sensitive(np.array([np.inf]), stores, np.array([top]), np.array([np.nan]))[0]:
            yield key


def _by_cell(parts: list[pd.DataFrame], by: tuple[str, ...]) -> Iterator[tuple[Key, pd.DataFrame]]:
    if not parts:
        return
    rows = pd.concat(parts, ignore_index=True)
    if not by and len(rows):
        yield frozenset(), rows
    elif by:
        for values, cell in rows.groupby(list(by)):
            yield key_of(by, list(values)), cell


def _period(question: Question) -> Period:
    if question.first is None or question.last is None:
        raise ValueError("what is published has a first and a last day")
    return question.first, question.last


def _between(one: Period, other: Period) -> list[Period]:
    """The days that one of two periods has and the other has not; none where they have no day in common."""
    if one[1] < other[0] or other[1] < one[0]:
        return []
    begins, ends = sorted((one[0], other[0])), sorted((one[1], other[1]))
    stretches = [(begins[0], begins[1] - _DAY), (ends[0] + _DAY, ends[1])]
    return [(first, last) for first, last in stretches if first <= last]
