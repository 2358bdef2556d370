"""Which other cells must be hidden so that the sensitive ones stay hidden.

Three laws, applied until none adds a cell:

1. *No lone cell, no small sum.* What is hidden in a line (a total and its parts) is never one cell; and
   when the line's total is shown, the hidden parts together, whose sum anybody can tell, must be fit to show.
2. *No narrow range.* Every sensitive cell must stay possible well below and well above its value, every other
   hidden one on one of the two sides (`attack`).
   Where it does not, the cheapest movement of the table's cells that would make it possible is found by a linear
   programme, and the shown cells that it moves are hidden. That movement is itself the proof that it suffices.
3. *No small pair.* Two sensitive cells whose sum can be told exactly must be fit to show together.

Only cells are added and they are finite, so it ends; the last round is the proof that all three hold. The same
tables give the same cells: every choice is by cost, then by name.
"""

from collections.abc import Iterable, Set

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack

from analytics.disclosure.attack import SLACK, empty, exposed, needed, together
from analytics.disclosure.cells import Cells, Equation
from analytics.disclosure.rules import Reals, Rules

TOTAL_COSTS = 20.0


def primary(cells: Cells, rules: Rules) -> frozenset[int]:
    """The cells that are sensitive for their own sake."""
    flags = rules.sensitive(cells.people, cells.stores, cells.top, cells.second)
    return frozenset(int(place) for place in np.flatnonzero(flags))


def suppress(cells: Cells, rules: Rules, forced: Set[int] = frozenset()) -> frozenset[int]:
    """Every cell to hide: the sensitive ones, those `forced` from outside, and what must hide with them."""
    watched = primary(cells, rules) | forced
    hidden = set(watched)
    prices = _prices(cells)
    while True:
        before = len(hidden)
        _thicken_lines(cells, hidden, prices, rules)
        for place, side in exposed(cells, hidden, watched, rules):
            margin = needed(cells.values[place], rules)[0 if side < 0 else 1]
            _loosen(cells, hidden, prices, {place: float(side)}, margin)
        if len(hidden) == before:
            for first, other in together(cells, hidden, watched):
                if not fit(cells, (first, other), rules):
                    _loosen(cells, hidden, prices, {first: 1.0, other: 1.0}, 1.0)
        if len(hidden) == before:
            return frozenset(hidden)


def fit(cells: Cells, places: Iterable[int], rules: Rules) -> bool:
    """Whether the sum of these cells might be shown: no people, stores or shares are counted in its favour twice."""
    chosen = list(places)
    values = np.abs(cells.values[chosen])
    whole = float(values.sum())
    top = float((np.nan_to_num(cells.top[chosen], nan=0.0) * values).sum()) / whole if whole > 0 else 1.0
    people, stores = cells.people[chosen].max(), cells.stores[chosen].max()
    verdict = rules.sensitive(np.array([people]), np.array([stores]), np.array([top]), np.array([np.nan]))
    return not bool(verdict[0])


def _sum_is_fit(cells: Cells, line: Equation, hidden_parts: list[int], rules: Rules) -> bool:
    """Whether the sum of a line's hidden parts, which its shown total tells, might be shown itself."""
    if all(part in hidden_parts or empty(cells, part) for part in line.parts):
        return True  # that sum is the total, which is shown because it may be
    return fit(cells, hidden_parts, rules)


def _prices(cells: Cells) -> Reals:
    # A total tells more people more than a cell does, and a large figure more than a small one.
    depth = cells.levels.max(initial=0) - cells.levels
    return np.asarray((1.0 + np.log1p(np.abs(cells.values))) * TOTAL_COSTS**depth)


def _thicken_lines(cells: Cells, hidden: set[int], prices: Reals, rules: Rules) -> None:
    lines_of: dict[int, list[Equation]] = {}
    for equation in cells.equations:
        for place in equation.members:
            lines_of.setdefault(place, []).append(equation)
    waiting = list(cells.equations)
    while waiting:
        equation = waiting.pop(0)
        while (added := _next_of(cells, equation, hidden, lines_of, prices, rules)) is not None:
            hidden.add(added)
            waiting += [line for line in lines_of[added] if line not in waiting]


def _next_of(
    cells: Cells, line: Equation, hidden: set[int], lines_of: dict[int, list[Equation]], prices: Reals, rules: Rules
) -> int | None:
    inside = [place for place in line.members if place in hidden and not empty(cells, place)]
    if not inside:
        return None
    parts = [place for place in inside if place != line.total]
    total_shown = line.total not in hidden
    if len(inside) > 1 and (not total_shown or _sum_is_fit(cells, line, parts, rules)):
        return None
    left = [place for place in line.members if place not in hidden and not empty(cells, place)]

    def cost(place: int) -> tuple[int, float, int]:
        lonely = sum(
            1
            for other in lines_of[place]
            if other is not line and not any(member in hidden for member in other.members)
        )
        return lonely if place != line.total else len(cells.keys), float(prices[place]), place

    return min(left, key=cost, default=None)


def _loosen(cells: Cells, hidden: set[int], prices: Reals, target: dict[int, float], margin: float) -> None:
    """Hide the cells that the cheapest movement with `target · movement = margin` moves.

    Where no movement is possible at all, the whole table speaks of too little, and all its cells are hidden.
    """
    count = len(cells.keys)
    movable = [not empty(cells, place) for place in range(count)]
    cost = np.where([place in hidden for place in range(count)], 0.0, prices)
    lines = _matrix(cells)
    wanted = csr_matrix((list(target.values()), ([0] * len(target), list(target))), shape=(1, count))
    rows = csr_matrix(np.vstack([lines.toarray(), wanted.toarray()])) if lines.shape[0] else wanted
    room = np.where(movable, cells.values - np.minimum(cells.values, 0.0), 0.0)
    solved = linprog(
        np.concatenate([cost, cost]),
        A_eq=hstack([rows, -rows]).tocsr(),
        b_eq=np.concatenate([np.zeros(lines.shape[0]), [margin]]),
        bounds=[(0, None if can else 0) for can in movable] + [(0, most) for most in room],
        method="highs",
    )
    if solved.status != 0:
        hidden.update(place for place in range(count) if movable[place])
        return
    moved = solved.x[:count] - solved.x[count:]
    hidden.update(int(place) for place in np.flatnonzero(np.abs(moved) > SLACK))


def _matrix(cells: Cells) -> csr_matrix:
    entries = [
        (row, place, 1.0 if place == equation.total else -1.0)
        for row, equation in enumerate(cells.equations)
        for place in equation.members
    ]
    if not entries:
        return csr_matrix((0, len(cells.keys)))
    rows, columns, signs = zip(*entries, strict=True)
    return csr_matrix((signs, (rows, columns)), shape=(len(cells.equations), len(cells.keys)))
