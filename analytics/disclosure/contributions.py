"""What each resident adds to the cells of a table, and no resident more than a clamp.

Noise hides one person only as far as one person's part is bounded. A resident whose parts of one table exceed the
clamp, their signs aside, has all of them made smaller in proportion, towards zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.disclosure.cells import Key, key_of
from analytics.lake.lake import Source
from analytics.measures.cells import rows_of
from analytics.measures.question import Question


@dataclass(frozen=True)
class Level:
    """One table before noise. `exact` are the cells' true figures, `bounded` with the clamp, `clamped` the people.

    `second` is the share of the second store in what each store adds to a cell, signs aside.
    """

    by: tuple[str, ...]
    exact: Mapping[Key, int]
    bounded: Mapping[Key, int]
    second: Mapping[Key, float]
    clamped: int


def level(source: Source, question: Question, clamp: int) -> Level:
    """The table of a measure that is a sum, from the rows themselves. `clamp` is in the measure's unit, at least 1."""
    rows = rows_of(source.table, question.checked(), question)
    names = [f"by_{name}" for name in question.by]
    plain = source.run(rows.group_by([*names, "resident", "store"]).aggregate(plus=rows["plus"].sum().cast("int64")))
    keys = _keys(plain, names, question.by)
    plain = plain.assign(cell=pd.Series(keys, index=plain.index, dtype="object"))
    parts = plain.groupby(["resident", "cell"], as_index=False, sort=False)["plus"].sum()
    whole = parts["plus"].abs().groupby(parts["resident"]).transform("sum")
    over = whole > clamp
    held = np.sign(parts["plus"]) * (parts["plus"].abs() * clamp // whole.clip(lower=1))
    parts["held"] = parts["plus"].where(~over, held)
    exact, bounded = parts.groupby("cell", sort=False)["plus"].sum(), parts.groupby("cell", sort=False)["held"].sum()
    return Level(
        question.by,
        {key: int(value) for key, value in exact.items()},
        {key: int(value) for key, value in bounded.items()},
        _second_shares(plain),
        int(parts.loc[over, "resident"].nunique()),
    )


def _keys(plain: pd.DataFrame, names: Sequence[str], by: Sequence[str]) -> list[Key]:
    if not names:
        return [frozenset()] * len(plain)
    return [key_of(by, row) for row in zip(*(plain[name] for name in names), strict=True)]


def _second_shares(plain: pd.DataFrame) -> dict[Key, float]:
    found: dict[Key, float] = {}
    of_stores = plain.groupby(["cell", "store"], as_index=False, sort=False)["plus"].sum()
    of_stores["plus"] = of_stores["plus"].abs()
    for key, amounts in of_stores.groupby("cell", sort=False)["plus"]:
        ordered = sorted(amounts, reverse=True)
        whole = sum(ordered)
        found[key] = ordered[1] / whole if len(ordered) > 1 and whole else 0.0
    return found
