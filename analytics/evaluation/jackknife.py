"""Least squares, in one stage or two, again without each cluster in turn: the variance called CRV3.

What the library does by fitting anew is done here in normal equations, of which each cluster has a part: a hundred
clusters take hundredths of a second instead of seconds. docs/algorithms/evaluation.md, "Lotteries".
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.evaluation.estimates import NotEstimable

Reals = npt.NDArray[np.floating[Any]]


def jackknifed(y: Reals, x: Reals, z: Reals, cluster: npt.NDArray[Any], asked: int, what: str) -> tuple[Reals, Reals]:
    """The first `asked` coefficients of `y` on the columns of `x`, and their covariance by leaving out clusters.

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
    off = (without - whole) / size[:asked]
    covariance: Reals = off.T @ off * ((len(places) - 1) / len(places))
    return whole / size[:asked], covariance


def _solved(square: Reals, product: Reals, asked: int, what: str) -> Reals:
    """Coefficients that the equations decide; columns that others make up (a cell that nobody is left in) are free."""
    inverse = np.linalg.pinv(square, rcond=1e-11)
    if np.abs((inverse @ square)[:asked] - np.eye(len(square))[:asked]).max() > 1e-6:
        raise NotEstimable(what=what, reason="one_cluster")
    solved: Reals = (inverse @ product)[:asked]
    return solved
