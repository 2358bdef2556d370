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
    plain["cell"] = plain.groupby(names, sort=False).ngroup() if names else 0
    keys = _keys(plain.drop_duplicates("cell").sort_values("cell"), names, question.by)
    parts = plain.groupby(["resident", "cell"], as_index=False, sort=False)["plus"].sum()
    whole = parts["plus"].abs().groupby(parts["resident"]).transform("sum")
    over = whole > clamp
    held = np.sign(parts["plus"]) * (parts["plus"].abs() * clamp // whole.clip(lower=1))
    parts["held"] = parts["plus"].where(~over, held)
    exact, bounded = parts.groupby("cell", sort=False)["plus"].sum(), parts.groupby("cell", sort=False)["held"].sum()
    return Level(
        question.by,
        {keys[cell]: int(value) for cell, value in zip(exact.index, exact, strict=True)},
        {keys[cell]: int(value) for cell, value in zip(bounded.index, bounded, strict=True)},
        {keys[cell]: float(value) for cell, value in _second_shares(plain).items()},
        int(parts.loc[over, "resident"].nunique()),
    )


def _keys(plain: pd.DataFrame, names: Sequence[str], by: Sequence[str]) -> list[Key]:
    if not names:
        return [frozenset()] * len(plain)
    return [key_of(by, row) for row in zip(*(plain[name] for name in names), strict=True)]


def _second_shares(plain: pd.DataFrame) -> dict[int, float]:
    of_stores = plain.groupby(["cell", "store"], sort=False)["plus"].sum().to_frame().reset_index()
    of_stores["plus"] = of_stores["plus"].abs()
    whole = of_stores.groupby("cell")["plus"].sum()
    ranked = of_stores.sort_values(["cell", "plus"], ascending=[True, False], kind="stable").groupby("cell")["plus"]
    second = ranked.nth(1)
    at = of_stores.loc[second.index, "cell"].to_numpy()
    found = dict.fromkeys(whole.index, 0.0)
    found.update({int(cell): amount / max(1, whole[cell]) for cell, amount in zip(at, second, strict=True)})
    return found
