"""What somebody who knows every shown figure can work out about the hidden ones.

The attacker knows which cells exist and which are empty, that totals are sums, and that no cell is negative
(where one is, the attacker is even granted its value as a bound). The range of a hidden cell is then the least
and the greatest value that agree with all of that: two linear programmes, solved by HiGHS.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, diags_array, hstack

from analytics.disclosure.cells import Cells
from analytics.disclosure.rules import Reals, Rules

INFEASIBLE, UNBOUNDED, INFEASIBLE_OR_UNBOUNDED = 2, 3, 4
SLACK = 1e-6


class AttackFailed(RuntimeError):
    """The solver could not decide a range: an error of the programme, never an answer about the table."""


@dataclass(frozen=True)
class Puzzle:
    """Hidden cells that hang together: `cells` (places in `Cells`), the matrix of what is known, and its right side."""

    cells: tuple[int, ...]
    matrix: csr_matrix
    known: Reals
    floors: Reals

    def most(self, weights: Reals) -> float:
        """The greatest value of `weights · cells` that agrees with what is known; inf where nothing binds it."""
        solved = linprog(
            -weights,
            A_eq=self.matrix if self.matrix.shape[0] else None,
            b_eq=self.known if self.matrix.shape[0] else None,
            bounds=[(floor, None) for floor in self.floors],
            method="highs",
        )
        if solved.status in (UNBOUNDED, INFEASIBLE_OR_UNBOUNDED):
            return float("inf")
        if solved.status != 0:
            raise AttackFailed(solved.message)
        return float(-solved.fun)


def puzzles(cells: Cells, hidden: Set[int]) -> Iterator[Puzzle]:
    """The attacker's systems, one for each set of hidden cells that some equation ties together."""
    unknown = {place for place in hidden if not empty(cells, place)}
    rows = [tuple(place for place in equation.members if place in unknown) for equation in cells.equations]
    for group in _groups(unknown, rows):
        inside = set(group)
        at = {place: column for column, place in enumerate(group)}
        entries: list[tuple[int, int, float]] = []
        known: list[float] = []
        for equation, row in zip(cells.equations, rows, strict=True):
            if not row or row[0] not in inside:
                continue
            signs = [(equation.total, 1.0), *((part, -1.0) for part in equation.parts)]
            entries += [(len(known), at[place], sign) for place, sign in signs if place in at]
            known.append(-sum(sign * cells.values[place] for place, sign in signs if place not in at))
        yield Puzzle(
            tuple(group),
            csr_matrix(
                ([each[2] for each in entries], ([each[0] for each in entries], [each[1] for each in entries])),
                shape=(len(known), len(group)),
            ),
            np.array(known),
            np.minimum(cells.values[list(group)], 0.0),
        )


def empty(cells: Cells, place: int) -> bool:
    """Nobody is in the cell and nothing was spent: everybody may know, so it hides nothing."""
    return bool(cells.people[place] == 0 and cells.stores[place] == 0 and cells.values[place] == 0)


def needed(value: float, rules: Rules) -> tuple[float, float]:
    """How far below and above its true value a hidden cell must stay possible. Never less than one unit upwards."""
    margin = max(1.0, float(np.ceil(rules.protection * abs(value))))
    return min(margin, value - min(value, 0.0)), margin


def exposed(cells: Cells, hidden: Set[int], watched: Set[int], rules: Rules) -> list[tuple[int, int]]:
    """Hidden cells that can be told too closely, each with the side that is too close: -1 below, +1 above.

    The `watched` ones must be open on both sides, the others, which only hide them, on one.
    """
    return [found for puzzle in puzzles(cells, hidden) for found in _exposed_in(puzzle, cells, watched, rules)]


def ranges(cells: Cells, hidden: Set[int]) -> dict[int, tuple[float, float]]:
    """The least and greatest possible value of every hidden cell. An empty cell is known to be 0."""
    found = {place: (0.0, 0.0) for place in hidden if empty(cells, place)}
    for puzzle in puzzles(cells, hidden):
        for column, place in enumerate(puzzle.cells):
            unit = np.zeros(len(puzzle.cells))
            unit[column] = 1.0
            found[place] = (-puzzle.most(-unit), puzzle.most(unit))
    return found


