"""The settlement office of a test town: closes, bank files and what the ledger says of them, in short words."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns.terms import ClosingRhythm, Terms
from services.identity.staff import OpenMerchantAccount, open_merchant_account
from services.kit.clock import civil_date, start_of
from services.kit.db import Tx
from services.kit.store_class import StoreClass
from services.ledger.chart import Account
from services.ledger.read import balance
from services.merchants.add_member import AddMember, add_member
from services.merchants.bank_account import BankAccount, bank_account
from services.merchants.onboard import Onboard, onboard
from services.merchants.set_payout_account import SetPayoutAccount, set_payout_account
from services.merchants.set_status import SetMerchantStatus, set_merchant_status
from services.merchants.shops import MemberRole, Status, StoreDetails
from services.settlement import read
from services.settlement.approve import ApproveFile, VoidFile, approve, void
from services.settlement.bank_file import BankFile
from services.settlement.books import ClosedBooks
from services.settlement.close import Close, close
from services.settlement.paper import StatementRecord
from services.settlement.pay_out import Download, FileContent, MarkPaid, MarkSent, download, mark_paid, mark_sent
from services.settlement.propose import ProposedFile, ProposeFile, propose
from services.settlement.totals import Totals
from services.settlement.withdraw import WithdrawFile, withdraw
from tests.town import APPROVER, CODE, OFFICER, Shop, Town, town_terms

FIRST, SECOND, FINAL = date(2026, 4, 15), date(2026, 4, 30), date(2026, 10, 15)
"""Closing days of the town's programme, twice monthly in use to 30 September, refunds for 14 days more."""

PAY_DAY = date(2026, 4, 22)
"""Five bank business days after the first closing day."""

COUNTED = ("settlement_close", "statement", "statement_claim", "ledger_journal", "payout", "bank_file", "audit_entry")


def settled(rhythm: ClosingRhythm = ClosingRhythm.TWICE_MONTHLY, **changes: Any) -> Terms:
    """The town's terms with another way to settle."""
    given = town_terms(rhythm=rhythm)
    return replace(given, settlement=replace(given.settlement, **changes))


class Resting:
    """A `Rest` that only hears: `heard` runs wherever a close may rest. Its statements pause for `pause` seconds."""

    def __init__(self, heard: Callable[[Tx], Awaitable[None]], pause: float = 0.0) -> None:
        self._heard = heard
        self._pause = pause

    async def __call__(self, tx: Tx) -> None:
        await self._heard(tx)

    async def pause_s(self, tx: Tx) -> float:
        await self._heard(tx)
        return self._pause


