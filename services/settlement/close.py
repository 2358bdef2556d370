"""Close a programme's books for its stores: claim what was sold, tell each store, owe it in the ledger.

A close takes rows, not times: it claims the unclaimed, committed deeds whose instant lies
before its cut-off (midnight in Japan after the closing day). A deed that commits later with
an earlier instant goes into the next statement, so nothing on the paying path is locked.

Which stores are told: those with a claimed deed and, in a final close, those with a carry or
a debt left from before. A final close (`closings.is_final`) knows no minimum: every carry is
paid out, and a debt is stated once more. Further closes after it are final as well.
All of it is one transaction. How many statements it has follows from the time and the deeds that it closes, at some
100,000 deeds a statement, not from the stores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns.programme import Programme
from services.campaigns.terms import Settlement
from services.kit import audit
from services.kit.clock import start_of
from services.kit.db import FROM_DATABASE, LOCK_TIMEOUT, Tx, sqlstate
from services.kit.errors import Kind, Refusal
from services.kit.horizon import late_after
from services.kit.seal import look
from services.settlement.books import ClosedBooks, IssuedStatement, close_journals
from services.settlement.calendar import CERTAIN_THROUGH, BankCalendar, cutoff_instant, transfer_date
from services.settlement.closings import is_final, must_be_closable
from services.settlement.post_all import post_all
from services.settlement.statement import compute_statement
from services.settlement.tables import claims, closes
from services.settlement.tables.claims import NO_REST, ClaimedSums, Rest
from services.settlement.tables.closes import StoreToTell

STATEMENT_PREFIX, STATEMENT_LENGTH = "N", 9
RETRY_SECONDS = 30
"""A close that rests takes half a minute for a million deeds (docs/decisions/0111)."""

NOTHING_CLAIMED = ClaimedSums(payments=0, gross_yen=0, cancelled_yen=0, refunded_yen=0)


class CloseUnderWay(Refusal):
    """Somebody else is closing the programme's books, and takes longer than a lock is waited for."""

    code = "close_under_way"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Close:
    """Close one day of a programme's calendar; `officer_id` is None for the platform's own job.

    `certain_through` is the last year whose bank holidays the operator believes.
    """

    programme_code: str
    closing_date: date
    officer_id: UUID | None
    certain_through: int = CERTAIN_THROUGH


async def close(tx: Tx, command: Close, rest: Rest = NO_REST) -> ClosedBooks:
    """The close of that day: made now, or as it was made before, without another effect.

    `rest` is asked at each piece of the work that grows with what was sold; by default there is none.
    Raises `ProgrammeUnknown`, `CloseUnderWay`, `NotAClosingDate`, `ClosingNotOver`, `ClosingOutOfOrder`, and
    `CalendarNotCertain` when the transfer day is not known yet.
    """
    programme = await campaigns.published(tx, command.programme_code)
    await _hold_books(tx, programme)
    done = await closes.find_closes(tx, programme_id=programme.id, closing_date=command.closing_date)
    if done:
        return done[0]
    began = await look(tx, None)
    last = await closes.last_close(tx, programme.id)
    must_be_closable(programme.terms, command.closing_date, last.closing_date if last else None, tx.now)
    books = _open_books(tx, programme, command)
    stores = await closes.stores_and_positions(tx, programme.id)
    # Every store has its statement's id in advance, so that one search finds, claims and sums all legs.
    statement_of = {store.store_id: tx.new_id() for store in stores}
    late_since = late_after(began, await look(tx, None))
    opened_at = start_of(programme.terms.use.first)
    claimed = await claims.claim(tx, programme.id, opened_at, books.cutoff_at, last, statement_of, rest)
    await closes.insert_close(tx, books, late_since)
    stores = [store for store in stores if store.store_id in claimed or (books.final and store.is_open)]
    statements = _statements(tx, books, programme.terms.settlement, stores, statement_of, claimed)
    await closes.insert_statements(tx, statements)
    await rest(tx)
    await post_all(tx, close_journals(statements))
    await rest(tx)
    books = replace(
        books,
        statements=len(statements),
        payout_yen=sum(statement.figures.payout_yen for statement in statements),
    )
    await audit.record(
        tx,
        command.officer_id,
        "settlement.closed",
        books.id,
        programme=programme.code,
        closing_date=books.closing_date,
        statements=books.statements,
        payout_yen=books.payout_yen,
    )
    return books


async def _hold_books(tx: Tx, programme: Programme) -> None:
    try:
        await closes.hold_books(tx, programme.id)
    except FROM_DATABASE as error:
        if sqlstate(error) != LOCK_TIMEOUT:
            raise
        raise CloseUnderWay(programme=programme.code, retry_after_seconds=RETRY_SECONDS) from error


def _open_books(tx: Tx, programme: Programme, command: Close) -> ClosedBooks:
    lag = programme.terms.settlement.lag_business_days
    return ClosedBooks(
        id=tx.new_id(),
        programme_id=programme.id,
        closing_date=command.closing_date,
        cutoff_at=cutoff_instant(command.closing_date),
        transfer_date=transfer_date(command.closing_date, lag, BankCalendar(command.certain_through)),
        final=is_final(programme.terms, command.closing_date),
        closed_at=tx.now,
        statements=0,
        payout_yen=0,
    )


def _statements(
    tx: Tx,
    books: ClosedBooks,
    settlement: Settlement,
    stores: Sequence[StoreToTell],
    statement_of: Mapping[UUID, UUID],
    claimed: Mapping[UUID, ClaimedSums],
) -> list[IssuedStatement]:
    """One statement a store, in the order given, each continuing the store's one before."""
    issued = []
    for store in stores:
        sums = claimed.get(store.store_id, NOTHING_CLAIMED)
        figures = compute_statement(
            payments_yen=sums.gross_yen,
            payments_count=sums.payments,
            cancelled_yen=sums.cancelled_yen,
            refunded_yen=sums.refunded_yen,
            carried_in_yen=store.carried_yen,
            receivable_in_yen=store.receivable_yen,
            fee_bp=settlement.fee_bp(store.store_class),
            tax_bp=settlement.fee_tax_bp,
            minimum_payout_yen=settlement.minimum_payout_yen,
            final=books.final,
        )
        issued.append(
            IssuedStatement(
                id=statement_of[store.store_id],
                number=tx.new_number(STATEMENT_PREFIX, STATEMENT_LENGTH),
                close_id=books.id,
                programme_id=books.programme_id,
                store_id=store.store_id,
                merchant_id=store.merchant_id,
                figures=figures,
            )
        )
    return issued
