"""Whether a new table, laid beside all that was published before, tells of too few people.

Every shown figure is a set of payments: those of a category, of a district and week, of everything. Payments that
belong to exactly the same figures cannot be told apart by any of them; such a group is an *atom*. Sums and
differences of figures isolate an atom if, and only if, it lies in the span of the figures, which is when its
leverage in the matrix of atoms and figures is 1. A new table is refused when it would isolate an atom that could
not be a shown cell: of too few people or, where figures are sums over stores, of too few stores or nearly of one.
This finds "all but one", a category more, a day more, a district within another, and any longer chain of sums. Two
figures of which one contains the other are compared besides, because their difference may be several atoms that are
few people, or one store, together.

What is published with noise tells of no resident, whatever stands beside it: that is counted in the budget, over all
releases. Of a store it can tell, and is asked whether it does (`editions`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.disclosure.cells import TableTooLarge
from analytics.disclosure.curves import fewest_between
from analytics.disclosure.editions import told_beside
from analytics.disclosure.people import adding, ask_for_release
from analytics.disclosure.protect import PLAIN, Table, adds_up, protect
from analytics.disclosure.releases import Release, Releases
from analytics.disclosure.rules import Reals, Rules
from analytics.disclosure.told import Figure, corrections
from analytics.disclosure.told import release_of as release_of  # noqa: PLC0414 - to be had where it is guarded
from analytics.lake.lake import Source
from analytics.measures.cells import rows_of
from analytics.measures.measure import How
from analytics.measures.question import Question
from analytics.measures.registry import measure_named
from services.kit.errors import Refusal

MOST_FIGURES: Final = 2_000
MOST_MEMBERSHIPS: Final = 400_000_000
"""Rows times figures; a byte each."""
CERTAIN: Final = 1e-7
_ON: Final = "on"  # the day of a row; `day` is a dimension, as text


class Differencing(Refusal):
    """A table's difference from an earlier one would isolate people or a store: `by`, `first`, `last`, `minimum`."""

    code: ClassVar[str] = "differencing"


@dataclass(frozen=True)
class _Atoms:
    """`patterns`: atoms by figures; `people` with payments of each; `parts`: atoms by stores, what each has in it.

    There are no stores where the measure belongs to none, or is no sum over them.
    """

    patterns: NDArray[np.bool_]
    people: NDArray[np.int64]
    parts: Reals


def answer_for_release(
    source: Source, question: Question, releases: Releases, now: datetime, rules: Rules = PLAIN
) -> pd.DataFrame:
    """Ask, protect, compare with all earlier releases, write down, and return what may be published, totals included.

    The question needs a first and a last day. Asked again over the same figures it gives the same answer. A stock's
    curve is refused where few people stand behind one of its steps. Raises Differencing, TableTooLarge, and what
    `ask` raises.
    """
    if question.first is None or question.last is None:
        raise ValueError("what is published has a first and a last day")
    answer = ask_for_release(source, question)
    fewest = fewest_between(source, question)
    wholes = [
        Table(ask_for_release(source, replace(question, by=kept)), kept)
        for size in range(len(question.by))
        for kept in combinations(question.by, size)
    ]
    shown = protect(answer, question, rules, totals=adds_up(question), wholes=wholes if adds_up(question) else ())
    release = release_of(question, shown, question.first, question.last)
    if fewest is not None and fewest < rules.minimum_people:
        _refuse(release, rules)
    guard(source, release, releases.known, rules)
    releases.add([release], now)
    return shown


def guard(source: Source, new: Release, known: Iterable[Release], rules: Rules = PLAIN) -> None:
    """Raises Differencing when the new release and earlier exact ones of its measure together isolate people."""
    guard_together(source, (new,), known, rules)


def guard_together(source: Source, new: Sequence[Release], known: Iterable[Release], rules: Rules = PLAIN) -> None:
    """As `guard`, for releases that leave the house side by side, of one measure or several.

    Raises Differencing, and TableTooLarge where it cannot be told.
    """
    known = list(known)
    earlier = [each for each in known if each.epsilon == "0"]
    for measure in sorted({each.measure for each in new}):
        ours = [each for each in new if each.measure == measure]
        _guard_measure(source, ours, [each for each in earlier if each.measure == measure], rules)
    noisy = [each for each in known if each.epsilon != "0"]
    for each in new if noisy else ():
        _guard_noisy(source, each, noisy, rules)


