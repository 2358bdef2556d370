"""Set the account to which a merchant is paid from now on.

Law: an account that was set is never altered, so that every transfer of the past can be
explained; and no log tells more of its number than the last four digits.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.bank_account import BankAccount
from services.merchants.payout_account import PayoutAccount
from services.merchants.tables import businesses


@dataclass(frozen=True)
class SetPayoutAccount:
    """`account` comes from `bank_account` or `yucho_account`, which validate it."""

    actor_id: UUID
    merchant_id: UUID
    account: BankAccount


@dataclass(frozen=True)
class PayoutAccountSet:
    payout_account_id: UUID


async def set_payout_account(tx: Tx, command: SetPayoutAccount) -> PayoutAccountSet:
    """Raises `Missing` for an unknown merchant."""
    if await businesses.find_merchant(tx, command.merchant_id) is None:
        raise Missing
    account = command.account
    payout = PayoutAccount(tx.new_id(), command.merchant_id, account, command.actor_id, tx.now)
    await businesses.insert_payout_account(tx, payout)
    await audit.record(
        tx,
        command.actor_id,
        "payout_account.set",
        command.merchant_id,
        payout_account_id=payout.id,
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        number=account.masked_number,
        override_reason=account.override_reason,
    )
    return PayoutAccountSet(payout.id)
