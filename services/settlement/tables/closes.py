"""Statements that close a programme's books, and that tell what was closed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, exists, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.kit.db import Tx
from services.kit.sets import insert_rows
from services.kit.turns import take_turn
from services.merchants.payee_clauses import payees
from services.payments.clauses import legs_before
from services.settlement.books import ClosedBooks, IssuedStatement
from services.settlement.tables.schema import ClaimRow, CloseRow, StatementRow


@dataclass(frozen=True)
class StoreToTell:
    """A store that a close may have something to say to, and what its last statement left open, in yen."""

    store_id: UUID
    merchant_id: UUID
    store_class: str
    carried_yen: int
    receivable_yen: int

    @property
    def is_open(self) -> bool:
        """Whether its last statement left something to be paid or owed."""
        return self.carried_yen + self.receivable_yen > 0


@dataclass(frozen=True)
class LastClose:
    """Up to where a programme's last close took everything that it could see, and since when the rest was recorded."""

    closing_date: date
    cutoff_at: datetime
    late_since: datetime | None


async def hold_books(tx: Tx, programme_id: UUID) -> None:
    """Let one close of a programme run at a time, until the end of the transaction.

    An advisory lock and not the programme's row: sales put foreign keys on that row and would
    wait for the close. It only makes a second close wait; the keys on a closing day and on a
    claimed leg are what makes a second effect impossible.
    """
    await take_turn(tx, f"settlement:{programme_id}")


async def last_closing_dates(tx: Tx, programme_ids: Collection[UUID]) -> dict[UUID, date]:
    """The day that each programme closed last; a programme that never closed is left out."""
    query = select(CloseRow.programme_id, func.max(CloseRow.closing_date)).group_by(CloseRow.programme_id)
    query = query.where(CloseRow.programme_id.in_(list(programme_ids)))
    return {row[0]: row[1] for row in await tx.connection.execute(query)}


async def last_close(tx: Tx, programme_id: UUID) -> LastClose | None:
    query = select(CloseRow.closing_date, CloseRow.cutoff_at, CloseRow.late_since)
    query = query.where(CloseRow.programme_id == programme_id).order_by(CloseRow.closing_date.desc()).limit(1)
    row = (await tx.connection.execute(query)).one_or_none()
    return LastClose(*row) if row else None


async def find_closes(
    tx: Tx,
    *,
    programme_id: UUID | None = None,
    closing_date: date | None = None,
    close_id: UUID | None = None,
) -> list[ClosedBooks]:
    """Closes with the sums of their statements, newest first."""
    payout = func.coalesce(func.sum(StatementRow.payout_yen), 0)
    query = (
        select(*CloseRow.__table__.columns, func.count(StatementRow.id).label("statements"), payout.label("payout_yen"))
        .outerjoin(StatementRow, StatementRow.close_id == CloseRow.id)
        .group_by(CloseRow.id)
        .order_by(CloseRow.closing_date.desc())
    )
    if programme_id is not None:
        query = query.where(CloseRow.programme_id == programme_id)
    if closing_date is not None:
        query = query.where(CloseRow.closing_date == closing_date)
    if close_id is not None:
        query = query.where(CloseRow.id == close_id)
    return [_closed(row) for row in await tx.connection.execute(query)]


async def stores_and_positions(tx: Tx, programme_id: UUID) -> list[StoreToTell]:
    """Every store that is there, with what its last statement of the programme left open; by code."""
    last = last_positions(programme_id)
    who = payees().subquery("who")
    carried, receivable = func.coalesce(last.c.carried_yen, 0), func.coalesce(last.c.receivable_yen, 0)
    query = (
        select(who.c.store_id, who.c.merchant_id, who.c.store_class, carried, receivable)
        .outerjoin(last, last.c.store_id == who.c.store_id)
        .order_by(who.c.store_code)
    )
    return [StoreToTell(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in await tx.connection.execute(query)]


async def insert_close(tx: Tx, books: ClosedBooks, late_since: datetime | None) -> None:
    await tx.connection.execute(
        insert(CloseRow).values(
            id=books.id,
            programme_id=books.programme_id,
            closing_date=books.closing_date,
            cutoff_at=books.cutoff_at,
            transfer_date=books.transfer_date,
            final=books.final,
            closed_at=books.closed_at,
            late_since=late_since,
        )
    )


async def insert_statements(tx: Tx, statements: Sequence[IssuedStatement]) -> None:
    if statements:
        await tx.connection.execute(insert_rows(StatementRow, [_row(statement) for statement in statements]))


async def oldest_unclaimed(tx: Tx, programme_ids: Collection[UUID], before: datetime) -> dict[UUID, datetime]:
    """The instant of each programme's oldest leg before an instant that no statement has taken in."""
    left = unclaimed(programme_ids, before)
    query = select(left.c.programme_id, func.min(left.c.effective_at)).group_by(left.c.programme_id)
    return {row[0]: row[1] for row in await tx.connection.execute(query)}


def unclaimed(programme_ids: Collection[UUID], before: datetime) -> Subquery:
    """Legs before an instant that no statement has taken in."""
    leg = legs_before(programme_ids, before).subquery("candidate")
    taken = exists().where(ClaimRow.leg_id == leg.c.id)
    return select(leg).where(~taken).subquery("unclaimed")


def last_positions(programme_id: UUID) -> Subquery:
    """What each store's latest statement of the programme left open."""
    latest = (
        select(
            StatementRow.store_id,
            StatementRow.carried_out_yen.label("carried_yen"),
            StatementRow.receivable_out_yen.label("receivable_yen"),
        )
        .ext(distinct_on(StatementRow.store_id))
        .join(CloseRow, CloseRow.id == StatementRow.close_id)
        .where(StatementRow.programme_id == programme_id)
        .order_by(StatementRow.store_id, CloseRow.closing_date.desc())
    )
    return latest.subquery("last")


def _closed(row: Any) -> ClosedBooks:
    return ClosedBooks(
        id=row.id,
        programme_id=row.programme_id,
        closing_date=row.closing_date,
        cutoff_at=row.cutoff_at,
        transfer_date=row.transfer_date,
        final=row.final,
        closed_at=row.closed_at,
        statements=row.statements,
        payout_yen=int(row.payout_yen),
    )


def _row(statement: IssuedStatement) -> dict[str, Any]:
    figures = statement.figures
    return {
        "id": statement.id,
        "number": statement.number,
        "close_id": statement.close_id,
        "programme_id": statement.programme_id,
        "store_id": statement.store_id,
        "merchant_id": statement.merchant_id,
        "payments": figures.payments_count,
        "gross_yen": figures.payments_yen,
        "cancelled_yen": figures.cancelled_yen,
        "refunded_yen": figures.refunded_yen,
        "fee_bp": figures.fee_bp,
        "tax_bp": figures.tax_bp,
        "fee_yen": figures.fee_yen,
        "fee_tax_yen": figures.fee_tax_yen,
        "net_yen": figures.net_yen,
        "carried_in_yen": figures.carried_in_yen,
        "receivable_in_yen": figures.receivable_in_yen,
        "payout_yen": figures.payout_yen,
        "carried_out_yen": figures.carried_out_yen,
        "receivable_out_yen": figures.receivable_out_yen,
    }