def _guard_noisy(source: Source, new: Release, noisy: Sequence[Release], rules: Rules) -> None:
    """Raises Differencing when a shown figure and one with noise together tell of a store."""
    questions = [
        Question(new.measure, kept, new.where, *new.period)
        for size in range(len(new.by) + 1)
        for kept in combinations(new.by, size)
    ]
    hidden = {frozenset(each.items()) for each in new.hidden}
    for key in told_beside(source, questions, 0, noisy, rules):
        if frozenset((name, str(value)) for name, value in key) not in hidden:
            _refuse(noisy[-1], rules)


def _guard_measure(source: Source, new: Sequence[Release], earlier: Sequence[Release], rules: Rules) -> None:
    made: dict[tuple[object, ...], list[Release]] = {}
    for each in earlier:
        made.setdefault(each.question, []).append(each)
    for each in new:
        for before in made.get(each.question, ()):
            if before.digest != each.digest:
                _refuse(before, rules)  # late deeds: the difference of the two is theirs alone
    fresh = [each for each in new if each.question not in made]
    if not fresh or not earlier:
        return
    releases = [*earlier, *fresh]
    rows = _rows(source, fresh[0].measure, releases)
    figures = [figure for each in releases for figure in _figures(each, rows, is_new=each in fresh)]
    if len(figures) > MOST_FIGURES:
        raise TableTooLarge(what="figures", limit=MOST_FIGURES, found=len(figures))
    if len(rows) * len(figures) > MOST_MEMBERSHIPS:
        raise TableTooLarge(what="memberships", limit=MOST_MEMBERSHIPS, found=len(rows) * len(figures))
    atoms = _atoms(rows, _store_parts(source, fresh[0].measure, releases), figures)
    _refuse_isolated(atoms, figures, rules)
    _refuse_nested(rows, atoms, figures, rules)
    changed = corrections(source, earlier, figures)
    if len(changed):
        _refuse_isolated(_with_changes(atoms, changed), figures, rules)


def _refuse(release: Release, rules: Rules) -> None:
    raise Differencing(
        by=", ".join(release.by) or "-", first=release.first, last=release.last, minimum=rules.minimum_people
    )


def _rows(source: Source, measure: str, releases: Sequence[Release]) -> pd.DataFrame:
    """Who stands behind the figures: distinct resident, day and values of every dimension that matters."""
    rows, names = _asked(source, measure, releases)
    within, how = [_ON, *(f"by_{name}" for name in names)], measure_named(measure).how
    of_it = adding(rows, how, within) if how in (How.SUM, How.COUNTED) else rows.select("resident", *within).distinct()
    found = source.run(of_it)
    return _named(found, names).sort_values(["resident", _ON, *names], ignore_index=True)


def _store_parts(source: Source, measure: str, releases: Sequence[Release]) -> pd.DataFrame:
    """What each store has by day and every dimension that matters: `store`, `part`; no row if it does not add up."""
    rows, names = _asked(source, measure, releases)
    how = measure_named(measure).how
    part = rows["counted"].nunique() if how is How.COUNTED else rows["plus"].sum()
    by = [f"by_{name}" for name in names]
    found = source.run(rows.filter(rows["store"].notnull()).group_by([_ON, "store", *by]).aggregate(part=part))
    return _named(found if how in (How.SUM, How.COUNTED) else found.iloc[:0], names)


def _asked(source: Source, measure: str, releases: Sequence[Release]) -> tuple[Any, tuple[str, ...]]:
    """The rows of the measure in all these periods, and the dimensions that matter."""
    names = tuple(sorted({name for each in releases for name in (*each.by, *each.where)}))
    first = min(each.period[0] for each in releases)
    last = max(each.period[1] for each in releases)
    question = Question(measure, (), {}, first, last)
    return rows_of(source.table, question.checked(), replace(question, by=names)).rename({_ON: "day"}), names


