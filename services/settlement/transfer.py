"""What a bank is asked to transfer: from whom, to whom, how many yen.

Law: one file pays each account each amount once, unless an officer has confirmed that a
repetition is meant, and stays within what a bank file can count. The limits are the
widths of the Zengin format's own fields.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.kit.errors import Kind, Refusal
from services.kit.money import MAX_AMOUNT_YEN
from services.merchants.bank_account import NUMBER_DIGITS, AccountKind, BankAccount

NO_CODE: Final = "0000000000"
MAX_TRANSFERS: Final = 999_999
MAX_TOTAL_YEN: Final = 999_999_999_999


class NoTransfers(Refusal):
    """A bank file without a single transfer."""

    code = "transfers_missing"


class TooManyTransfers(Refusal):
    """More than `limit` transfers in one file."""

    code = "transfers_too_many"


class TransferAmountInvalid(Refusal):
    """The amount of `row` (the first is 1) is not from 1 to `limit_yen` yen."""

    code = "transfer_amount_invalid"


class TransferTotalTooLarge(Refusal):
    """The transfers of one file sum to more than `limit_yen` yen."""

    code = "transfer_total_too_large"


class DuplicateTransfer(Refusal):
    """`row` pays the same amount to the same account on the same day as row `first`."""

    code = "transfer_duplicate"
    kind = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Sender:
    """Who pays: the bank's 委託者コード (10 digits), the name, and the account that is debited."""

    client_code: str
    sender_kana: str
    bank_code: str
    branch_code: str
    kind: AccountKind
    number: str
    bank_kana: str = ""
    branch_kana: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment to one account, in yen.

    `new_code` is 1 for a first transfer, 2 after a change, 0 otherwise; `designation` 7 by
    wire, 8 by document. With `edi` the two customer codes have no room and stay zero.
    """

    bank_code: str
    branch_code: str
    kind: AccountKind
    number: str
    payee_kana: str
    amount_yen: int
    bank_kana: str = ""
    branch_kana: str = ""
    new_code: str = "0"
    customer_code_1: str = NO_CODE
    customer_code_2: str = NO_CODE
    edi: str | None = None
    designation: str = "7"

    @property
    def payee_account(self) -> tuple[str, str, int, str]:
        """What makes two payees one: bank, branch, kind and the number with its zeros."""
        return self.bank_code, self.branch_code, int(self.kind), self.number.zfill(NUMBER_DIGITS)


@dataclass(frozen=True, slots=True)
class Batch:
    """One header with its transfers: one paying account, one day."""

    sender: Sender
    transfer_date: date
    transfers: tuple[Transfer, ...]

    @property
    def total_yen(self) -> int:
        return sum(transfer.amount_yen for transfer in self.transfers)


def transfer_to(account: BankAccount, amount_yen: int, *, customer_code: str = NO_CODE) -> Transfer:
    """The transfer of `amount_yen` to a merchant's account, with a number of ours as customer code 1."""
    return Transfer(
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        kind=account.kind,
        number=account.number,
        payee_kana=account.holder_kana,
        amount_yen=amount_yen,
        bank_kana=account.bank_kana,
        branch_kana=account.branch_kana,
        customer_code_1=customer_code.zfill(len(NO_CODE)),
    )


def check_transfers(transfers: Sequence[Transfer], *, duplicates_confirmed: bool = False) -> None:
    """Hold the transfers of one file to its limits, and look for one that is named twice.

    Raises `NoTransfers`, `TooManyTransfers`, `TransferAmountInvalid`,
    `TransferTotalTooLarge`, and `DuplicateTransfer` unless an officer has confirmed that
    equal amounts to one account on one day are meant.
    """
    if not transfers:
        raise NoTransfers
    if len(transfers) > MAX_TRANSFERS:
        raise TooManyTransfers(limit=MAX_TRANSFERS, count=len(transfers))
    first_rows: dict[tuple[str, str, int, str, int], int] = {}
    for row, transfer in enumerate(transfers, start=1):
        amount = transfer.amount_yen
        if type(amount) is not int or not 1 <= amount <= MAX_AMOUNT_YEN:
            raise TransferAmountInvalid(row=row, limit_yen=MAX_AMOUNT_YEN)
        first = first_rows.setdefault((*transfer.payee_account, amount), row)
        if first != row and not duplicates_confirmed:
            raise DuplicateTransfer(row=row, first=first)
    total = sum(transfer.amount_yen for transfer in transfers)
    if total > MAX_TOTAL_YEN:
        raise TransferTotalTooLarge(limit_yen=MAX_TOTAL_YEN, total_yen=total)
