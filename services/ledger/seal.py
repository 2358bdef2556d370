"""Seal journals into a hash chain, behind the writers and never in their path.

Each seal is SHA-256 over the seal before it and the journal's canonical text. The longest
unsealed tail is what one run leaves: journals recorded since it began.
"""

import hashlib

from services.kit.db import Tx
from services.ledger import tables

BATCH = 5_000


def next_hash(previous: bytes, content: str) -> bytes:
    return hashlib.sha256(previous + content.encode()).digest()


async def seal(tx: Tx, limit: int = BATCH) -> int:
    """Seal up to `limit` journals, oldest record first; the number sealed."""
    await tables.lock_chain(tx)
    position, head = await tables.chain_head(tx)
    seals = []
    for journal_id, content in await tables.unsealed_contents(tx, limit):
        position, head = position + 1, next_hash(head, content)
        seals.append((position, journal_id, head))
    if seals:
        await tables.insert_seals(tx, seals)
    return len(seals)
