"""Noise for open data: whole yen from the discrete Laplace distribution, and how far it may lead astray.

A mechanism's scale and what it costs are OpenDP's (`make_geometric` and its privacy map). OpenDP draws from the
system's randomness and cannot be given a seed, but the same release must carry the same noise however often it is
made, or an average over repetitions would wash it away. So the drawing is done here, exactly and without
floating point (Canonne, Kamath and Steinke 2020, algorithms 1 and 2), from a stream of bytes that is keyed: HMAC-SHA256
under the city's secret. A test holds it against OpenDP's own draws.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from math import ceil
from typing import Any, Final

MOST_SCALE: Final = 10**12


@dataclass(frozen=True)
class Mechanism:
    """Discrete Laplace noise of `scale` yen: P(x) falls by 1/e every `scale`. `epsilon` is what one person may lose.

    It holds where one person moves all figures that get this noise, together, by at most `sensitivity`.
    """

    sensitivity: int
    scale: int
    epsilon: float

    def bound(self, confidence: Fraction = Fraction(95, 100)) -> int:
        """The least b such that the noise of one figure is at most b, either way, with this confidence."""
        from opendp.accuracy import discrete_laplacian_scale_to_accuracy  # noqa: PLC0415 - a second to load

        # OpenDP's accuracy a says P(|noise| >= a) = alpha; of whole numbers, those below a are at most ceil(a) - 1.
        accuracy: float = discrete_laplacian_scale_to_accuracy(float(self.scale), float(1 - confidence))
        return max(0, ceil(accuracy) - 1)


def mechanism(sensitivity: int, epsilon: Fraction) -> Mechanism:
    """The least noise of a whole scale that costs no more than `epsilon`, by OpenDP's own account.

    Raises ValueError when sensitivity or epsilon is not positive, or the scale would exceed `MOST_SCALE`.
    """
    if sensitivity < 1 or epsilon <= 0:
        raise ValueError("noise needs a positive sensitivity and a positive epsilon")
    scale = ceil(sensitivity / epsilon)
    if scale > MOST_SCALE:
        raise ValueError("noise of this scale would leave nothing to read")
    loss = _loss(scale)
    while Fraction(loss(sensitivity)) > epsilon * (1 + Fraction(1, 10**12)):
        scale += 1
        loss = _loss(scale)
    return Mechanism(sensitivity, scale, float(epsilon))


def _loss(scale: int) -> Callable[[int], float]:
    import opendp.prelude as dp  # noqa: PLC0415 - a second to load

    dp.enable_features("contrib")
    made: Any = dp.m.make_geometric(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), float(scale))
    return lambda distance: float(made.map(distance))


class Stream:
    """Bits that only the holder of `key` can foretell; the same key and label give the same bits."""

    def __init__(self, key: bytes, label: str) -> None:
        self._bytes = _blocks(key, label.encode())

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1, each alike."""
        size = (limit - 1).bit_length()
        count = (size + 7) // 8
        while True:
            drawn = int.from_bytes(bytes(next(self._bytes) for _ in range(count))) >> (8 * count - size)
            if drawn < limit:
                return drawn


def _blocks(key: bytes, label: bytes) -> Iterator[int]:
    number = 0
    while True:
        yield from hmac.digest(key, number.to_bytes(8) + label, sha256)
        number += 1


def discrete_laplace(scale: int, stream: Stream) -> int:
    """One draw: x with probability proportional to exp(-|x| / scale), exactly."""
    while True:
        small = stream.below(scale)
        if not _with_exp(Fraction(small, scale), stream):
            continue
        large = 0
        while _with_exp(Fraction(1), stream):
            large += 1
        size, negative = small + scale * large, stream.below(2)
        if size or not negative:
            return -size if negative else size


def _with_exp(gamma: Fraction, stream: Stream) -> bool:
    """True with probability exp(-gamma), for gamma from 0 to 1."""
    turn = 1
    while stream.below(gamma.denominator * turn) < gamma.numerator:
        turn += 1
    return turn % 2 == 1
