"""From a pseudonym in an alert to the wallet that it stands for: one person, one reason, one entry in the log.

Law: a number that no alert names cannot be asked about. The database answers through one function that looks into
the alert first, and the application reads the table of numbers in no other way.
"""

from dataclasses import dataclass
from uuid import UUID

from services.alerts import tables
from services.identity.bulk_reading import RECOMMENDED, Looker, LookLimits
from services.identity.look_at import look_at
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
    limits: LookLimits = RECOMMENDED


async def name_person(tx: Tx, command: NamePerson) -> Wallet:
    """Raises Missing where the alert is not there or does not name the resident, and TooManyLooks."""
    wallet_id = await tables.wallet_of(tx, command.alert_id, command.resident)
    if wallet_id is None:
        raise Missing
    wallet = await read.wallet_by_id(tx, wallet_id)
    looker, said = Looker(command.officer_id, command.limits), {"alert": command.alert_id, "reason": command.reason}
    await look_at(tx, looker, "alert.person_named", [wallet.person_id], about=[wallet.id], **said)
    return wallet
