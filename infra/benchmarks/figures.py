"""Arithmetic of the results: percentiles, medians, shares. Pure, and nothing is rounded twice."""

from collections.abc import Sequence


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the sorted values do not exceed (nearest rank).

    Raises ValueError for no values, which have no percentile.
    """
    if not ascending or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(ascending)} values")
    rank = -(-share * len(ascending) // 1)
    return ascending[int(rank) - 1]


def median(values: Sequence[float]) -> float:
    """The middle value; of two middle ones the mean. Raises ValueError for none."""
    if not values:
        raise ValueError("no values, so no median")
    ascending = sorted(values)
    half = len(ascending) // 2
    return ascending[half] if len(ascending) % 2 else (ascending[half - 1] + ascending[half]) / 2


def microseconds_each(seconds: float, payments: int) -> float:
    """Processor time for each payment; of none, all of it."""
    return seconds * 1_000_000 / max(payments, 1)
