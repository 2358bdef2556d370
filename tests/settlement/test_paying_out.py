"""A bank file leaves the house after two officers have looked, as the same bytes for ever, and pays once."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.errors import Missing
from services.kit.four_eyes import SecondOfficerNeeded
from services.merchants.bank_account import bank_account
from services.settlement.approve import ApproveFile, VoidFile, approve, void
from services.settlement.bank_file import (
    BankFile,
    BankFileDiffers,
    BankFileStepWrong,
    FileStatus,
    NoPayoutsDue,
    VoidReasonMissing,
)
from services.settlement.pay_out import Download, download
from tests.settlement.office import Office, settled
from tests.town import APPROVER, OFFICER, Town


@pytest.fixture
def office(engine: AsyncEngine) -> Office:
    return Office(Town(engine))


async def test_a_second_officer_approves_exactly_what_was_proposed(office: Office) -> None:
    await office.town.programme()
    await office.sell(2_000)
    file = (await office.propose()).file
    with pytest.raises(SecondOfficerNeeded):
        await office.approve(file, OFFICER)
    for fingerprint in ("", "0" * 64, file.sha256[:-1], "é"):
        with pytest.raises(BankFileDiffers):
            await office.town.do(approve, ApproveFile(file.id, fingerprint, APPROVER))
    approved = await office.town.do(approve, ApproveFile(file.id, f" {file.sha256.upper()} ", APPROVER))
    assert (approved.status, approved.approved_by) == (FileStatus.APPROVED, APPROVER)
    with pytest.raises(BankFileStepWrong):
        await office.approve(file)
    with pytest.raises(Missing):
        await office.approve(replace(file, id=OFFICER))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bank_file SET status = 'approved', approved_by = proposed_by, approved_at = proposed_at",
        "UPDATE bank_file SET status = 'approved'",
        "UPDATE bank_file SET status = 'sent', sent_at = proposed_at",
        "UPDATE bank_file SET content = content || '\\x1a'",
        "UPDATE bank_transfer SET amount_yen = amount_yen + 1",
        "DELETE FROM payout",
        "DELETE FROM bank_file",
    ],
)
async def test_the_database_itself_refuses_to_skip_a_step(office: Office, engine: AsyncEngine, statement: str) -> None:
    await office.town.programme()
    await office.sell(2_000)
    await office.propose()
    with pytest.raises(DBAPIError):
        async with engine.begin() as connection:
            await connection.execute(text(statement))


async def test_a_file_is_downloaded_after_its_approval_and_always_the_same(office: Office, engine: AsyncEngine) -> None:
    await office.town.programme()
    shop, _ = await office.sell(2_000, 3_000)
    file = (await office.propose()).file
    with pytest.raises(BankFileStepWrong):
        await office.download(file)
    await office.approve(file)
    first = await office.download(file)
    assert (first.sha256, hashlib.sha256(first.content).hexdigest()) == (file.sha256, file.sha256)
    assert first.file_name == f"{file.number}-20260422.zengin"
    await office.move_account(shop, bank_account("0001", "001", 1, "1111111", "ベツノコウザ"))
    await office.town.correct(settled(minimum_payout_yen=0))
    await office.sent(file)
    assert await office.download(file) == first
    await office.paid(file)
    assert await office.download(file) == first
    query = "SELECT count(*) FROM audit_entry WHERE action = 'bank_file.downloaded' AND subject_id = :id"
    async with engine.connect() as connection:
        assert (await connection.execute(text(query), {"id": file.id})).scalar_one() == 3
    with pytest.raises(Missing):
        await office.town.do(download, Download(OFFICER, OFFICER))
    await office.town.must_prove()


async def test_a_voided_proposal_frees_its_payouts_for_the_next_one(office: Office) -> None:
    await office.town.programme()
    await office.sell(2_000, 3_000)
    file = (await office.propose()).file
    with pytest.raises(VoidReasonMissing):
        await office.town.do(void, VoidFile(file.id, "  ", OFFICER))
    assert (await office.void(file)).status is FileStatus.VOID
    for step in (office.void, office.approve, office.download, office.sent):
        with pytest.raises(BankFileStepWrong):
            await step(file)
    again = (await office.propose()).file
    assert (again.sha256, again.number == file.number) == (file.sha256, False)
    await office.approve(again)
    await office.sent(again)
    await office.town.must_prove()


async def steps_taken(office: Office, file: BankFile, until: FileStatus) -> None:
    for status, step in (
        (FileStatus.APPROVED, office.approve),
        (FileStatus.SENT, office.sent),
        (FileStatus.PAID, office.paid),
    ):
        await step(file)
        if status is until:
            return


@pytest.mark.parametrize("status", [FileStatus.APPROVED, FileStatus.SENT, FileStatus.PAID])
async def test_what_may_have_left_the_house_is_never_voided_or_paid_again(office: Office, status: FileStatus) -> None:
    await office.town.programme()
    await office.sell(2_000)
    file = (await office.propose()).file
    await steps_taken(office, file, status)
    with pytest.raises(BankFileStepWrong) as refused:
        await office.void(file)
    assert refused.value.params == {"number": file.number, "status": status.value, "needed": "proposed"}
    with pytest.raises(NoPayoutsDue):
        await office.propose()
    wrong = {FileStatus.APPROVED: office.paid, FileStatus.SENT: office.sent, FileStatus.PAID: office.paid}[status]
    with pytest.raises(BankFileStepWrong):
        await wrong(file)
    await office.town.must_prove()
