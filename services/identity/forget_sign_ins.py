"""Forget sign-ins that are over.

Law: a session goes 90 days after the last instant at which it could have been used, and what was tried, sent and
counted 7 days after it was good. Not sooner: a client that comes back is known by its session, which may be over.
"""

from services.kit.db import Tx
from services.kit.forgetting import forget


async def forget_sign_ins(tx: Tx, batch: int) -> int:
    """Remove a batch at most of each table; how many rows."""
    return await forget(tx, "forget_sign_ins", batch)
