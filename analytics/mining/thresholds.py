"""Shares that a caller names, exactly: as rationals, so that what meets one exactly is not lost in rounding."""

from fractions import Fraction

from analytics.mining.refusals import OutOfRange


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
