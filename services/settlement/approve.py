"""Approve a bank file, or void it: a second officer's yes to exactly these bytes, or nobody's.

Nothing of a proposed file has left the house, so voiding it gives its payouts back to the
next proposal. Once approved it can be downloaded, and is never voided again.
"""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from services.campaigns.programme import SecondOfficerNeeded
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants import read as merchants
from services.settlement import read
from services.settlement.bank_file import (
    BankFile,
    BankFileDiffers,
    FileStatus,
    PayeeChanged,
    destination,
    must_be,
    void_reason,
)
from services.settlement.tables import files


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

    Raises `Missing`, `BankFileStepWrong`, `SecondOfficerNeeded`, `BankFileDiffers`, and
    `PayeeChanged` when a payee was suspended or has moved to another account since the
    proposal: then the file is voided and proposed anew.
    """
    file = await must_lock(tx, command.file_id, FileStatus.PROPOSED)
    if file.proposed_by == command.officer_id:
        raise SecondOfficerNeeded()
    fixed = hashlib.sha256(await files.read_content(tx, file.id)).hexdigest()
    if fixed != file.sha256 or not hmac.compare_digest(fixed.encode(), command.sha256.strip().lower().encode()):
        raise BankFileDiffers(number=file.number)
    await _must_pay_the_same(tx, file)
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


async def _must_pay_the_same(tx: Tx, file: BankFile) -> None:
    paid = await files.statements_of(tx, file.id)
    merchant_ids = {statement.merchant_id for statement in paid}
    then = await merchants.payout_accounts(tx, merchant_ids, file.proposed_at)
    now = await merchants.payout_accounts(tx, merchant_ids, tx.now)
    changed = [
        statement.store_code
        for statement in paid
        if not statement.merchant_active
        or destination(then[statement.merchant_id].account) != destination(now[statement.merchant_id].account)
    ]
    if changed:
        raise PayeeChanged(number=file.number, store=changed[0], count=len(set(changed)))
