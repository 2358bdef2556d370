"""A merchant's new account behind four eyes: an officer proposes it, another lets money go there.

One at a time: a newer proposal takes the place of one that waits, so that an approver never lets an
older one through.
"""

from dataclasses import asdict, dataclass
from uuid import UUID

import msgspec

from services.kit import changes
from services.kit.changes import Change
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import ChangeKind, ProposedChange
from services.merchants.bank_account import BankAccount
from services.merchants.set_payout_account import PayoutAccountSet, SetPayoutAccount, set_payout_account
from services.merchants.tables import businesses


@dataclass(frozen=True)
class ProposedPayoutAccount:
    change_id: UUID
    fingerprint: str


async def propose_payout_account(tx: Tx, command: SetPayoutAccount) -> ProposedPayoutAccount:
    """Propose the account to which the merchant shall be paid. Raises `Missing` for an unknown merchant."""
    if await businesses.find_merchant(tx, command.merchant_id) is None:
        raise Missing
    asked = Change(ChangeKind.PAYOUT_ACCOUNT, command.merchant_id, asdict(command.account), command.actor_id)
    change = await changes.put_forward(tx, asked, instead=True)
    return ProposedPayoutAccount(change.id, change.fingerprint)


async def carry_out_payout_account(tx: Tx, change: ProposedChange) -> PayoutAccountSet:
    """Set the account that was approved in this transaction, in the name of who proposed it."""
    asked = SetPayoutAccount(change.proposed_by, change.subject_id, proposed_account(change))
    return await set_payout_account(tx, asked)


def proposed_account(change: ProposedChange) -> BankAccount:
    """The account in a proposal; it was validated when it was proposed, and is not altered since."""
    return msgspec.convert(change.content, BankAccount)
