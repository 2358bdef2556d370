"""Whether rows about people may leave as rows: k-anonymity and l-diversity.

Whoever knows somebody's quasi-identifiers (age band, district, …) must find at least `k` people with the same, and
among them at least `l` different values of what is not known (Sweeney 2002; Machanavajjhala et al. 2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from services.kit.errors import Refusal


class NotAnonymous(Refusal):
    """Some people could be picked out of an export: `people` too few to hide among others, `k`, `l`."""

    code: ClassVar[str] = "not_anonymous"


@dataclass(frozen=True)
class Crowd:
    """How well people hide: the smallest class, the least diverse one, and how many people stand in unfit classes."""

    smallest: int
    least_diverse: int
    exposed_people: int


def crowd(
    data: pd.DataFrame, person: str, quasi: Sequence[str], sensitive: Sequence[str], k: int = 10, l_values: int = 2
) -> Crowd:
    """Measure an export. A person may have several rows; a missing quasi-identifier is a value like any other.

    An export without rows exposes nobody: its `smallest` and `least_diverse` are 0.
    """
    if data.empty:
        return Crowd(0, 0, 0)
    named = list(quasi)
    keyed = data.assign(_all=0) if not named else data
    classes = keyed.groupby(named or ["_all"], dropna=False, observed=True)
    people = classes[person].nunique()
    diverse = pd.concat([classes[name].nunique(dropna=False) for name in sensitive], axis=1) if sensitive else None
    least = diverse.min(axis=1) if diverse is not None else people.clip(upper=l_values)
    unfit = (people < k) | (least < l_values)
    return Crowd(int(people.min()), int(least.min()), int(people[unfit].sum()))


def k_anonymous(
    data: pd.DataFrame, person: str, quasi: Sequence[str], sensitive: Sequence[str], k: int = 10, l_values: int = 2
) -> pd.DataFrame:
    """The same rows, if everybody hides among `k` people with `l_values` values. Raises NotAnonymous."""
    found = crowd(data, person, quasi, sensitive, k, l_values)
    if found.exposed_people:
        raise NotAnonymous(people=found.exposed_people, k=k, l=l_values)
    return data
