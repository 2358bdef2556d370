"""What a carer did is written down with the deed: in the wallet's history and in the audit log, by whom, for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.audit import NewEntry
from services.kit.db import Tx
from services.wallets.tables import care as rows
from services.wallets.wallet import UnderCare


@dataclass(frozen=True)
class CareDeed:
    """A purchase or a payment from a wallet, by whom it was made."""

    deed_id: UUID
    wallet_id: UUID
    care: UnderCare


async def note_deeds(tx: Tx, action: str, deeds: Sequence[CareDeed]) -> None:
    """Two statements, however many deeds there are; at least one."""
    await rows.insert_deeds(tx, [(each.deed_id, each.care.care_id, each.care.account_id) for each in deeds])
    await audit.record_all(tx, [_entry(action, each) for each in deeds])


def _entry(action: str, deed: CareDeed) -> NewEntry:
    detail = {"deed": str(deed.deed_id), "care": str(deed.care.care_id)}
    return NewEntry(deed.care.account_id, action, deed.wallet_id, detail)
