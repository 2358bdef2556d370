"""The journals' chain; how it is sealed stands in `services.kit.seal`."""

from services.kit.db import Tx
from services.kit.seal import BATCH, Stretch, seal_stretch
from services.ledger import tables

JOURNALS = tables.CHAIN


async def seal(tx: Tx, limit: int = BATCH) -> int:
    """Seal up to `limit` journals, oldest record first, wherever they lie; the number sealed."""
    return (await seal_stretch(tx, Stretch(JOURNALS, limit=limit))).entries
