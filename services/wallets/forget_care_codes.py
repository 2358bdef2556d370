"""Forget codes by which somebody let another care for them, and tries of them, 7 days after they were good.

Law: what was consented to is written elsewhere, and stays.
"""

from services.kit.db import Tx
from services.kit.forgetting import forget


async def forget_care_codes(tx: Tx, batch: int) -> int:
    """Remove a batch at most of each table; how many rows."""
    return await forget(tx, "forget_care_codes", batch)
