"""Seal what was written into its hash chain, behind the writers and never in their path.

Each seal is SHA-256 over the seal before it and the entry's canonical text. One step is a short
transaction; a run takes steps until nothing is left. The longest unsealed tail is what one run
leaves: entries that commit while it works. A run searches only as far back as `Horizon` says.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit import chains
from services.kit.chains import Chain
from services.kit.db import Tx
from services.kit.horizon import Look

BATCH = 1_000
"""Entries of one step: hashing and writing them takes a moment, which others need not notice."""


@dataclass(frozen=True)
class Record:
    """A place in the order in which entries are sealed."""

    recorded_at: datetime
    entry_id: UUID


@dataclass(frozen=True)
class Stretch:
    """Up to `limit` entries of a chain that lie behind a place; None searches everything."""

    chain: Chain
    after: Record | None = None
    limit: int = BATCH


@dataclass(frozen=True)
class Sealed:
    """How many entries a step has sealed, and the place of the last; None when there was nothing."""

    entries: int
    last: Record | None


def next_hash(previous: bytes, content: str) -> bytes:
    return hashlib.sha256(previous + content.encode()).digest()


def from_instant(since: datetime) -> Record:
    """The place before everything that was recorded at `since` or later."""
    return Record(since, UUID(int=0))


async def seal_stretch(tx: Tx, stretch: Stretch) -> Sealed:
    """Seal the first unsealed entries of a stretch, oldest record first."""
    chain = stretch.chain
    await chains.lock(tx, chain)
    end = await chains.head(tx, chain)
    position, head = end.entries, end.hash
    seals, last = [], None
    after = None if stretch.after is None else (stretch.after.recorded_at, stretch.after.entry_id)
    for entry_id, recorded_at, content in await chains.unsealed(tx, chain, after, stretch.limit):
        position, head = position + 1, next_hash(head, content)
        seals.append((position, entry_id, head))
        last = Record(recorded_at, entry_id)
    if seals:
        await chains.insert_seals(tx, chain, seals)
    return Sealed(len(seals), last)


async def look(tx: Tx, _: None) -> Look:
    """What can be seen from now on, taken before a run, for the horizon of the next."""
    return await chains.look(tx)
