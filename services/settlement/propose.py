"""Propose a bank file: every payout of one paying account that is due, each in this file only.

The bytes are made here and never again: whoever approves, downloads or audits sees the same.
Proposals of one paying account run one after the other, so of several at once the first takes
all payouts and the others find none due.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns.programme import Programme
from services.kit import audit
from services.kit.clock import civil_date
from services.kit.db import CONSTRAINT_BROKEN, Tx, broken_constraint
from services.kit.errors import Busy
from services.merchants import read as merchants
from services.settlement.bank_file import (
    BankFile,
    FileStatus,
    HeldPayout,
    Line,
    NoPayoutsDue,
    lines_of,
    must_be_transfer_day,
    paying_key,
    sender_of,
)
from services.settlement.calendar import CERTAIN_THROUGH, BankCalendar
from services.settlement.tables import files
from services.settlement.zengin import write_transfer_file

FILE_PREFIX, FILE_LENGTH = "F", 7


@dataclass(frozen=True)
class ProposeFile:
    """Pay what is due by `transfer_date` from the account that this programme pays from.

    `certain_through` is the last year whose bank holidays the operator believes.
    """

    programme_code: str
    transfer_date: date
    officer_id: UUID
    certain_through: int = CERTAIN_THROUGH


@dataclass(frozen=True)
class ProposedFile:
    """The file, and the payouts that stay due, each with the reason for which it was held back."""

    file: BankFile
    held: tuple[HeldPayout, ...]


async def propose(tx: Tx, command: ProposeFile) -> ProposedFile:
    """A file with all due payouts of all programmes that pay from the same account.

    Raises `ProgrammeUnknown`, `TransferDateOutOfRange`, `TransferDayClosed`,
    `CalendarNotCertain` and `NoPayoutsDue`. What would take a transfer or the file beyond the
    format's limits is held back, and the next proposal takes it.
    """
    programme = await campaigns.published(tx, command.programme_code)
    calendar = BankCalendar(command.certain_through)
    must_be_transfer_day(command.transfer_date, civil_date(tx.now), calendar)
    paying_account = paying_key(programme.terms.paying_account)
    await files.hold_account(tx, paying_account)
    programme_ids = await _sharing(tx, programme, paying_account)
    due = await files.payouts_due(tx, programme_ids, command.transfer_date)
    accounts = await merchants.payout_accounts(tx, {payout.merchant_id for payout in due}, tx.now)
    lines, held = lines_of(due, accounts)
    if not lines:
        raise NoPayoutsDue(transfer_date=command.transfer_date.isoformat(), held=len(held))
    sender = sender_of(programme.terms.paying_account)
    transfers = [line.transfer() for line in lines]
    content = write_transfer_file(sender, command.transfer_date, transfers, calendar=calendar)
    file = _file(tx, command, paying_account, lines, content)
    await _write(tx, file, content, lines)
    await audit.record(
        tx,
        command.officer_id,
        "bank_file.proposed",
        file.id,
        number=file.number,
        sha256=file.sha256,
        transfers=file.transfers,
        total_yen=file.total_yen,
        held=len(held),
    )
    return ProposedFile(file, held)


async def _sharing(tx: Tx, programme: Programme, paying_account: str) -> set[UUID]:
    published = await campaigns.every_published(tx)
    sharing = {each.id for each in published if paying_key(each.terms.paying_account) == paying_account}
    return sharing | {programme.id}


def _file(tx: Tx, command: ProposeFile, paying_account: str, lines: tuple[Line, ...], content: bytes) -> BankFile:
    return BankFile(
        id=tx.new_id(),
        number=tx.new_number(FILE_PREFIX, FILE_LENGTH),
        paying_account=paying_account,
        transfer_date=command.transfer_date,
        status=FileStatus.PROPOSED,
        transfers=len(lines),
        total_yen=sum(line.amount_yen for line in lines),
        sha256=hashlib.sha256(content).hexdigest(),
        proposed_by=command.officer_id,
        proposed_at=tx.now,
    )


async def _write(tx: Tx, file: BankFile, content: bytes, lines: tuple[Line, ...]) -> None:
    try:
        await files.insert_file(tx, file, content, lines)
    except CONSTRAINT_BROKEN as error:
        if broken_constraint(error) != "uq_payout_live":
            raise
        # A correction moved a programme to another paying account just now: look again.
        raise Busy(retry_after_seconds=1) from error
