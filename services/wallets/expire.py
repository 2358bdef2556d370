"""Expire what nobody spent in time: paid parts are breakage, premium parts go back to their funder.

One instant decides for payments and for expiry alike, under the wallet's lock: points are
spent or expired, never both.
"""

from dataclasses import dataclass

from services.kit.db import Tx
from services.ledger import post
from services.wallets.lots import Lot, Parts, expiry_journal
from services.wallets.tables import access, holdings

BATCH = 1_000


@dataclass(frozen=True)
class Expired:
    """What one run lapsed: lots and their yen."""

    wallets: int
    lots: int
    yen: int


async def expire_due(tx: Tx, limit: int = BATCH) -> Expired:
    """Expire the lots of up to `limit` wallets whose time is over at this instant; run until none is left."""
    wallet_ids = await holdings.wallets_with_expired(tx, limit)
    if not wallet_ids:
        return Expired(0, 0, 0)
    await access.lock_wallets(tx, wallet_ids)
    lots = await holdings.read_expired(tx, wallet_ids)
    await expire_lots(tx, lots)
    return Expired(len(wallet_ids), len(lots), sum(lot.remaining_yen for lot in lots))


async def expire_lots(tx: Tx, lots: list[Lot]) -> None:
    """Lapse all that these lots of locked wallets hold."""
    holding = [lot for lot in lots if lot.remaining_yen > 0]
    if not holding:
        return
    rows = [
        (tx.new_id(), lot.wallet_id, Parts(lot.id, lot.programme_id, lot.origin, lot.paid_yen, lot.premium_yen))
        for lot in holding
    ]
    await holdings.empty_lots(tx, [parts for *_, parts in rows])
    await holdings.insert_expiries(tx, rows)
    await post.post(tx, [expiry_journal(expiry_id, parts) for expiry_id, _, parts in rows])