def together(cells: Cells, hidden: Set[int], watched: Set[int]) -> list[tuple[int, int]]:
    """Pairs of watched hidden cells whose sum can be told exactly, though neither can be told alone.

    x + y is fixed exactly if no direction in which the unknowns can move changes it: their rows in a basis of
    the null space are opposite.
    """
    found: list[tuple[int, int]] = []
    for puzzle in puzzles(cells, hidden):
        columns = [column for column, place in enumerate(puzzle.cells) if place in watched]
        if len(columns) < 2 or puzzle.matrix.shape[0] == 0:
            continue
        moves = _null_space(puzzle.matrix.toarray())[columns]
        squares = (moves**2).sum(axis=1)
        gaps = squares[:, None] + squares[None, :] + 2 * moves @ moves.T
        for first, other in np.argwhere(np.triu(gaps < SLACK, k=1)):
            found.append((puzzle.cells[columns[first]], puzzle.cells[columns[other]]))
    return found


def _exposed_in(puzzle: Puzzle, cells: Cells, watched: Set[int], rules: Rules) -> Iterator[tuple[int, int]]:
    truth = cells.values[list(puzzle.cells)]
    margins = {
        (column, side): margin
        for column, value in enumerate(truth)
        for side, margin in zip((-1, 1), needed(value, rules), strict=True)
        if margin > SLACK
    }
    toss = np.random.default_rng(len(truth))  # any signs will do; these are the same each time
    while margins:
        signs = toss.choice((-1, 1), len(truth))
        chosen = {(column, side): far for (column, side), far in margins.items() if side == signs[column]}
        cleared = _cleared_at_once(puzzle, truth, chosen) if chosen else set()
        if not cleared:
            column, side = min(margins)
            weights = np.zeros(len(truth))
            weights[column] = float(side)
            if puzzle.most(weights) >= side * truth[column] + margins[column, side] - SLACK:
                cleared = {(column, side)}
            else:
                del margins[column, side]
                if puzzle.cells[column] in watched or (column, -side) not in margins:
                    yield puzzle.cells[column], side
        cleared |= {(column, -side) for column, side in cleared if puzzle.cells[column] not in watched}
        margins = {sought: margin for sought, margin in margins.items() if sought not in cleared}


def _cleared_at_once(puzzle: Puzzle, truth: Reals, margins: dict[tuple[int, int], float]) -> set[tuple[int, int]]:
    """Of the wanted movements those that one answer of the attacker's system makes together: as many as it can.

    At most one side of a cell can be wanted. Asking cell by cell would need a programme for each side of each.
    """
    sought, wanted = list(margins), np.array(list(margins.values()))
    count, many = len(truth), len(sought)
    columns = [column for column, _ in sought]
    sides = np.array([float(side) for _, side in sought])
    # side · (x - truth) >= margin · reached, where reached <= 1 counts.
    reach = hstack([csr_matrix((-sides, (range(many), columns)), shape=(many, count)), diags_array(wanted)])
    bound_to = puzzle.matrix.shape[0] > 0
    solved = linprog(
        np.concatenate([np.zeros(count), -np.ones(many)]),
        A_ub=reach.tocsr(),
        b_ub=-sides * truth[columns],
        A_eq=hstack([puzzle.matrix, csr_matrix((puzzle.matrix.shape[0], many))]).tocsr() if bound_to else None,
        b_eq=puzzle.known if bound_to else None,
        bounds=[(floor, None) for floor in puzzle.floors] + [(None, 1)] * many,
        method="highs",
    )
    if solved.status != 0:
        raise AttackFailed(solved.message)
    moved = sides * (solved.x[:count] - truth)[columns]
    return {each for each, far in zip(sought, moved >= wanted - SLACK, strict=True) if far}


def _groups(unknown: Set[int], rows: Sequence[tuple[int, ...]]) -> list[list[int]]:
    parent = {place: place for place in unknown}

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for row in rows:
        for place in row[1:]:
            parent[root(place)] = root(row[0])
    groups: dict[int, list[int]] = {}
    for place in sorted(unknown):
        groups.setdefault(root(place), []).append(place)
    return list(groups.values())


def _null_space(matrix: NDArray[np.float64]) -> Reals:
    _, sizes, right = np.linalg.svd(matrix, full_matrices=True)
    rank = int((sizes > SLACK).sum())
    return np.asarray(right[rank:].T)
