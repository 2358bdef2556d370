"""The cells of one or more tables with all their totals, and the equations that tie them.

A cell is named by what it holds fixed: `{category: food, district: 1}`; a total holds fewer dimensions, the
grand total none. So the same total of two tables is one cell, and tables that share totals are protected
together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.disclosure.rules import Reals
from services.kit.errors import Refusal

Key = frozenset[tuple[str, Any]]

MOST_DIMENSIONS: Final = 3
MOST_CELLS: Final = 20_000
SLACK: Final = 1e-9


class TableTooLarge(Refusal):
    """A table has more dimensions or cells than can be proven safe: `what`, `limit`, `found`."""

    code: ClassVar[str] = "table_too_large"


class TablesDisagree(Refusal):
    """Two tables that are to be published together give one total two values: `cell`."""

    code: ClassVar[str] = "tables_disagree"


@dataclass(frozen=True)
class Equation:
    """The cell `total` is the sum of the cells `parts`; all are places in `Cells.keys`."""

    total: int
    parts: tuple[int, ...]

    @property
    def members(self) -> tuple[int, ...]:
        return (self.total, *self.parts)


@dataclass(frozen=True)
class Cells:
    """All cells in a fixed order. `people` and `stores` are at least so many in a total, `top` at most so much.

    How many distinct people a total has cannot be told from its parts, only that it has no fewer than the
    fullest of them; of the two errors this is the safe one.
    """

    keys: tuple[Key, ...]
    values: Reals
    people: Reals
    stores: Reals
    top: Reals
    second: Reals
    equations: tuple[Equation, ...]

    def place(self, key: Key) -> int:
        return self._places[key]

    @property
    def _places(self) -> dict[Key, int]:
        found: dict[Key, int] = self.__dict__.get("_at") or {key: at for at, key in enumerate(self.keys)}
        self.__dict__["_at"] = found
        return found

    @property
    def levels(self) -> NDArray[np.int64]:
        """How many dimensions each cell holds fixed."""
        return np.array([len(key) for key in self.keys], dtype=np.int64)


def ordered(key: Key) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Where a cell stands among cells: totals first, then by name and value."""
    return len(key), tuple(sorted((name, str(value)) for name, value in key))


def key_of(by: Sequence[str], row: Sequence[Any]) -> Key:
    return frozenset(zip(by, row, strict=True))


def link(
    tables: Iterable[tuple[pd.DataFrame, Sequence[str]]],
    nested: Mapping[str, tuple[str, Callable[[Any], Any]]] | None = None,
) -> Cells:
    """The cells of answers (`*by, value, people, stores, top_store_share`) with every total over their dimensions.

    `nested` says that values of one dimension make up those of another: `{"day": ("week", monday_of)}`.
    Raises TableTooLarge, and TablesDisagree when a shared total differs between tables.
    """
    facts: dict[Key, list[float]] = {}
    sums: dict[tuple[Key, str], tuple[Key, ...]] = {}
    for answer, by in tables:
        if len(by) > MOST_DIMENSIONS:
            raise TableTooLarge(what="dimensions", limit=MOST_DIMENSIONS, found=len(by))
        for key, found in _levels(answer, tuple(by)):
            facts[key] = _merged(key, facts[key], found) if key in facts else found
            if len(facts) > MOST_CELLS:
                raise TableTooLarge(what="cells", limit=MOST_CELLS, found=len(facts))
        sums.update(_sums(answer, tuple(by)))
    for fine, (coarse, of) in (nested or {}).items():
        sums.update(_nested_sums(facts, fine, coarse, of))
    keys = tuple(sorted(facts, key=ordered))
    at = {key: place for place, key in enumerate(keys)}
    values, people, stores, top, second = np.array([facts[key] for key in keys], dtype=np.float64).reshape(-1, 5).T
    equations = tuple(
        Equation(at[total], tuple(at[part] for part in parts))
        for (total, _), parts in sorted(sums.items(), key=lambda each: (ordered(each[0][0]), each[0][1]))
    )
    return Cells(keys, values, people, stores, top, second, equations)


def _levels(answer: pd.DataFrame, by: tuple[str, ...]) -> Iterator[tuple[Key, list[float]]]:
    plain = pd.DataFrame(
        {
            "value": answer["value"].astype("float64"),
            "people": answer["people"].astype("float64"),
            "stores": answer["stores"].fillna(0).astype("float64"),
            "top": answer["top_store_share"].astype("float64"),
        }
    )
    plain["second"] = answer["second_store_share"].astype("float64") if "second_store_share" in answer else np.nan
    names = [list(answer[name]) for name in by]
    for place, row in enumerate(plain.to_numpy()):
        yield key_of(by, [column[place] for column in names]), [float(each) for each in row]
    plain["weighed"] = plain["top"].fillna(0) * plain["value"].abs()
    for size in range(len(by)):
        for kept in combinations(by, size):
            yield from _totals(plain, kept, names, by)


def _totals(
    plain: pd.DataFrame, kept: tuple[str, ...], names: list[list[Any]], by: tuple[str, ...]
) -> Iterator[tuple[Key, list[float]]]:
    groups: dict[Key, list[int]] = {frozenset(): list(range(len(plain)))} if not kept else {}
    if kept:
        for place in range(len(plain)):
            key = frozenset((name, names[by.index(name)][place]) for name in kept)
            groups.setdefault(key, []).append(place)
    numbers = plain[["value", "people", "stores", "weighed"]].to_numpy()
    for key, places in groups.items():
        chosen = numbers[places]
        if len(chosen) == 0:
            yield key, [0.0, 0.0, 0.0, np.nan, np.nan]
            continue
        value = float(chosen[:, 0].sum())
        top = min(1.0, float(chosen[:, 3].sum()) / value) if value > 0 else 1.0
        yield key, [value, float(chosen[:, 1].max()), float(chosen[:, 2].max()), top, np.nan]


def _sums(answer: pd.DataFrame, by: tuple[str, ...]) -> dict[tuple[Key, str], tuple[Key, ...]]:
    cells = {key_of(by, row) for row in zip(*(answer[name] for name in by), strict=True)} if by else set()
    found: dict[tuple[Key, str], set[Key]] = {}
    for size in range(len(by), 0, -1):
        for kept in combinations(by, size):
            for cell in cells:
                part = frozenset(pair for pair in cell if pair[0] in kept)
                for pair in part:
                    found.setdefault((part - {pair}, pair[0]), set()).add(part)
    return {total: tuple(sorted(parts, key=ordered)) for total, parts in found.items()}


def _nested_sums(
    facts: Mapping[Key, Any], fine: str, coarse: str, of: Callable[[Any], Any]
) -> dict[tuple[Key, str], tuple[Key, ...]]:
    found: dict[tuple[Key, str], list[Key]] = {}
    for key in facts:
        pairs = dict(key)
        if fine in pairs and coarse not in pairs:
            whole = frozenset({**{name: value for name, value in key if name != fine}, coarse: of(pairs[fine])}.items())
            if whole in facts:
                found.setdefault((whole, fine), []).append(key)
    return {total: tuple(sorted(parts, key=ordered)) for total, parts in found.items()}


def _merged(key: Key, first: list[float], other: list[float]) -> list[float]:
    if abs(first[0] - other[0]) > SLACK * max(1.0, abs(first[0])):
        raise TablesDisagree(cell=", ".join(f"{name}={value}" for name, value in sorted(key, key=str)) or "total")
    top, second = np.fmin(first[3], other[3]), np.fmin(first[4], other[4])
    return [first[0], max(first[1], other[1]), max(first[2], other[2]), float(top), float(second)]
