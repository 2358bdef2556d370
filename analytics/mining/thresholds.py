"""What a caller names, exactly: counts as whole numbers, shares as rationals, so that what meets one is not lost."""

from fractions import Fraction
from typing import Final

from analytics.mining.refusals import OutOfRange

MOST_DAYS: Final = 36_500
"""A century: no programme looks further."""


def whole_of(name: str, value: float, least: int, most: int) -> int:
    """A whole number from `least` to `most`, of whatever type. Raises OutOfRange, with the setting's `name`."""
    if not least <= value <= most or value % 1 != 0:  # what is no number is nowhere between
        raise OutOfRange(name=name, value=value, least=least, most=most)
    return int(value)


def share_of(name: str, value: Fraction | float) -> Fraction:
    """A share above 0, at most 1; a float is the decimal number that it prints as: 0.1 is one tenth.

    Raises OutOfRange, with the setting's `name`, also for what is no number.
    """
    refusal = OutOfRange(name=name, value=str(value)[:20], least=0, most=1)
    try:
        exact = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise refusal from None
    if not 0 < exact <= 1:
        raise refusal
    return exact
