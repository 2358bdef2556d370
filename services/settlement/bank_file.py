"""A bank file as the city handles it: what it pays, in which order, and the steps that it takes.

Law: proposed → approved by a second officer → sent → paid; void while nobody has approved it,
or when two officers say that an approved file never went to the bank. The bytes are fixed at
the proposal. One transfer goes to each payee account, whatever the number of stores and
programmes behind it; transfers stand in the order of the lowest store code that they pay, so
the same payouts always make the same file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.campaigns.terms import PayingAccount
from services.kit.errors import Kind, Refusal
from services.kit.money import MAX_AMOUNT_YEN
from services.merchants.bank_account import AccountKind, BankAccount
from services.merchants.payout_account import PayoutAccount
from services.settlement.calendar import BankCalendar
from services.settlement.transfer import MAX_TOTAL_YEN, MAX_TRANSFERS, Sender, Transfer, transfer_to
from services.settlement.zengin import TransferDayClosed

MAX_DAYS_AHEAD = 180
"""A file names its day without a year; half of one leaves no doubt which is meant."""

MAX_REASON_LENGTH = 500


class NoPayoutsDue(Refusal):
    """Nothing is due by `transfer_date` that is not in a file already; `held` payouts are held back."""

    code = "payouts_none_due"
    kind = Kind.CONFLICT


class TransferDateOutOfRange(Refusal):
    """`date` is not from `first` (today) to `last`."""

    code = "transfer_date_out_of_range"


class BankFileStepWrong(Refusal):
    """The file's `status` is not `needed`, from which this step goes on."""

    code = "bank_file_step_wrong"
    kind = Kind.CONFLICT


class BankFileDiffers(Refusal):
    """The fingerprint that the officer approves is not the file's."""

    code = "bank_file_differs"
    kind = Kind.CONFLICT


class PayeeChanged(Refusal):
    """Since the proposal a payee was suspended or has another account; `store` is one of `count` stores."""

    code = "bank_file_payee_changed"
    kind = Kind.CONFLICT


class BankFileDayPast(Refusal):
    """The file's transfer day `date` is over on `today`; its bytes name the day without a year.

    A proposal is then voided, an approved file that was never sent withdrawn, and proposed anew.
    """

    code = "bank_file_day_past"
    kind = Kind.CONFLICT


class VoidReasonMissing(Refusal):
    """A file is voided or withdrawn with a reason of 1 to `limit` characters."""

    code = "bank_file_void_reason_missing"