class Office:
    """Settles a town's programmes; the clock goes forward to when a thing can be done."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def morning_after(self, day: date) -> None:
        morning = start_of(day + timedelta(days=1)) + timedelta(hours=6)
        self.town.go_to(max(morning, self.town.clock.now()))

    async def close(self, day: date, *, code: str = CODE, officer_id: UUID | None = OFFICER) -> ClosedBooks:
        self.morning_after(day)
        return await self.town.do(close, Close(code, day, officer_id))

    async def sell(self, *amounts: int, shops: tuple[Shop, ...] = ()) -> list[Shop]:
        """Shops that sold these amounts, closed on the first closing day."""
        who = await self.town.resident()
        await self.town.buy(who, 3)
        sold = list(shops) or [await self.town.shop() for _ in amounts]
        for shop, yen in zip(sold, amounts, strict=True):
            await self.town.pay_store(who, shop, yen)
        await self.close(FIRST)
        return sold

    async def close_all(self, last: date, *, code: str = CODE) -> list[ClosedBooks]:
        """Every closing day of the town's own calendar up to `last` that is not closed yet."""
        done = {books.closing_date for books in await self.town.do(read.closes_of, code)}
        days = [date(2026, month, day) for month in range(4, 13) for day in (15, 30 + (month in (5, 7, 8, 10, 12)))]
        return [await self.close(day, code=code) for day in days if day <= last and day not in done]

    async def told(self, books: ClosedBooks) -> dict[UUID, StatementRecord]:
        """The statements of a close by store."""
        found = await self.town.do(read.statements_of_close, books.id)
        return {record.statement.store_id: record for record in found}

    async def totals(self, programme_id: UUID) -> Totals:
        return await self.town.do(read.totals, programme_id)

    async def propose(self, day: date = PAY_DAY, *, code: str = CODE) -> ProposedFile:
        if self.today < day:
            self.morning_after(day - timedelta(days=1))
        return await self.town.do(propose, ProposeFile(code, day, OFFICER))

    @property
    def today(self) -> date:
        return civil_date(self.town.clock.now())

    async def approve(self, file: BankFile, officer_id: UUID = APPROVER) -> BankFile:
        return await self.town.do(approve, ApproveFile(file.id, file.sha256, officer_id))

    async def void(self, file: BankFile) -> BankFile:
        return await self.town.do(void, VoidFile(file.id, "a payee was wrong", OFFICER))

    async def withdraw(self, file: BankFile, officer_id: UUID = OFFICER) -> BankFile:
        return await self.town.do(withdraw, WithdrawFile(file.id, "never given to the bank", officer_id))

    async def download(self, file: BankFile) -> FileContent:
        return await self.town.do(download, Download(file.id, OFFICER))

    async def sent(self, file: BankFile) -> BankFile:
        return await self.town.do(mark_sent, MarkSent(file.id, OFFICER))

    async def paid(self, file: BankFile) -> BankFile:
        return await self.town.do(mark_paid, MarkPaid(file.id, OFFICER))

    async def pay_out(self, day: date = PAY_DAY, *, code: str = CODE) -> BankFile:
        """From the proposal to the bank's word."""
        file = (await self.propose(day, code=code)).file
        await self.approve(file)
        await self.sent(file)
        return await self.paid(file)

    async def owed(self, account: Account, owner_id: UUID | None = None) -> int:
        """What an account holds on its credit side, in yen."""

        async def look(tx: Tx, _: None) -> int:
            return -await balance(tx, account, owner_id=owner_id)

        return await self.town.do(look, None)

    async def suspend(self, shop: Shop, status: Status = Status.SUSPENDED) -> None:
        command = SetMerchantStatus(OFFICER, shop.merchant_id, status, "an inquiry")
        await self.town.do(set_merchant_status, command)

    async def move_account(self, shop: Shop, account: BankAccount) -> None:
        self.town.wait(seconds=1)
        await self.town.do(set_payout_account, SetPayoutAccount(OFFICER, shop.merchant_id, account))

    async def owner(self, shop: Shop, role: MemberRole = MemberRole.OWNER) -> UUID:
        """An account that owns a shop."""

        async def appoint(tx: Tx, _: None) -> UUID:
            email = f"{role.value}-{shop.id.hex}@shop.example"
            account = await open_merchant_account(tx, OpenMerchantAccount(OFFICER, email, "店主", "no password"))
            await add_member(tx, AddMember(OFFICER, True, shop.id, account.account_id, role))
            return account.account_id

        return await self.town.do(appoint, None)

    async def shops(self, count: int) -> list[Shop]:
        """Many small shops without clerks, each of a merchant of its own, in one deed."""

        async def settle_in(tx: Tx, wanted: int) -> list[Shop]:
            details = StoreDetails("星見商店", "HOSHIMI", StoreClass.SMALL, "5411", "2540001", "HOSHIMI")
            found = []
            for _ in range(wanted):
                account = bank_account("0138", "641", 1, f"{tx.new_id().int % 10**7:07}", "ホシミ")
                new = await onboard(tx, Onboard(OFFICER, "星見商店", None, account, details))
                found.append(Shop(new.store_id, new.store_code, new.merchant_id, OFFICER))
            return found

        return await self.town.do(settle_in, count)


async def count_rows(engine: AsyncEngine) -> dict[str, int]:
    """How many rows each table of settlement, its journals and its audit log have."""
    async with engine.connect() as connection:
        return {
            table: int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
            for table in COUNTED
        }


@asynccontextmanager
async def counting(engine: AsyncEngine) -> AsyncIterator[list[str]]:
    """The statements that the engine sends meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


def at(day: date, hour: int = 12) -> datetime:
    """An hour of a civil day in Japan."""
    return start_of(day) + timedelta(hours=hour)
