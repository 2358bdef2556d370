"""Statements (in both senses) that read what stores were told, and a programme's totals."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from services.kit.db import Tx
from services.merchants.payee_clauses import payees
from services.settlement.bank_file import FileStatus
from services.settlement.books import IssuedStatement
from services.settlement.paper import StatementRecord
from services.settlement.statement import Statement
from services.settlement.tables.closes import last_positions
from services.settlement.tables.files import is_live
from services.settlement.tables.schema import BankFileRow, CloseRow, PayoutRow, StatementRow, TransferRow
from services.settlement.totals import Totals


async def find_statements(
    tx: Tx,
    *,
    statement_id: UUID | None = None,
    store_id: UUID | None = None,
    close_id: UUID | None = None,
    after_store: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[StatementRecord]:
    """Statements with their close and payee: of a close by store code, otherwise newest first."""
    earlier = aliased(CloseRow)
    previous = (
        select(func.max(earlier.closing_date))
        .where(earlier.programme_id == CloseRow.programme_id, earlier.closing_date < CloseRow.closing_date)
        .correlate(CloseRow)
        .scalar_subquery()
    )
    who = payees().subquery("who")
    query = (
        select(
            *StatementRow.__table__.columns,
            CloseRow.closing_date,
            CloseRow.transfer_date,
            CloseRow.closed_at,
            CloseRow.final,
            previous.label("previous_closing_date"),
            who.c.store_code,
            who.c.store_name,
            who.c.merchant_number,
            who.c.merchant_name,
        )
        .join(CloseRow, CloseRow.id == StatementRow.close_id)
        .join(who, who.c.store_id == StatementRow.store_id)
        .limit(limit)
    )
    if statement_id is not None:
        query = query.where(StatementRow.id == statement_id)
    if store_id is not None:
        query = query.where(StatementRow.store_id == store_id)
    if close_id is not None:
        query = query.where(StatementRow.close_id == close_id).order_by(who.c.store_code)
    if after_store is not None:
        query = query.where(who.c.store_code > after_store)
    if after is not None:
        query = query.where(_older_than(after))
    query = query.order_by(CloseRow.closing_date.desc(), StatementRow.id.desc())
    return [_record(row) for row in await tx.connection.execute(query)]


def _older_than(statement_id: UUID) -> ColumnElement[bool]:
    """True of statements that come after that one in a list of the newest first."""
    other, its_close = aliased(StatementRow), aliased(CloseRow)
    day = (
        select(its_close.closing_date)
        .join(other, other.close_id == its_close.id)
        .where(other.id == statement_id)
        .scalar_subquery()
    )
    return tuple_(CloseRow.closing_date, StatementRow.id) < tuple_(day, literal(statement_id))


async def sum_programme(tx: Tx, programme_id: UUID) -> Totals:
    """What all statements of a programme come to, and how far their payouts have gone."""
    told = await _one(tx, _sums(programme_id))
    last = last_positions(programme_id)
    left = await _one(tx, select(_sum(last.c.carried_yen), _sum(last.c.receivable_yen)))
    paid = _sum(StatementRow.payout_yen, BankFileRow.status == FileStatus.PAID.value)
    on_its_way = _sum(StatementRow.payout_yen, BankFileRow.status == FileStatus.SENT.value)
    files = await _one(
        tx,
        select(
            paid,
            on_its_way,
            func.count(TransferRow.bank_file_id.distinct()),
            func.count(TransferRow.id.distinct()),
        )
        .select_from(PayoutRow)
        .join(TransferRow, TransferRow.id == PayoutRow.transfer_id)
        .join(BankFileRow, BankFileRow.id == TransferRow.bank_file_id)
        .join(StatementRow, StatementRow.id == PayoutRow.statement_id)
        .where(StatementRow.programme_id == programme_id, is_live()),
    )
    return Totals(
        statements=told[0],
        gross_yen=told[1],
        cancelled_yen=told[2],
        refunded_yen=told[3],
        fee_yen=told[4],
        fee_tax_yen=told[5],
        net_yen=told[6],
        payout_yen=told[7],
        carried_yen=left[0],
        receivable_yen=left[1],
        paid_out_yen=files[0],
        on_its_way_yen=files[1],
        bank_files=files[2],
        transfers=files[3],
    )


def _sums(programme_id: UUID) -> Any:
    amounts = (
        StatementRow.gross_yen,
        StatementRow.cancelled_yen,
        StatementRow.refunded_yen,
        StatementRow.fee_yen,
        StatementRow.fee_tax_yen,
        StatementRow.net_yen,
        StatementRow.payout_yen,
    )
    query = select(func.count(StatementRow.id), *(_sum(amount) for amount in amounts))
    return query.where(StatementRow.programme_id == programme_id)


def _sum(amount: Any, only: ColumnElement[bool] | None = None) -> Any:
    total = func.sum(amount) if only is None else func.sum(amount).filter(only)
    return func.coalesce(total, 0)


async def _one(tx: Tx, query: Any) -> list[int]:
    return [int(value) for value in (await tx.connection.execute(query)).one()]


def _record(row: Any) -> StatementRecord:
    figures = Statement(
        payments_yen=row.gross_yen,
        payments_count=row.payments,
        cancelled_yen=row.cancelled_yen,
        refunded_yen=row.refunded_yen,
        fee_bp=row.fee_bp,
        fee_yen=row.fee_yen,
        tax_bp=row.tax_bp,
        fee_tax_yen=row.fee_tax_yen,
        net_yen=row.net_yen,
        carried_in_yen=row.carried_in_yen,
        receivable_in_yen=row.receivable_in_yen,
        payout_yen=row.payout_yen,
        carried_out_yen=row.carried_out_yen,
        receivable_out_yen=row.receivable_out_yen,
        final=row.final,
    )
    issued = IssuedStatement(row.id, row.number, row.close_id, row.programme_id, row.store_id, row.merchant_id, figures)
    return StatementRecord(
        statement=issued,
        closing_date=row.closing_date,
        previous_closing_date=row.previous_closing_date,
        transfer_date=row.transfer_date,
        issued_at=row.closed_at,
        store_code=row.store_code,
        store_name=row.store_name,
        merchant_number=row.merchant_number,
        merchant_name=row.merchant_name,
    )
