"""Withdraw an approved bank file that never went to the bank: asked for by one officer, confirmed by another.

Only people can know that a file which may have been downloaded was not sent, and paying twice
is what a mistake would cost; so two of them say it. After it was sent a file is never withdrawn.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.four_eyes import must_be_another
from services.settlement import read
from services.settlement.approve import must_lock
from services.settlement.bank_file import BankFile, FileStatus, void_reason
from services.settlement.tables import files


@dataclass(frozen=True)
class WithdrawFile:
    """The officer states that the file was not given to the bank, and why it shall not be."""

    file_id: UUID
    reason: str
    officer_id: UUID


async def withdraw(tx: Tx, command: WithdrawFile) -> BankFile:
    """Ask for a withdrawal; or, as another officer, confirm it: then the file is void, its payouts due again.

    Until it is confirmed the file stays approved and can still be marked as sent, which ends
    the matter. Raises `Missing`, `BankFileStepWrong`, `VoidReasonMissing`, and
    `SecondOfficerNeeded` for who asked already.
    """
    reason = void_reason(command.reason)
    file = await must_lock(tx, command.file_id, FileStatus.APPROVED)
    if file.withdrawal_asked_by is None:
        await files.ask_withdrawal(tx, file.id, command.officer_id)
        action = "bank_file.withdrawal_asked"
    else:
        must_be_another(file.withdrawal_asked_by, command.officer_id)
        await files.set_void(tx, file.id, withdrawn_by=command.officer_id)
        action = "bank_file.withdrawn"
    await audit.record(tx, command.officer_id, action, file.id, number=file.number, reason=reason)
    return await read.bank_file(tx, file.id)
