"""Statements on bank files, their transfers and payouts, and on money that comes in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, insert, literal, select, tuple_, update
from sqlalchemy.orm import aliased

from services.kit.db import Tx
from services.kit.sets import insert_rows
from services.kit.turns import take_turn
from services.merchants.payee_clauses import payees
from services.settlement.bank_file import BankFile, DuePayout, FileStatus, Line
from services.settlement.books import Payout
from services.settlement.tables.schema import (
    BankFileRow,
    CloseRow,
    MoneyInRow,
    PayoutRow,
    StatementRow,
    TransferRow,
)

FILE = tuple(getattr(BankFileRow, name) for name in BankFile.__dataclass_fields__)


@dataclass(frozen=True)
class PaidStatement:
    """A statement in a bank file: which line pays it, and who gets it."""

    line: int
    statement_number: str
    store_code: str
    merchant_id: UUID
    merchant_active: bool


async def hold_account(tx: Tx, paying_account: str) -> None:
    """Let one proposal of a paying account run at a time, until the end of the transaction.

    It only makes a second proposal wait for the first one's payouts to be seen; the unique
    index on live payouts is what makes paying a statement twice impossible.
    """
    await take_turn(tx, f"bank_file:{paying_account}")


async def payouts_due(tx: Tx, programme_ids: Collection[UUID], transfer_date: date) -> list[DuePayout]:
    """Payouts of some programmes that are due by a day and in no live file, by store code and closing day."""
    who = payees().subquery("who")
    query = (
        select(
            StatementRow.id,
            StatementRow.number,
            who.c.store_code,
            who.c.merchant_id,
            who.c.merchant_active,
            StatementRow.payout_yen,
        )
        .join(CloseRow, CloseRow.id == StatementRow.close_id)
        .join(who, who.c.store_id == StatementRow.store_id)
        .where(
            StatementRow.programme_id.in_(list(programme_ids)),
            StatementRow.payout_yen > 0,
            CloseRow.transfer_date <= transfer_date,
            ~exists().where(PayoutRow.statement_id == StatementRow.id, is_live()),
        )
        .order_by(who.c.store_code, CloseRow.closing_date, StatementRow.programme_id)
    )
    return [DuePayout(*row) for row in await tx.connection.execute(query)]


def is_live() -> ColumnElement[bool]:
    """True of a payout whose file was not voided."""
    return PayoutRow.voided_at.is_(None)


async def insert_file(tx: Tx, file: BankFile, content: bytes, lines: Sequence[Line]) -> None:
    """A file with its bytes, its transfers and the statements that each of them pays."""
    head = {name: getattr(file, name) for name in BankFile.__dataclass_fields__}
    head |= {"status": file.status.value, "sha256": bytes.fromhex(file.sha256), "content": content}
    await tx.connection.execute(insert(BankFileRow).values(head))
    transfer_ids = [tx.new_id() for _ in lines]
    transfers = [
        {
            "id": transfer_id,
            "bank_file_id": file.id,
            "line": line.line,
            "payout_account_id": line.payout_account_id,
            "amount_yen": line.amount_yen,
        }
        for transfer_id, line in zip(transfer_ids, lines, strict=True)
    ]
    await tx.connection.execute(insert_rows(TransferRow, transfers))
    payouts = [
        {"statement_id": payout.statement_id, "transfer_id": transfer_id}
        for transfer_id, line in zip(transfer_ids, lines, strict=True)
        for payout in line.payouts
    ]
    await tx.connection.execute(insert_rows(PayoutRow, payouts))


async def lock_file(tx: Tx, file_id: UUID) -> BankFile | None:
    """The file as it is now; its next step waits for this transaction."""
    row = (await tx.connection.execute(select(*FILE).where(BankFileRow.id == file_id).with_for_update())).one_or_none()
    return _file(row) if row else None


async def find_files(
    tx: Tx,
    *,
    file_id: UUID | None = None,
    paying_account: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[BankFile]:
    """Bank files, newest first, from the one after `after`."""
    query = select(*FILE).order_by(BankFileRow.proposed_at.desc(), BankFileRow.id.desc()).limit(limit)
    if file_id is not None:
        query = query.where(BankFileRow.id == file_id)
    if paying_account is not None:
        query = query.where(BankFileRow.paying_account == paying_account)
    if after is not None:
        other = aliased(BankFileRow)
        its_time = select(other.proposed_at).where(other.id == after).scalar_subquery()
        query = query.where(tuple_(BankFileRow.proposed_at, BankFileRow.id) < tuple_(its_time, literal(after)))
    return [_file(row) for row in await tx.connection.execute(query)]


async def read_content(tx: Tx, file_id: UUID) -> bytes:
    return bytes(
        (await tx.connection.execute(select(BankFileRow.content).where(BankFileRow.id == file_id))).scalar_one()
    )


async def set_approved(tx: Tx, file_id: UUID, approved_by: UUID) -> None:
    values = {"status": FileStatus.APPROVED.value, "approved_by": approved_by, "approved_at": tx.now}
    await tx.connection.execute(update(BankFileRow).where(BankFileRow.id == file_id).values(values))


async def set_sent(tx: Tx, file_id: UUID) -> None:
    values = {"status": FileStatus.SENT.value, "sent_at": tx.now}
    await tx.connection.execute(update(BankFileRow).where(BankFileRow.id == file_id).values(values))


async def set_paid(tx: Tx, file_id: UUID) -> None:
    values = {"status": FileStatus.PAID.value, "paid_at": tx.now}
    await tx.connection.execute(update(BankFileRow).where(BankFileRow.id == file_id).values(values))


async def ask_withdrawal(tx: Tx, file_id: UUID, asked_by: UUID) -> None:
    values = {"withdrawal_asked_by": asked_by, "withdrawal_asked_at": tx.now}
    await tx.connection.execute(update(BankFileRow).where(BankFileRow.id == file_id).values(values))


async def set_void(tx: Tx, file_id: UUID, *, withdrawn_by: UUID | None = None) -> None:
    """The file is void and its payouts are due again; a withdrawn one loses its approval."""
    values: dict[str, Any] = {"status": FileStatus.VOID.value}
    if withdrawn_by is not None:
        values |= {"approved_by": None, "approved_at": None, "withdrawn_by": withdrawn_by, "withdrawn_at": tx.now}
    await tx.connection.execute(update(BankFileRow).where(BankFileRow.id == file_id).values(values))
    its_transfers = select(TransferRow.id).where(TransferRow.bank_file_id == file_id)
    freed = update(PayoutRow).where(PayoutRow.transfer_id.in_(its_transfers)).values(voided_at=tx.now)
    await tx.connection.execute(freed)


async def payouts_of(tx: Tx, file_id: UUID) -> list[Payout]:
    """The payouts that a live file carries, in its order."""
    query = _paid(StatementRow.id, StatementRow.programme_id, StatementRow.store_id, StatementRow.payout_yen)
    query = query.where(TransferRow.bank_file_id == file_id, is_live()).order_by(TransferRow.line, StatementRow.id)
    return [Payout(*row) for row in await tx.connection.execute(query)]


async def statements_of(tx: Tx, file_id: UUID) -> list[PaidStatement]:
    """The statements behind each line of a file, void or not, in its order."""
    who = payees().subquery("who")
    query = (
        _paid(
            TransferRow.line,
            StatementRow.number,
            who.c.store_code,
            who.c.merchant_id,
            who.c.merchant_active,
        )
        .join(who, who.c.store_id == StatementRow.store_id)
        .where(TransferRow.bank_file_id == file_id)
        .order_by(TransferRow.line, who.c.store_code, StatementRow.number)
    )
    return [PaidStatement(*row) for row in await tx.connection.execute(query)]


async def insert_money_in(
    tx: Tx, money_in_id: UUID, programme_id: UUID, source: str, amount_yen: int, recorded_by: UUID
) -> None:
    row = {
        "id": money_in_id,
        "programme_id": programme_id,
        "source": source,
        "amount_yen": amount_yen,
        "recorded_by": recorded_by,
        "received_at": tx.now,
    }
    await tx.connection.execute(insert(MoneyInRow).values(row))


def _paid(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(PayoutRow)
        .join(TransferRow, TransferRow.id == PayoutRow.transfer_id)
        .join(StatementRow, StatementRow.id == PayoutRow.statement_id)
    )


def _file(row: Any) -> BankFile:
    values = dict(zip(BankFile.__dataclass_fields__, row, strict=True))
    values |= {"status": FileStatus(values["status"]), "sha256": bytes(values["sha256"]).hex()}
    return BankFile(**values)
