"""The bank file: proposed by one officer, approved by another, downloaded, sent, paid."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Approver, CityStaff, Officer, Payer
from infra.http.context import Here
from infra.http.four_eyes import require_second_officer
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer, Body, Day, Reason, ShortText
from services.campaigns.programme import ProgrammeUnknown
from services.kit.db import Tx
from services.kit.errors import Refusal
from services.kit.four_eyes import SecondOfficerNeeded
from services.kit.kana import BankTextEmpty, BankTextTooLong, NotBankCharacter
from services.settlement import approve, pay_out, propose, read
from services.settlement import withdraw as withdrawal
from services.settlement.bank_file import (
    BankFile,
    BankFileDayPast,
    BankFileDiffers,
    BankFileStepWrong,
    NoPayoutsDue,
    PayeeChanged,
    TransferDateOutOfRange,
    VoidReasonMissing,
)
from services.settlement.calendar import CalendarNotCertain
from services.settlement.transfer import TooManyTransfers, TransferAmountInvalid, TransferTotalTooLarge
from services.settlement.zengin import TransferDayClosed
from services.settlement.zengin_layout import TransferFieldInvalid

routes = router("bank-files")


FILE_REFUSALS: tuple[type[Refusal], ...] = (
    TransferFieldInvalid,
    TransferAmountInvalid,
    TransferTotalTooLarge,
    TooManyTransfers,
    NotBankCharacter,
    BankTextEmpty,
    BankTextTooLong,
)
"""What the bank's format itself refuses: a field of the paying account's or of a payee's."""


class BankFileRequest(Body):
    """Pay what is due by a bank business day from the account that this programme pays from."""

    programme: ShortText
    transfer_date: Day


class BankFileAnswer(Answer):
    """A bank file; `sha256` says which bytes it is, from its proposal on."""

    id: UUID
    number: str
    transfer_date: date
    status: str = Field(description="`proposed`, `approved`, `sent`, `paid` or `void`.")
    transfers: int
    total_yen: int
    sha256: str
    proposed_by: UUID
    proposed_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    sent_at: datetime | None
    paid_at: datetime | None
    withdrawal_asked_by: UUID | None


class HeldAnswer(Answer):
    """A payout that stays due."""

    statement_number: str
    store_code: str
    amount_yen: int
    because: str = Field(description="`suspended` or `no_account`.")


class ProposedAnswer(Answer):
    """The file, and what is held back."""

    file: BankFileAnswer
    held: list[HeldAnswer]


class FileLineAnswer(Answer):
    """One transfer as an officer checks it."""

    line: int
    bank_code: str
    branch_code: str
    kind: int
    masked_number: str
    holder_kana: str
    amount_yen: int
    store_codes: list[str]
    statement_numbers: list[str]


class BankFileRecordAnswer(Answer):
    file: BankFileAnswer
    lines: list[FileLineAnswer]


class BankFilesAnswer(Answer):
    """One page, newest first; ask on with `after` = `next` until that is null."""

    bank_files: list[BankFileAnswer]
    next: UUID | None


class FileApproval(Body):
    """The fingerprint of the bytes that the approver has compared."""

    sha256: Annotated[str, Field(strict=True, pattern=r"^[0-9a-fA-F]{64}$")]


class VoidRequest(Body):
    reason: Reason


@dataclass(frozen=True)
class _Page:
    after: UUID | None
    limit: int


class BankFileBytes(Response):
    """The bytes for the bank: 120-byte records in JIS X 0201."""

    media_type = "application/octet-stream"


@routes.post(
    "/bank-files",
    status_code=201,
    responses=refuses(
        ProgrammeUnknown,
        TransferDateOutOfRange,
        TransferDayClosed,
        CalendarNotCertain,
        NoPayoutsDue,
        *FILE_REFUSALS,
    ),
)
async def propose_bank_file(body: BankFileRequest, token: Officer, command: Command) -> ProposedAnswer:
    """Propose a file with all due payouts; none of them is ever in a second one."""
    asked = propose.ProposeFile(body.programme, body.transfer_date, token.account_id)
    return ProposedAnswer.of(
        await command.perform(token.account_id, "city.bank_file.propose", propose.propose, asked, propose.ProposedFile)
    )


@routes.get("/bank-files")
async def list_bank_files(
    _token: CityStaff, here: Here, after: UUID | None = None, limit: PageSize = 100
) -> BankFilesAnswer:
    """Bank files, newest first."""
    shown, following = paged(await here.database.transact(_list, _Page(after, limit)), limit, lambda each: each.id)
    return BankFilesAnswer(bank_files=[BankFileAnswer.of(each) for each in shown], next=following)


