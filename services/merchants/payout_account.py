"""Where a merchant's money goes, since when, and who said so."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.merchants.bank_account import BankAccount


@dataclass(frozen=True)
class PayoutAccount:
    """One setting of a merchant's account; never altered, a later one takes its place."""

    id: UUID
    merchant_id: UUID
    account: BankAccount
    set_by: UUID
    valid_from: datetime
