"""Money is integer yen; every division says where the remainder goes.

One point is worth one yen in every programme, so points and yen share one unit of account.
"""

from typing import NewType

Yen = NewType("Yen", int)
Points = NewType("Points", int)

MAX_AMOUNT_YEN = 9_999_999_999
"""Largest amount of one deed: ten digits, the width of a bank file's amount field."""

BASIS_POINTS = 10_000


def floor_share(amount_yen: int, rate_bp: int) -> int:
    """`rate_bp` basis points of `amount_yen`; the fraction of a yen is dropped towards zero.

    A negative amount mirrors the positive one, so that what is charged on a sale is
    given back on its return and never more.
    """
    if rate_bp < 0:
        raise ValueError("a rate is never negative")
    magnitude = abs(amount_yen) * rate_bp // BASIS_POINTS
    return magnitude if amount_yen >= 0 else -magnitude


def split_in_proportion(amount: int, first: int, second: int) -> tuple[int, int]:
    """Split `amount` over two parts in proportion to what they hold; the odd point from the second.

    Requires 0 <= amount <= first + second; each share fits in its part.
    """
    total = first + second
    if not 0 <= amount <= total:
        raise ValueError("an amount is split only over parts that hold it")
    if total == 0:
        return 0, 0
    from_first = amount * first // total
    return from_first, amount - from_first
