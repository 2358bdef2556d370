"""Expire what nobody spent in time: paid parts are breakage, premium parts go back to their funder.

One instant decides for payments and for expiry alike, under the wallet's lock: points are
spent or expired, never both. A programme's lots all end at one midnight, so a job expires them in
a stream of small batches: each is a transaction of a constant number of statements that holds a
few wallets for a moment. What one batch leaves, or a crash undoes, the next one finds again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.kit.db import Tx
from services.ledger import post
from services.wallets.lots import Lot, Parts, expiry_journal
from services.wallets.tables import access, endings

BATCH = 100
"""Lots of one transaction: a payment of one of their wallets waits for as long as these take."""

SPENT_BATCH = 1_000
"""Empty lots of one transaction, which nobody waits for."""


@dataclass(frozen=True)
class Expired:
    """What one batch lapsed: lots, their wallets and their yen."""

    wallets: int
    lots: int
    yen: int


async def expire_due(tx: Tx, limit: int = BATCH) -> Expired:
    """Expire up to `limit` lots whose time is over at this instant, oldest end first; run until none is left."""
    due = await endings.find_due(tx, limit)
    if not due:
        return Expired(0, 0, 0)
    await access.lock_wallets(tx, {wallet_id for _, wallet_id in due})
    lots = await endings.read_due(tx, [lot_id for lot_id, _ in due])
    await expire_lots(tx, lots)
    return Expired(len({lot.wallet_id for lot in lots}), len(lots), sum(lot.remaining_yen for lot in lots))


async def retire_spent(tx: Tx, limit: int = SPENT_BATCH) -> int:
    """Mark up to `limit` lots that were empty when their time was over: the search passes them no more."""
    return await endings.retire_spent(tx, limit)


async def expire_lots(tx: Tx, lots: Sequence[Lot]) -> None:
    """Lapse all that these lots of locked wallets hold."""
    rows = [
        (tx.new_id(), lot.wallet_id, Parts(lot.id, lot.programme_id, lot.origin, lot.paid_yen, lot.premium_yen))
        for lot in lots
        if lot.remaining_yen > 0
    ]
    if not rows:
        return
    await endings.lapse_lots(tx, rows)
    await post.post(tx, [expiry_journal(expiry_id, parts) for expiry_id, _, parts in rows])
