"""A store's statement with everything that its paper says: whose, of what, for which days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.campaigns.terms import Terms
from services.settlement.books import IssuedStatement


@dataclass(frozen=True)
class StatementRecord:
    """A statement with its close and its payee; names as they are now."""

    statement: IssuedStatement
    closing_date: date
    previous_closing_date: date | None
    """The programme's close before, None for its first."""
    transfer_date: date
    issued_at: datetime
    store_code: str
    store_name: str
    merchant_number: str
    merchant_name: str


@dataclass(frozen=True)
class StatementPaper:
    """A statement ready to be written out: `period_first` to the closing date are its days, both included;
    `registration` is the issuer's number as a qualified-invoice issuer.

    A deed that committed after its own day was closed stands in the next period's statement.
    """

    record: StatementRecord
    programme_name: str
    issuer_name: str
    period_first: date
    registration: str | None = None


def paper_of(record: StatementRecord, terms: Terms) -> StatementPaper:
    """The paper of a statement under the programme's published terms."""
    previous = record.previous_closing_date
    first = terms.use.first if previous is None else previous + timedelta(days=1)
    return StatementPaper(record, terms.name, terms.issuer.name, first, terms.issuer.invoice_number)
