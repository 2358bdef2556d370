"""A programme's points in figures: what was issued, where it went, what is still held."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.kit.db import Tx
from services.ledger import read as ledger
from services.ledger.chart import Account
from services.ledger.journal import JournalKind
from services.wallets.tables import holdings


@dataclass(frozen=True)
class PointFigures:
    """Points since the programme began. `expired` counts a revived refund's second expiry again.

    issued_paid + issued_premium + granted
    = spent - cancelled - refunded + expired + reversed + held, always.
    """

    issued_paid: int
    issued_premium: int
    granted: int
    spent: int
    cancelled: int
    refunded: int
    expired: int
    reversed: int
    held: int


async def point_figures(tx: Tx, programme_id: UUID) -> PointFigures:
    """The flows come from the ledger, `held` from the lots: the identity holds only if they agree."""
    flows = await ledger.flows(tx, programme_id)
    return PointFigures(
        issued_paid=-flows.get((JournalKind.PURCHASE, Account.WALLET_PAID), 0),
        issued_premium=-flows.get((JournalKind.PURCHASE, Account.WALLET_PREMIUM), 0),
        granted=-_wallets(flows, JournalKind.GRANT),
        spent=_wallets(flows, JournalKind.PAYMENT),
        cancelled=-_wallets(flows, JournalKind.CANCEL),
        refunded=-_wallets(flows, JournalKind.REFUND),
        expired=_wallets(flows, JournalKind.EXPIRY),
        reversed=_wallets(flows, JournalKind.PURCHASE_UNDONE),
        held=await holdings.sum_held(tx, programme_id),
    )


def _wallets(flows: Mapping[tuple[JournalKind, Account], int], kind: JournalKind) -> int:
    return flows.get((kind, Account.WALLET_PAID), 0) + flows.get((kind, Account.WALLET_PREMIUM), 0)
