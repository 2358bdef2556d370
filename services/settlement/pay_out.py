"""Carry an approved bank file to the bank: download it, note that it was sent, and that the bank has paid.

A download is the same bytes every time and leaves a line in the audit log every time. Sending
and paying move the money in the books, one journal a statement.
"""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.clock import civil_date
from services.kit.db import Tx
from services.settlement import read
from services.settlement.approve import must_lock
from services.settlement.bank_file import (
    APPROVED_ONCE,
    BankFile,
    BankFileStepWrong,
    FileStatus,
    must_be_in_time,
)
from services.settlement.books import paid_journals, sent_journals
from services.settlement.post_all import post_all
from services.settlement.tables import files


@dataclass(frozen=True)
class Download:
    file_id: UUID
    officer_id: UUID


@dataclass(frozen=True)
class FileContent:
    """The bytes of a file, as they were fixed when it was proposed; `sha256` in hex."""

    file_name: str
    content: bytes
    sha256: str


@dataclass(frozen=True)
class MarkSent:
    """The officer has handed the file to the bank."""

    file_id: UUID
    officer_id: UUID


@dataclass(frozen=True)
class MarkPaid:
    """The bank's statement shows that the file was paid."""

    file_id: UUID
    officer_id: UUID


async def download(tx: Tx, command: Download) -> FileContent:
    """The file for the bank, once a second officer has approved it. Raises `Missing`, `BankFileStepWrong`."""
    file = await read.bank_file(tx, command.file_id)
    if file.status not in APPROVED_ONCE:
        raise BankFileStepWrong(number=file.number, status=file.status.value, needed=FileStatus.APPROVED.value)
    content = await files.read_content(tx, file.id)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise AssertionError("the bytes of a bank file never change")
    await audit.record(tx, command.officer_id, "bank_file.downloaded", file.id, number=file.number, sha256=file.sha256)
    return FileContent(file.file_name, content, file.sha256)


async def mark_sent(tx: Tx, command: MarkSent) -> BankFile:
    """From approved to sent: what was due to the stores is on its way.

    Raises `Missing`, `BankFileStepWrong`, and `BankFileDayPast` when the transfer day is over.
    """
    file = await must_lock(tx, command.file_id, FileStatus.APPROVED)
    must_be_in_time(file, civil_date(tx.now))
    payouts = await files.payouts_of(tx, file.id)
    if sum(payout.amount_yen for payout in payouts) != file.total_yen:
        raise AssertionError("a file carries exactly the payouts that it was made of")
    await post_all(tx, sent_journals(payouts))
    await files.set_sent(tx, file.id)
    await audit.record(tx, command.officer_id, "bank_file.sent", file.id, number=file.number)
    return await read.bank_file(tx, file.id)


async def mark_paid(tx: Tx, command: MarkPaid) -> BankFile:
    """From sent to paid: the money has left the account. Raises `Missing`, `BankFileStepWrong`."""
    file = await must_lock(tx, command.file_id, FileStatus.SENT)
    await post_all(tx, paid_journals(await files.payouts_of(tx, file.id)))
    await files.set_paid(tx, file.id)
    await audit.record(tx, command.officer_id, "bank_file.paid", file.id, number=file.number)
    return await read.bank_file(tx, file.id)
