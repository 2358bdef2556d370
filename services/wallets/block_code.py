"""The printed code that blocks a lost phone: sixteen signs on paper, for whoever has nothing else at hand.

Law: the first six signs find the code, the other ten (50 random bits) are kept as argon2id. Tries are counted for
the six: a stranger who guesses does not know them and uses up nobody's tries, and an unknown six costs as much to
try. A code works once.
"""

from dataclasses import dataclass
from datetime import timedelta

from services.identity.recovery import read_recovery_code
from services.kit.errors import Kind, Refusal

LOCATOR = 6
TRIES, WINDOW = 5, timedelta(hours=1)


class BlockCodeRefused(Refusal):
    """Not a code of ours, or one that was used or replaced: which, is never told."""

    code = "block_code_refused"
    kind = Kind.UNAUTHENTICATED


class BlockCodeThrottled(Refusal):
    """This code was mistyped too often; again in `retry_after_seconds`. The office blocks at once."""

    code = "block_code_throttled"
    kind = Kind.THROTTLED


@dataclass(frozen=True)
class BlockCode:
    """A code in its two parts."""

    locator: str
    secret: str


def read_block_code(text: str) -> BlockCode:
    """A code as a person typed it, in any width, case and grouping. Raises `BlockCodeRefused`."""
    signs = read_recovery_code(text)
    if signs is None:
        raise BlockCodeRefused
    return BlockCode(signs[:LOCATOR], signs[LOCATOR:])