@routes.get("/bank-files/{bank_file_id}")
async def get_bank_file(bank_file_id: UUID, _token: CityStaff, here: Here) -> BankFileRecordAnswer:
    """A file line by line, account numbers in part."""
    return BankFileRecordAnswer.of(await here.database.transact(read.bank_file_record, bank_file_id))


@routes.post(
    "/bank-files/{bank_file_id}/approval",
    status_code=201,
    responses=refuses(SecondOfficerNeeded, BankFileStepWrong, BankFileDiffers, BankFileDayPast, PayeeChanged),
)
async def approve_bank_file(
    bank_file_id: UUID, body: FileApproval, token: Approver, command: Command
) -> BankFileAnswer:
    """Say the second yes, to exactly these bytes."""
    asked = approve.ApproveFile(bank_file_id, body.sha256, token.account_id)
    return BankFileAnswer.of(
        await command.perform(token.account_id, "city.bank_file.approve", _approve, asked, BankFile)
    )


@routes.post("/bank-files/{bank_file_id}/void", responses=refuses(BankFileStepWrong, VoidReasonMissing))
async def void_bank_file(bank_file_id: UUID, body: VoidRequest, token: Officer, command: Command) -> BankFileAnswer:
    """Give up a proposal; its payouts are due again."""
    asked = approve.VoidFile(bank_file_id, body.reason, token.account_id)
    return BankFileAnswer.of(
        await command.perform(token.account_id, "city.bank_file.void", approve.void, asked, BankFile)
    )


@routes.post(
    "/bank-files/{bank_file_id}/withdrawal",
    responses=refuses(SecondOfficerNeeded, BankFileStepWrong, VoidReasonMissing),
)
async def withdraw_bank_file(bank_file_id: UUID, body: VoidRequest, token: Payer, command: Command) -> BankFileAnswer:
    """Say that an approved file never went to the bank; when a second officer says so too, it is void."""
    asked = withdrawal.WithdrawFile(bank_file_id, body.reason, token.account_id)
    return BankFileAnswer.of(
        await command.perform(token.account_id, "city.bank_file.withdraw", _withdraw, asked, BankFile)
    )


@routes.get("/bank-files/{bank_file_id}/content", response_class=BankFileBytes, responses=refuses(BankFileStepWrong))
async def download_bank_file(bank_file_id: UUID, token: Payer, here: Here) -> Response:
    """The approved file for the bank: the same bytes every time, and a line in the audit log every time."""
    file = await here.database.transact(pay_out.download, pay_out.Download(bank_file_id, token.account_id))
    headers = {"Content-Disposition": f'attachment; filename="{file.file_name}"', "ETag": f'"{file.sha256}"'}
    return BankFileBytes(file.content, headers=headers)


@routes.post("/bank-files/{bank_file_id}/sent", responses=refuses(BankFileStepWrong, BankFileDayPast))
async def mark_bank_file_sent(bank_file_id: UUID, token: Officer, command: Command) -> BankFileAnswer:
    """Note that the file was handed to the bank."""
    asked = pay_out.MarkSent(bank_file_id, token.account_id)
    return BankFileAnswer.of(
        await command.perform(token.account_id, "city.bank_file.sent", pay_out.mark_sent, asked, BankFile)
    )


@routes.post("/bank-files/{bank_file_id}/paid", responses=refuses(BankFileStepWrong))
async def mark_bank_file_paid(bank_file_id: UUID, token: Officer, command: Command) -> BankFileAnswer:
    """Note that the bank's statement shows the file as paid."""
    asked = pay_out.MarkPaid(bank_file_id, token.account_id)
    return BankFileAnswer.of(
        await command.perform(token.account_id, "city.bank_file.paid", pay_out.mark_paid, asked, BankFile)
    )


async def _approve(tx: Tx, asked: approve.ApproveFile) -> BankFile:
    await require_second_officer(tx, (await read.bank_file(tx, asked.file_id)).proposed_by, asked.officer_id)
    return await approve.approve(tx, asked)


async def _withdraw(tx: Tx, asked: withdrawal.WithdrawFile) -> BankFile:
    asked_by = (await read.bank_file(tx, asked.file_id)).withdrawal_asked_by
    if asked_by is not None:
        await require_second_officer(tx, asked_by, asked.officer_id)
    return await withdrawal.withdraw(tx, asked)


async def _list(tx: Tx, page: _Page) -> tuple[BankFile, ...]:
    return await read.bank_files(tx, after=page.after, limit=page.limit + 1)
