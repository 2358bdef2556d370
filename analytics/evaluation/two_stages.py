"""Gardner's two stages in linear algebra, and their jackknife by cluster.

The first stage learns units and times from the untouched rows alone: y = unit + time, perhaps + what leads up to
joining. Units are taken out by their own means, so that small normal equations remain, a part from each cluster;
whatever is asked is linear in their solution. Leaving out each cluster in turn gives CRV3, which keeps its word when
clusters are few, where the library's variance (no correction for small samples) does not.
docs/algorithms/evaluation.md, "Staggered".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Reals = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Found:
    """Per estimand the estimate, and its value without each cluster in turn (clusters × estimands).

    NaN where what remains does not tell it.
    """

    estimate: Reals
    without: Reals

    def covariance(self, which: Sequence[int]) -> Reals:
        """The jackknife's (CRV3) of these estimands; NaN where one of them hangs on a single cluster."""
        off = (self.without - self.estimate)[:, which]
        covariance: Reals = off.T @ off * ((len(off) - 1) / len(off))
        return covariance

    def error(self, which: int) -> float:
        """The standard error of one estimand."""
        return float(np.sqrt(self.covariance([which])[0, 0]))


@dataclass(frozen=True)
class _Sums:
    """What some clusters give: normal equations, and per estimand the sum over its rows of y, of x, and of rows."""

    square: Reals
    product: Reals
    level: Reals
    slope: Reals
    count: Reals

    def plus(self, other: "_Sums", sign: int = 1) -> "_Sums":
        return _Sums(*(getattr(self, each.name) + sign * getattr(other, each.name) for each in fields(self)))

    def means(self) -> Reals:
        """Per estimand the mean of y less what the equations foretell; NaN without a row, or where they decide none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.told(self.level / self.count, self.slope / self.count[:, None])

    def told(self, level: Reals, slope: Reals) -> Reals:
        """level - slope · solution; NaN where the equations do not decide it."""
        slope = np.where(np.isfinite(slope), slope, 0.0)
        inverse = np.linalg.pinv(self.square, hermitian=True, rcond=1e-10)
        decided = np.abs(slope - slope @ inverse @ self.square).max(axis=1, initial=0.0) < 1e-6
        told: Reals = np.where(decided, level - slope @ (inverse @ self.product), np.nan)
        return told


def averages(data: pd.DataFrame, groups: Reals) -> Found:
    """The mean effect over each group of touched rows.

    data: `u` unit, `t` time (both 0, 1, …), `c` cluster, `y`, `treated`; each unit has untouched rows. groups: rows ×
    estimands of 0 and 1, zero on untouched rows.
    """
    whole = _whole(_parts(data, groups, np.zeros((len(data), 0))))
    without = [whole.plus(part, -1).means() for part in _parts(data, groups, np.zeros((len(data), 0)))]
    return Found(whole.means(), np.stack(without))


def before_joining(data: pd.DataFrame, leads: Reals) -> Found:
    """How the untouched rows marked by each column of `leads` (rows × leads of 0 and 1) differ from all other untouched
    ones, units and times taken out: zero but for chance if those who join later moved like the others until then."""
    groups, slope = np.zeros((len(data), 0)), -np.eye(leads.shape[1] + int(data["t"].max()) + 1)[-leads.shape[1] :]
    level = np.zeros(leads.shape[1])
    whole = _whole(_parts(data, groups, leads))
    without = [whole.plus(part, -1).told(level, slope) for part in _parts(data, groups, leads)]
    return Found(whole.told(level, slope), np.stack(without))


def _whole(parts: Iterator[_Sums]) -> _Sums:
    whole = next(parts)
    for part in parts:
        whole = whole.plus(part)
    return whole


def _parts(data: pd.DataFrame, groups: Reals, leads: Reals) -> Iterator[_Sums]:
    """Cluster by cluster, made anew each time, so that no more than one needs memory."""
    times = np.eye(int(data["t"].max()) + 1)
    units, time, y, treated = (data[name].to_numpy() for name in ("u", "t", "y", "treated"))
    for at in data.groupby("c", sort=True).indices.values():
        free = treated[at] == 0
        unit = np.unique(units[at], return_inverse=True)[1]
        table = np.hstack([y[at, None], times[time[at]], leads[at]])
        means = np.zeros((unit.max() + 1, table.shape[1]))
        np.add.at(means, unit[free], table[free])
        table -= (means / np.bincount(unit[free], minlength=len(means))[:, None])[unit]
        off, x = table[:, 0], table[:, 1:]
        mine = groups[at]
        yield _Sums(x[free].T @ x[free], x[free].T @ off[free], mine.T @ off, mine.T @ x, mine.sum(axis=0))