def _named(found: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Dimensions under their own names, as text."""
    for name in names:
        found[name] = pd.Series([str(value) for value in found.pop(f"by_{name}")], index=found.index, dtype="str")
    return found


def _figures(release: Release, rows: pd.DataFrame, *, is_new: bool) -> list[Figure]:
    inside = rows[_within(rows, release)]
    hidden = {frozenset(each.items()) for each in release.hidden}
    found = []
    for size in range(len(release.by) + 1):
        for kept in combinations(release.by, size):
            cells = inside[list(kept)].drop_duplicates().to_dict("records") if kept else [{}]
            for cell in cells:
                fixed = {str(name): str(value) for name, value in cell.items()}
                if frozenset(fixed.items()) not in hidden:
                    found.append(Figure(fixed, release, is_new))
    return found


def _within(rows: pd.DataFrame, release: Release) -> "pd.Series[bool]":
    first, last = (pd.Timestamp(day) for day in release.period)
    inside = rows[_ON] <= last
    if not measure_named(release.measure).how.of_stock:  # of a stock, what came before the period is in it
        inside &= rows[_ON] >= first
    for name, values in release.where.items():
        inside &= rows[name].isin(_as_told(name, values))
    return inside


def _as_told(name: str, values: Iterable[str]) -> list[str]:
    return [str(pd.Timestamp(value)) if name in ("day", "week", "month") else value for value in values]


def _members(rows: pd.DataFrame, figure: Figure) -> NDArray[np.bool_]:
    inside = _within(rows, figure.release)
    for name, value in figure.fixed.items():
        inside &= rows[name] == value
    return inside.to_numpy(dtype=bool)


def _atoms(rows: pd.DataFrame, parts: pd.DataFrame, figures: Sequence[Figure]) -> _Atoms:
    """Each distinct pattern of membership in the figures, with who and which stores have payments of it."""
    members = np.column_stack([_members(rows, figure) for figure in figures])
    packed = np.packbits(members, axis=1)
    _, where, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    people = pd.Series(rows["resident"].to_numpy()).groupby(group.ravel()).nunique()
    of_stores = np.zeros((len(where), parts["store"].nunique()))
    named = [name for name in rows.columns if name != "resident"]
    placed = parts.merge(rows[named].assign(atom=group.ravel()).drop_duplicates(named), on=named)
    stores, _ = pd.factorize(placed["store"], sort=True)
    np.add.at(of_stores, (placed["atom"].to_numpy(), stores), placed["part"].to_numpy(dtype=np.float64))
    patterns = members[where]
    told = patterns.any(axis=1)
    return _Atoms(patterns[told], np.asarray(people, dtype=np.int64)[told], of_stores[told])


def _with_changes(atoms: _Atoms, changed: NDArray[np.bool_]) -> _Atoms:
    """What has changed since it was published, beside the atoms: it may be one person's."""
    people = np.concatenate([atoms.people, np.ones(len(changed), dtype=np.int64)])
    parts = np.vstack([atoms.parts, np.zeros((len(changed), atoms.parts.shape[1]))])
    return _Atoms(np.vstack([atoms.patterns, changed]), people, parts)


def _sensitive(people: NDArray[np.int64], parts: Reals, rules: Rules) -> NDArray[np.bool_]:
    """Which groups could not be shown, by their people and by what each store has in them (groups by stores)."""
    sizes = np.abs(parts)
    whole, top = sizes.sum(axis=1), sizes.max(axis=1, initial=0.0)
    shares = np.divide(top, whole, out=np.zeros(len(sizes)), where=whole > 0)
    stores = (sizes > 0).sum(axis=1).astype(np.float64)
    return rules.sensitive(people.astype(np.float64), stores, shares, np.full(len(sizes), np.nan))


def _refuse_isolated(atoms: _Atoms, figures: Sequence[Figure], rules: Rules) -> None:
    matrix = atoms.patterns.astype(np.float64)
    leverage = np.einsum(
        "ij,jk,ik->i", matrix, np.linalg.pinv(matrix.T @ matrix, hermitian=True), matrix, optimize=True
    )
    for atom in np.flatnonzero((leverage > 1 - CERTAIN) & _sensitive(atoms.people, atoms.parts, rules)):
        inside = zip(figures, atoms.patterns[atom], strict=True)
        beside = [figure for figure, holds in inside if holds and not figure.is_new]
        _refuse(beside[0].release if beside else figures[0].release, rules)


def _refuse_nested(rows: pd.DataFrame, atoms: _Atoms, figures: Sequence[Figure], rules: Rules) -> None:
    patterns = atoms.patterns.astype(np.float64)
    sizes, shared, parts = atoms.patterns.sum(axis=0), patterns.T @ patterns, patterns.T @ atoms.parts
    who = rows["resident"].to_numpy()
    counts = np.array([len(np.unique(who[_members(rows, figure)])) for figure in figures])
    for at, figure in enumerate(figures):
        if not figure.is_new:
            continue
        for other, earlier in enumerate(figures):
            inner, outer = (at, other) if sizes[at] < sizes[other] else (other, at)
            nested = shared[at, other] == sizes[inner] and sizes[inner] < sizes[outer]
            if earlier.is_new or not nested:
                continue
            # The difference has at least as many people as the counts differ by.
            people = int(counts[outer] - counts[inner])
            if people < rules.minimum_people:
                people = len(np.unique(who[_members(rows, figures[outer]) & ~_members(rows, figures[inner])]))
            if _sensitive(np.array([people]), (parts[outer] - parts[inner])[np.newaxis], rules)[0]:
                _refuse(earlier.release, rules)
