"""Approve a bank file, or void it: a second officer's yes to exactly these bytes, or nobody's.

Nothing of a proposed file has left the house, so one officer voids it, and its payouts are due
again. Once approved it can be downloaded; then it takes two (`withdraw`).
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.kit import audit
from services.kit.clock import civil_date
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import must_be_another
from services.merchants import read as merchants
from services.merchants.bank_account import BankAccount
from services.settlement import read
from services.settlement.bank_file import (
    BankFile,
    BankFileDiffers,
    FileStatus,
    PayeeChanged,
    destination,
    must_be,
    must_be_in_time,
    void_reason,
)
from services.settlement.tables import files
from services.settlement.transfer import Transfer, transfer_to
from services.settlement.zengin import read_transfer_file, transfer_record

IN_FORCE = datetime.max.replace(tzinfo=UTC)
"""As of when a payee's account is looked up: whatever is committed counts. A deed that committed
before ours may carry a later instant, and one that began before the proposal may commit after it."""


@dataclass(frozen=True)
class ApproveFile:
    """The officer has compared what the file pays; `sha256` in hex says which bytes that was."""

    file_id: UUID
    sha256: str
    officer_id: UUID


@dataclass(frozen=True)
class VoidFile:
    """An officer, the proposer too, takes a proposal back and says why."""

    file_id: UUID
    reason: str
    officer_id: UUID


async def approve(tx: Tx, command: ApproveFile) -> BankFile:
    """Let the file be downloaded and sent.

    Raises `Missing`, `BankFileStepWrong`, `SecondOfficerNeeded`, `BankFileDiffers`,
    `BankFileDayPast` when the transfer day is over, and `PayeeChanged` when a payee is
    suspended or the file does not say what their account says now: then the file is voided
    and proposed anew.
    """
    file = await must_lock(tx, command.file_id, FileStatus.PROPOSED)
    must_be_another(file.proposed_by, command.officer_id)
    content = await files.read_content(tx, file.id)
    fixed = hashlib.sha256(content).hexdigest()
    if fixed != file.sha256 or not hmac.compare_digest(fixed.encode(), command.sha256.strip().lower().encode()):
        raise BankFileDiffers(number=file.number)
    must_be_in_time(file, civil_date(tx.now))
    await _must_pay_as_now(tx, file, content)
    await files.set_approved(tx, file.id, command.officer_id)
    await audit.record(tx, command.officer_id, "bank_file.approved", file.id, number=file.number, sha256=file.sha256)
    return await read.bank_file(tx, file.id)


async def void(tx: Tx, command: VoidFile) -> BankFile:
    """Give up a proposal; its payouts are due again. Raises `Missing`, `BankFileStepWrong`, `VoidReasonMissing`."""
    reason = void_reason(command.reason)
    file = await must_lock(tx, command.file_id, FileStatus.PROPOSED)
    await files.set_void(tx, file.id)
    await audit.record(tx, command.officer_id, "bank_file.voided", file.id, number=file.number, reason=reason)
    return await read.bank_file(tx, file.id)


async def must_lock(tx: Tx, file_id: UUID, needed: FileStatus) -> BankFile:
    """The file, held until the end of the transaction, if it stands where this step begins."""
    file = await files.lock_file(tx, file_id)
    if file is None:
        raise Missing
    must_be(file, needed)
    return file


async def _must_pay_as_now(tx: Tx, file: BankFile, content: bytes) -> None:
    """Raise `PayeeChanged` unless every line says what would be written of its payees now."""
    (batch,) = read_transfer_file(content, file.transfer_date)
    paid = await files.statements_of(tx, file.id)
    payees = await merchants.payout_accounts(tx, {statement.merchant_id for statement in paid}, IN_FORCE)
    changed = set(_changed_stores(batch.transfers, paid, {each: payee.account for each, payee in payees.items()}))
    if changed:
        raise PayeeChanged(number=file.number, store=min(changed), count=len(changed))


def _changed_stores(
    written: Sequence[Transfer], paid: Sequence[files.PaidStatement], now: Mapping[UUID, BankAccount]
) -> Iterator[str]:
    """Stores whose merchant is suspended, or whose line is not what it would be today.

    A line that pays several merchants carries the names of its first, and of the others the
    destination alone.
    """
    named: dict[int, UUID] = {}
    for statement in paid:
        line, account = written[statement.line - 1], now[statement.merchant_id]
        if named.setdefault(statement.line, statement.merchant_id) == statement.merchant_id:
            today = transfer_to(account, line.amount_yen, customer_code=line.customer_code_1)
            same = transfer_record(today, statement.line) == transfer_record(line, statement.line)
        else:
            same = destination(account) == line.payee_account
        if not (same and statement.merchant_active):
            yield statement.store_code
