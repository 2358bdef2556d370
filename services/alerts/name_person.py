"""From a pseudonym in an alert to the wallet that it stands for: one person, one reason, one entry in the log.

Law: a number that no alert names cannot be asked about. The database answers through one function that looks into
the alert first, and the application reads the table of numbers in no other way.
"""

from dataclasses import dataclass
from uuid import UUID

from services.alerts import tables
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets import read
from services.wallets.wallet import Wallet


@dataclass(frozen=True)
class NamePerson:
    alert_id: UUID
    resident: int
    officer_id: UUID
    reason: str


async def name_person(tx: Tx, command: NamePerson) -> Wallet:
    """Raises Missing where the alert is not there or does not name the resident."""
    wallet_id = await tables.wallet_of(tx, command.alert_id, command.resident)
    if wallet_id is None:
        raise Missing
    wallet = await read.wallet_by_id(tx, wallet_id)
    said = {"alert": command.alert_id, "reason": command.reason}
    await audit.record(tx, command.officer_id, "alert.person_named", wallet.id, **said)
    return wallet
