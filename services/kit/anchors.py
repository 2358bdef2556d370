"""Anchors: what the head of a hash chain was at an instant, said outside the database and signed.

A chain shows that an entry was altered. It cannot show that it was cut short, or laid anew from an
altered beginning: for that somebody else must remember its head. Whoever holds the anchors and the
public key needs nothing else from us.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Head:
    """Where a chain ends: how many entries it has, and the seal of the last; 0 and no bytes when empty."""

    chain: str
    entries: int
    hash: bytes


@dataclass(frozen=True)
class Anchor:
    """A head as it was anchored: when, on which line, and the signature over all of it."""

    head: Head
    at: datetime
    line: int
    signature: bytes


class AnchorsBroken(Exception):
    """The anchors cannot be carried on: they, or the chain, are not what they were. Somebody must look."""


class AnchorPort(Protocol):
    """A place outside the database that remembers heads: a file, or a timestamp service."""

    async def last(self) -> Mapping[str, Head]:
        """The last head that is remembered of each chain. Raises AnchorsBroken."""
        ...

    async def write(self, heads: Sequence[Head], at: datetime) -> Sequence[Anchor]:
        """Remember heads, durably; none of them when no chain has grown since the last. Raises AnchorsBroken."""
        ...
