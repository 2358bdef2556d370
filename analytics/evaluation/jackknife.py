"""Least squares, in one stage or two, again without each cluster, or each person, in turn: CRV3 and HC3.

What the library does by fitting anew is done here in normal equations, of which each cluster has a part: a hundred
clusters take hundredths of a second instead of seconds. docs/algorithms/evaluation.md, "Lotteries".
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.evaluation.estimates import NotEstimable

Reals = npt.NDArray[np.floating[Any]]


def jackknifed(y: Reals, x: Reals, z: Reals, cluster: npt.NDArray[Any], asked: int, what: str) -> tuple[Reals, Reals]:
    """The first `asked` coefficients of `y` on the columns of `x`, and their covariance (CRV3). As `without_each`."""
    whole, off = without_each(y, x, z, cluster, asked, what)
    covariance: Reals = off.T @ off * ((len(off) - 1) / len(off))
    return whole, covariance


def without_each(y: Reals, x: Reals, z: Reals, cluster: npt.NDArray[Any], asked: int, what: str) -> tuple[Reals, Reals]:
    """The first `asked` coefficients of `y` on the columns of `x`, and by how much they move without each cluster.

    z: the instruments, as many columns as `x` and `x` itself for one stage. Raises NotEstimable where they are not
    decided, with every cluster or without one of them.
    """
    size = np.sqrt((x**2).mean(axis=0))
    size = np.where(size > 0, size, 1.0)  # yen beside truths: equations of one scale
    x, z = x / size, z / size
    places = [np.flatnonzero(cluster == one) for one in np.unique(cluster)]
    squares = np.stack([z[at].T @ x[at] for at in places])
    products = np.stack([z[at].T @ y[at] for at in places])
    square, product = squares.sum(axis=0), products.sum(axis=0)
    whole = _solved(square, product, asked, what)
    without = np.stack(
        [_solved(square - own, product - mine, asked, what) for own, mine in zip(squares, products, strict=True)]
    )
    off: Reals = (without - whole) / size[:asked]
    return whole / size[:asked], off


def without_each_person(y: Reals, x: Reals, z: Reals, cell: npt.NDArray[Any], what: str) -> tuple[float, Reals]:
    """The first coefficient of `y` on the columns of `x` and a level of each cell, and its moves without each row.

    The squares of the moves sum to HC3. In closed form: a row's residual over what the rest leaves to it, so that
    neither many rows nor many cells cost a fit each. cell: whole numbers. Raises NotEstimable as `without_each`.
    """
    size = np.sqrt((x**2).mean(axis=0))
    size = np.where(size > 0, size, 1.0)
    level = pd.DataFrame(np.column_stack([y, x / size, z / size])).groupby(cell)
    y, x, z = np.split(
        np.column_stack([y, x / size, z / size]) - level.transform("mean").to_numpy(), [1, x.shape[1] + 1], 1
    )
    square = z.T @ x
    if np.linalg.matrix_rank(square, tol=1e-9 * max(1.0, float(np.abs(square).max()))) < len(square):
        raise NotEstimable(what=what, reason="no_variation")
    inverse = np.linalg.inv(square)
    found = inverse @ (z.T @ y)
    rest = 1 - 1 / level[0].transform("size").to_numpy() - np.einsum("ij,jk,ik->i", x, inverse, z)
    if np.abs(rest).min() < 1e-9:
        raise NotEstimable(what=what, reason="too_few_rows")
    moves: Reals = -(z @ inverse[0]) * (y - x @ found)[:, 0] / rest / size[0]
    return float(found[0, 0] / size[0]), moves


def freedom_of(moves: Reals, won: npt.NDArray[np.bool_]) -> float:
    """The degrees of freedom of an interval from such moves, by Welch and Satterthwaite: each arm has its own variance.

    Where few won, little is known of what winners do, however many lost.
    """
    parts = [(float((moves[arm] ** 2).sum()), int(arm.sum())) for arm in (won, ~won)]
    whole = sum(part for part, _ in parts) ** 2
    apart = sum(part**2 / max(count - 1, 1) for part, count in parts)
    return max(whole / apart, 1.0) if apart > 0 else 1.0


def _solved(square: Reals, product: Reals, asked: int, what: str) -> Reals:
    """Coefficients that the equations decide; columns that others make up (a cell that nobody is left in) are free."""
    inverse = np.linalg.pinv(square, rcond=1e-11)
    if np.abs((inverse @ square)[:asked] - np.eye(len(square))[:asked]).max() > 1e-6:
        raise NotEstimable(what=what, reason="one_cluster")
    solved: Reals = (inverse @ product)[:asked]
    return solved
