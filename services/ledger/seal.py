"""Seal journals into a hash chain, behind the writers and never in their path.

Each seal is SHA-256 over the seal before it and the journal's canonical text. One step is a short
transaction; a run takes steps until nothing is left. The longest unsealed tail is what one run
leaves: journals that commit while it works. A run searches only as far back as `Horizon` says.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.db import Tx
from services.ledger import tables
from services.ledger.horizon import Look

BATCH = 1_000
"""Journals of one step: hashing and writing them takes a moment, which others need not notice."""


@dataclass(frozen=True)
class Record:
    """A place in the order in which journals are sealed."""

    recorded_at: datetime
    journal_id: UUID


@dataclass(frozen=True)
class Stretch:
    """Up to `limit` journals that lie behind a place; None searches the whole ledger."""

    after: Record | None = None
    limit: int = BATCH


@dataclass(frozen=True)
class Sealed:
    """How many journals a step has sealed, and the place of the last; None when there was nothing."""

    journals: int
    last: Record | None


def next_hash(previous: bytes, content: str) -> bytes:
    return hashlib.sha256(previous + content.encode()).digest()


def from_instant(since: datetime) -> Record:
    """The place before everything that was recorded at `since` or later."""
    return Record(since, UUID(int=0))


async def seal(tx: Tx, limit: int = BATCH) -> int:
    """Seal up to `limit` journals, oldest record first, wherever they lie; the number sealed."""
    return (await seal_stretch(tx, Stretch(limit=limit))).journals


async def seal_stretch(tx: Tx, stretch: Stretch) -> Sealed:
    """Seal the first unsealed journals of a stretch, oldest record first."""
    await tables.lock_chain(tx)
    position, head = await tables.chain_head(tx)
    seals, last = [], None
    after = None if stretch.after is None else (stretch.after.recorded_at, stretch.after.journal_id)
    for journal_id, recorded_at, content in await tables.unsealed_contents(tx, after, stretch.limit):
        position, head = position + 1, next_hash(head, content)
        seals.append((position, journal_id, head))
        last = Record(recorded_at, journal_id)
    if seals:
        await tables.insert_seals(tx, seals)
    return Sealed(len(seals), last)


async def look(tx: Tx, _: None) -> Look:
    """What can be seen from now on, taken before a run, for the horizon of the next."""
    return await tables.look(tx)
