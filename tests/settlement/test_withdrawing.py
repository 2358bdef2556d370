"""A file is of use until its transfer day is over; what was approved and never sent is withdrawn by two officers."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.clock import end_of
from services.kit.four_eyes import SecondOfficerNeeded
from services.ledger.chart import Account
from services.settlement.bank_file import (
    BankFile,
    BankFileDayPast,
    BankFileStepWrong,
    FileStatus,
    NoPayoutsDue,
    VoidReasonMissing,
)
from services.settlement.withdraw import WithdrawFile, withdraw
from tests.settlement.office import PAY_DAY, Office
from tests.town import APPROVER, OFFICER, Town

THIRD = UUID(int=0xA3)
LATER = PAY_DAY + timedelta(days=1)


@pytest.fixture
def office(engine: AsyncEngine) -> Office:
    return Office(Town(engine))


async def approved(office: Office) -> BankFile:
    await office.town.programme()
    await office.sell(2_000)
    return await office.approve((await office.propose()).file)


async def test_a_file_is_approved_until_the_last_instant_of_its_transfer_day_in_japan(office: Office) -> None:
    await office.town.programme()
    await office.sell(2_000)
    file = (await office.propose()).file
    office.town.go_to(end_of(PAY_DAY))
    with pytest.raises(BankFileDayPast) as refused:
        await office.approve(file)
    assert refused.value.params == {"number": file.number, "date": "2026-04-22", "today": "2026-04-23"}
    await office.void(file)
    again = (await office.propose(LATER)).file
    office.town.go_to(end_of(LATER) - timedelta(microseconds=1))
    assert (await office.approve(again)).status is FileStatus.APPROVED


async def test_a_file_is_sent_until_the_last_instant_of_its_transfer_day_in_japan(office: Office) -> None:
    file = await approved(office)
    office.town.go_to(end_of(PAY_DAY))
    with pytest.raises(BankFileDayPast):
        await office.sent(file)
    assert await office.owed(Account.BANK_CLEARING) == 0
    office.town.go_to(end_of(PAY_DAY))
    await office.withdraw(file)
    await office.withdraw(file, THIRD)
    again = await office.approve((await office.propose(LATER)).file)
    office.town.go_to(end_of(LATER) - timedelta(microseconds=1))
    assert (await office.sent(again)).status is FileStatus.SENT
    office.town.wait(days=3)
    assert (await office.paid(again)).status is FileStatus.PAID, "the bank's word may come later"
    await office.town.must_prove()


async def test_two_officers_withdraw_an_approved_file_and_its_payouts_are_due_again(
    office: Office, engine: AsyncEngine
) -> None:
    file = await approved(office)
    with pytest.raises(BankFileStepWrong):
        await office.void(file)
    with pytest.raises(VoidReasonMissing):
        await office.town.do(withdraw, WithdrawFile(file.id, " ", OFFICER))
    asked = await office.withdraw(file)
    assert (asked.status, asked.withdrawal_asked_by, asked.withdrawn_by) == (FileStatus.APPROVED, OFFICER, None)
    with pytest.raises(SecondOfficerNeeded):
        await office.withdraw(file)
    with pytest.raises(NoPayoutsDue):
        await office.propose()
    gone = await office.withdraw(file, APPROVER)
    assert (gone.status, gone.withdrawal_asked_by, gone.withdrawn_by) == (FileStatus.VOID, OFFICER, APPROVER)
    assert gone.approved_by is None
    for step in (office.withdraw, office.sent, office.download, office.void, office.approve):
        with pytest.raises(BankFileStepWrong):
            await step(file)
    assert (await office.pay_out()).total_yen == file.total_yen
    query = "SELECT action, actor_id FROM audit_entry WHERE subject_id = :id ORDER BY recorded_at, id"
    async with engine.connect() as connection:
        told = [tuple(row) for row in await connection.execute(text(query), {"id": file.id})]
    assert told[1:] == [
        ("bank_file.approved", APPROVER),
        ("bank_file.withdrawal_asked", OFFICER),
        ("bank_file.withdrawn", APPROVER),
    ]
    await office.town.must_prove()


async def test_a_withdrawal_that_nobody_confirmed_stops_nothing_and_a_sent_file_is_never_withdrawn(
    office: Office,
) -> None:
    file = await approved(office)
    await office.withdraw(file)
    await office.sent(file)
    for officer_id in (OFFICER, APPROVER, THIRD):
        with pytest.raises(BankFileStepWrong):
            await office.withdraw(file, officer_id)
    await office.paid(file)
    with pytest.raises(BankFileStepWrong):
        await office.withdraw(file, APPROVER)
    await office.town.must_prove()


async def test_a_proposal_is_voided_never_withdrawn(office: Office) -> None:
    await office.town.programme()
    await office.sell(2_000)
    with pytest.raises(BankFileStepWrong) as refused:
        await office.withdraw((await office.propose()).file)
    assert refused.value.params["needed"] == "approved"


GONE = "status = 'void', approved_by = NULL, approved_at = NULL"


@pytest.mark.parametrize(
    "change",
    [
        f"{GONE}, withdrawn_by = withdrawal_asked_by, withdrawn_at = proposed_at",
        GONE,
        "withdrawn_by = approved_by, withdrawn_at = proposed_at",
        "withdrawal_asked_by = NULL",
        "withdrawal_asked_at = NULL",
    ],
)
async def test_the_database_itself_wants_two_for_a_withdrawal(office: Office, engine: AsyncEngine, change: str) -> None:
    await office.withdraw(await approved(office))
    with pytest.raises(DBAPIError, match="ck_bank_file_"):
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE bank_file SET {change}"))