class FileStatus(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    SENT = "sent"
    PAID = "paid"
    VOID = "void"


APPROVED_ONCE = frozenset({FileStatus.APPROVED, FileStatus.SENT, FileStatus.PAID})


@dataclass(frozen=True)
class BankFile:
    """Everything of a bank file but its bytes; `sha256` in hex says what those are."""

    id: UUID
    number: str
    paying_account: str
    transfer_date: date
    status: FileStatus
    transfers: int
    total_yen: int
    sha256: str
    proposed_by: UUID
    proposed_at: datetime
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    sent_at: datetime | None = None
    paid_at: datetime | None = None
    withdrawal_asked_by: UUID | None = None
    withdrawal_asked_at: datetime | None = None
    withdrawn_by: UUID | None = None
    withdrawn_at: datetime | None = None

    @property
    def file_name(self) -> str:
        return f"{self.number}-{self.transfer_date:%Y%m%d}.zengin"


class HeldBecause(StrEnum):
    SUSPENDED = "suspended"
    """The merchant is suspended: somebody has to decide first whether it is paid."""
    NO_ACCOUNT = "no_account"
    OVER_LIMIT = "over_limit"
    """Its transfer or the file would hold more than the format counts: the next proposal takes it."""


@dataclass(frozen=True)
class DuePayout:
    """A statement's payout that is due and in no live file, with who should get it."""

    statement_id: UUID
    statement_number: str
    store_code: str
    merchant_id: UUID
    merchant_active: bool
    amount_yen: int


@dataclass(frozen=True)
class HeldPayout:
    """A payout that stays due, and why."""

    statement_number: str
    store_code: str
    amount_yen: int
    because: HeldBecause


@dataclass(frozen=True)
class Line:
    """One transfer with the statements that it pays; `line` counts from 1."""

    line: int
    payout_account_id: UUID
    account: BankAccount
    payouts: tuple[DuePayout, ...]

    @property
    def amount_yen(self) -> int:
        return sum(payout.amount_yen for payout in self.payouts)

    def transfer(self) -> Transfer:
        """The line as the bank reads it; its number is the customer code, by which a return is found."""
        return transfer_to(self.account, self.amount_yen, customer_code=str(self.line))


def paying_key(account: PayingAccount) -> str:
    """What makes two programmes share a file: the account, and the bank's number for its customer."""
    return f"{account.bank_code}-{account.branch_code}-{account.kind}-{account.number}/{account.consignor_code}"


def sender_of(account: PayingAccount) -> Sender:
    return Sender(
        client_code=account.consignor_code,
        sender_kana=account.consignor_kana,
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        kind=AccountKind(int(account.kind)),
        number=account.number,
        bank_kana=account.bank_kana,
        branch_kana=account.branch_kana,
    )


def lines_of(
    due: Sequence[DuePayout], accounts: Mapping[UUID, PayoutAccount]
) -> tuple[tuple[Line, ...], tuple[HeldPayout, ...]]:
    """Lines for payouts in the order of their store codes, and what is held back.

    `accounts` by merchant. Payouts of one bank account stand together, also when two
    merchants share it; the account of the first is the line's. A payout is taken if it fits
    beside those before it; the next one is then tried all the same.
    """
    groups: dict[tuple[object, ...], list[DuePayout]] = {}
    taken: Counter[tuple[object, ...]] = Counter()
    held: list[HeldPayout] = []
    for payout in due:
        payee = accounts.get(payout.merchant_id)
        key = destination(payee.account) if payee else ()
        because = _held_because(payout, payee)
        if because is None and not _fits(payout.amount_yen, key, taken):
            because = HeldBecause.OVER_LIMIT
        if because is not None:
            held.append(HeldPayout(payout.statement_number, payout.store_code, payout.amount_yen, because))
            continue
        groups.setdefault(key, []).append(payout)
        taken[key] += payout.amount_yen
    lines = []
    for number, payouts in enumerate(groups.values(), start=1):
        payee = accounts[payouts[0].merchant_id]
        lines.append(Line(number, payee.id, payee.account, tuple(payouts)))
    return tuple(lines), tuple(held)


def _held_because(payout: DuePayout, payee: PayoutAccount | None) -> HeldBecause | None:
    if not payout.merchant_active:
        return HeldBecause.SUSPENDED
    return HeldBecause.NO_ACCOUNT if payee is None else None


def _fits(amount_yen: int, key: tuple[object, ...], taken: Counter[tuple[object, ...]]) -> bool:
    """Whether a file that takes so much to each account can take this too, in yen and in transfers."""
    return (
        taken[key] + amount_yen <= MAX_AMOUNT_YEN
        and taken.total() + amount_yen <= MAX_TOTAL_YEN
        and (key in taken or len(taken) < MAX_TRANSFERS)
    )


def destination(account: BankAccount) -> tuple[object, ...]:
    """What makes two payee accounts one: bank, branch, kind and number."""
    return account.bank_code, account.branch_code, account.kind, account.number


def must_be_transfer_day(transfer_date: date, today: date, calendar: BankCalendar) -> None:
    """Raise `TransferDateOutOfRange`, `TransferDayClosed` or `CalendarNotCertain` unless banks can pay on it."""
    last = today + timedelta(days=MAX_DAYS_AHEAD)
    if not today <= transfer_date <= last:
        raise TransferDateOutOfRange(date=transfer_date.isoformat(), first=today.isoformat(), last=last.isoformat())
    if not calendar.is_business_day(transfer_date):
        following = calendar.next_business_day(transfer_date)
        raise TransferDayClosed(date=transfer_date.isoformat(), next=following.isoformat())


def must_be(file: BankFile, needed: FileStatus) -> None:
    if file.status is not needed:
        raise BankFileStepWrong(number=file.number, status=file.status.value, needed=needed.value)


def must_be_in_time(file: BankFile, today: date) -> None:
    """Raise `BankFileDayPast` when no bank can pay the file on its day any more."""
    if file.transfer_date < today:
        raise BankFileDayPast(number=file.number, date=file.transfer_date.isoformat(), today=today.isoformat())


def void_reason(text: str) -> str:
    """Why a file is voided or withdrawn; raises `VoidReasonMissing`."""
    reason = text.strip()
    if not 1 <= len(reason) <= MAX_REASON_LENGTH:
        raise VoidReasonMissing(limit=MAX_REASON_LENGTH)
    return reason
