"""Forget what wallets paid by large payments in the hours of a week ago.

Law: the limits look back to the beginning of the day; what was paid stands in the ledger.
"""

from services.kit.db import Tx
from services.kit.forgetting import forget


async def forget_paid_lately(tx: Tx, batch: int) -> int:
    """Remove a batch at most of each table; how many rows."""
    return await forget(tx, "forget_paid_lately", batch)
