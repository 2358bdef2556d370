"""Closed books: what a close has fixed, the statement of each store, and what both write in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.ledger.chart import Account
from services.ledger.journal import Journal, JournalKind, Posting, entry
from services.settlement.statement import Statement


@dataclass(frozen=True)
class ClosedBooks:
    """One close of one programme. `transfer_date` is when its payouts are due, `payout_yen` their sum."""

    id: UUID
    programme_id: UUID
    closing_date: date
    cutoff_at: datetime
    transfer_date: date
    final: bool
    closed_at: datetime
    statements: int
    payout_yen: int


@dataclass(frozen=True)
class IssuedStatement:
    """A store's statement of one close, under the short number that people read."""

    id: UUID
    number: str
    close_id: UUID
    programme_id: UUID
    store_id: UUID
    merchant_id: UUID
    figures: Statement


@dataclass(frozen=True)
class Payout:
    """A statement's money on its way, in yen above zero."""

    statement_id: UUID
    programme_id: UUID
    store_id: UUID
    amount_yen: int


def close_journals(statements: Sequence[IssuedStatement]) -> list[Journal]:
    """A journal a statement; none where nothing was sold and nothing moves."""
    told = [(statement, _close_postings(statement)) for statement in statements]
    return [
        entry(statement.programme_id, JournalKind.CLOSE, statement.id, postings)
        for statement, postings in told
        if any(posting.amount_yen for posting in postings)
    ]


def sent_journals(payouts: Sequence[Payout]) -> list[Journal]:
    """The bank has the file: what was due to each store is on its way."""
    return [
        entry(
            payout.programme_id,
            JournalKind.SENT,
            payout.statement_id,
            (
                Posting(Account.PAYOUT_DUE, payout.amount_yen, payout.store_id),
                Posting(Account.BANK_CLEARING, -payout.amount_yen),
            ),
        )
        for payout in payouts
    ]


def paid_journals(payouts: Sequence[Payout]) -> list[Journal]:
    """The bank has paid: what was on its way has left the account."""
    return [
        entry(
            payout.programme_id,
            JournalKind.PAID,
            payout.statement_id,
            (
                Posting(Account.BANK_CLEARING, payout.amount_yen),
                Posting(Account.BANK, -payout.amount_yen),
            ),
        )
        for payout in payouts
    ]


def _close_postings(statement: IssuedStatement) -> tuple[Posting, ...]:
    """Sales become fee, tax and what is due; `payout_due` and `store_receivable` end as the statement says.

    After it the store's `payout_due` holds its carry and its payouts that no bank was told
    yet, and its `store_receivable` what it owes.
    """
    figures = statement.figures
    due = figures.payout_yen + figures.carried_out_yen - figures.carried_in_yen
    return (
        Posting(Account.STORE_PAYABLE, figures.net_sales_yen, statement.store_id),
        Posting(Account.FEE_INCOME, -figures.fee_yen),
        Posting(Account.FEE_TAX, -figures.fee_tax_yen),
        Posting(Account.PAYOUT_DUE, -due, statement.store_id),
        Posting(
            Account.STORE_RECEIVABLE,
            figures.receivable_out_yen - figures.receivable_in_yen,
            statement.store_id,
        ),
    )
