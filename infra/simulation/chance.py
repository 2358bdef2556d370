"""Drawing from a list with weights; every draw names the source of its chance."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def drawn(rng: Random, weighted: Sequence[tuple[T, int]]) -> T:
    """One of the things, as often as its weight says."""
    return rng.choices([each for each, _ in weighted], [weight for _, weight in weighted])[0]
