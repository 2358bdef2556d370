"""Concentration: how unevenly sales fall on stores, or spending on residents.

Law: exact before it is rounded. Sums are integers, the Gini coefficient and the share of the top are quotients
of integers, and only the quotient becomes a float.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Integral, Real
from typing import Any, Final

import pandas as pd

from analytics.frames import SPENDING, Column, Dtype, Frame
from analytics.mining.engine import shaped
from analytics.mining.refusals import OutOfRange
from analytics.mining.thresholds import share_of

CONCENTRATION: Final = Frame(
    "concentration",
    "the whole frame",
    (
        Column("of", Dtype.TEXT, "store or resident"),
        Column("members", Dtype.INTEGER, "how many there are"),
        Column("below_zero", Dtype.INTEGER, "of them, whose refunds exceed their payments; they count as zero"),
        Column("net_yen", Dtype.INTEGER, "what all have together, yen"),
        Column("gini", Dtype.REAL, "0 all equal, near 1 one has all; NaN when nobody has anything", nullable=True),
        Column("top", Dtype.REAL, "the part of the members that `top_share` speaks of"),
        Column("top_share", Dtype.REAL, "what the top have of it, 0 to 1; NaN when nobody has anything", nullable=True),
    ),
    ("of",),
)


def concentration(
    spending: pd.DataFrame,
    of: str = "store",
    top: Fraction | float = Fraction(1, 10),
    among: Iterable[str] | Iterable[int] = (),
) -> pd.DataFrame:
    """One row (CONCENTRATION) on the net sum of every store's, or resident's, rows in the frame.

    Every row counts where it stands, payments and what takes them back alike. `among` names members who count
    even when they have no row, with zero.

    Raises FrameUnfit, and OutOfRange for another `of` or a `top` outside (0, 1].
    """
    if of not in {"store", "resident"}:
        raise OutOfRange(name="of", value=str(of)[:20], least="resident", most="store")
    part = share_of("top", top)
    sums = SPENDING.sound(spending).groupby(of)["amount_yen"].sum()
    found = [int(value) for value in sums] + [0] * len(set(among) - set(sums.index))
    values = [max(value, 0) for value in found]
    row = {
        "of": of,
        "members": len(values),
        "below_zero": sum(value < 0 for value in found),
        "net_yen": sum(values),
        "gini": gini(values),
        "top": float(part),
        "top_share": top_share(values, part),
    }
    return shaped(CONCENTRATION, pd.DataFrame([row]))


def gini(values: Iterable[float]) -> float:
    """Half the mean absolute difference over the mean: sum of (2i - n - 1) x_i over n times the sum, x ascending.

    0 when all are equal, (n - 1) / n when one has all, NaN when the sum is 0. Real numbers are taken as they are.

    Raises OutOfRange for a value below zero, for which the coefficient has no meaning, and for what is no number.
    """
    ascending = _ascending(values)
    number, total = len(ascending), sum(ascending)
    if total == 0:
        return float("nan")
    weighted = sum((2 * place - number - 1) * value for place, value in enumerate(ascending, start=1))
    return float(Fraction(weighted, number * total))


def top_share(values: Iterable[float], top: Fraction | float = Fraction(1, 10)) -> float:
    """The share that the `top` part of n members has, NaN when the sum is 0.

    Where top * n is no whole number, the member at the edge counts with the fraction: of 25 stores the top tenth
    are the two largest and half of the third (the Lorenz curve, joined by straight lines). Members who are
    equal at the edge are interchangeable, so a tie changes nothing.

    Raises OutOfRange for a value below zero or that is no number, and for a `top` outside (0, 1].
    """
    part = share_of("top", top)
    descending = _ascending(values)[::-1]
    total = sum(descending)
    if total == 0:
        return float("nan")
    size = part * len(descending)
    whole = int(size)
    edge = descending[whole] * (size - whole) if whole < len(descending) else 0
    return float((sum(descending[:whole]) + edge) / total)


def _ascending(values: Iterable[float]) -> list[Fraction | int]:
    ascending = sorted(_exact(value) for value in values)
    if ascending and ascending[0] < 0:
        raise OutOfRange(name="value", value=float(ascending[0]), least=0, most="")
    return ascending


def _exact(value: Any) -> Fraction | int:
    """A number as the rational that it is. Raises OutOfRange for an empty value, infinity or a text."""
    if not isinstance(value, Real | Decimal) or not isfinite(value):
        raise OutOfRange(name="value", value=str(value)[:20], least=0, most="")
    if isinstance(value, Integral):
        return int(value)
    return Fraction(value if isinstance(value, Decimal) else float(value))
