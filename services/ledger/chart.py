"""The chart of accounts: what each account means and who may own one.

The books are the issuer's. A positive amount is a debit, a negative one a credit; every
journal of a programme sums to zero. `docs/chart-of-accounts.md` tells the same in words.
"""

from dataclasses import dataclass
from enum import StrEnum


class AccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"


class Owner(StrEnum):
    """What the owner's id of an account names; one account of each kind a programme if NONE."""

    NONE = "none"
    LOT = "lot"
    STORE = "store"


class Account(StrEnum):
    CASH_RECEIVABLE = "cash_receivable"
    FUNDER_RECEIVABLE = "funder_receivable"
    GRANT_RECEIVABLE = "grant_receivable"
    BANK = "bank"
    BANK_CLEARING = "bank_clearing"
    STORE_RECEIVABLE = "store_receivable"
    WALLET_PAID = "wallet_paid"
    WALLET_PREMIUM = "wallet_premium"
    STORE_PAYABLE = "store_payable"
    PAYOUT_DUE = "payout_due"
    FEE_TAX = "fee_tax"
    SUSPENSE = "suspense"
    FEE_INCOME = "fee_income"
    BREAKAGE = "breakage"


@dataclass(frozen=True)
class Entry:
    """One line of the chart."""

    account: Account
    type: AccountType
    owner: Owner


CHART: tuple[Entry, ...] = (
    Entry(Account.CASH_RECEIVABLE, AccountType.ASSET, Owner.NONE),
    Entry(Account.FUNDER_RECEIVABLE, AccountType.ASSET, Owner.NONE),
    Entry(Account.GRANT_RECEIVABLE, AccountType.ASSET, Owner.NONE),
    Entry(Account.BANK, AccountType.ASSET, Owner.NONE),
    Entry(Account.BANK_CLEARING, AccountType.ASSET, Owner.NONE),
    Entry(Account.STORE_RECEIVABLE, AccountType.ASSET, Owner.STORE),
    Entry(Account.WALLET_PAID, AccountType.LIABILITY, Owner.LOT),
    Entry(Account.WALLET_PREMIUM, AccountType.LIABILITY, Owner.LOT),
    Entry(Account.STORE_PAYABLE, AccountType.LIABILITY, Owner.STORE),
    Entry(Account.PAYOUT_DUE, AccountType.LIABILITY, Owner.STORE),
    Entry(Account.FEE_TAX, AccountType.LIABILITY, Owner.NONE),
    Entry(Account.SUSPENSE, AccountType.LIABILITY, Owner.NONE),
    Entry(Account.FEE_INCOME, AccountType.INCOME, Owner.NONE),
    Entry(Account.BREAKAGE, AccountType.INCOME, Owner.NONE),
)

OWNED: frozenset[Account] = frozenset(entry.account for entry in CHART if entry.owner is not Owner.NONE)
