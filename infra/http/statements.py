"""A store's statement as JSON and as text: the same for the store and for the office."""

from datetime import date, datetime
from functools import partial
from uuid import UUID

from pydantic import Field

import locales
from infra.http.strict import Answer
from services.settlement.paper import StatementPaper, StatementRecord
from services.settlement.statement_text import statement_text


class FiguresAnswer(Answer):
    """payout + carried out - receivable out = net + carried in - receivable in, in yen."""

    payments_yen: int = Field(description="Gross sales of the period.")
    payments_count: int
    cancelled_yen: int
    refunded_yen: int
    fee_bp: int
    fee_yen: int
    tax_bp: int
    fee_tax_yen: int
    net_yen: int
    carried_in_yen: int
    receivable_in_yen: int
    payout_yen: int
    carried_out_yen: int
    receivable_out_yen: int
    final: bool = Field(description="The programme's last statement pays whatever is due.")


class StatementAnswer(Answer):
    """What one store is told of one close."""

    id: UUID
    number: str
    close_id: UUID
    programme_id: UUID
    store_id: UUID
    store_code: str
    store_name: str
    closing_date: date
    transfer_date: date
    issued_at: datetime
    figures: FiguresAnswer


class StatementsAnswer(Answer):
    statements: list[StatementAnswer]
    next: UUID | None = Field(description="What to send as `after` for the following ones; null on the last page.")


def statement_answer(record: StatementRecord) -> StatementAnswer:
    statement = record.statement
    return StatementAnswer(
        id=statement.id,
        number=statement.number,
        close_id=statement.close_id,
        programme_id=statement.programme_id,
        store_id=statement.store_id,
        store_code=record.store_code,
        store_name=record.store_name,
        closing_date=record.closing_date,
        transfer_date=record.transfer_date,
        issued_at=record.issued_at,
        figures=FiguresAnswer.of(statement.figures),
    )


def statement_page(paper: StatementPaper, accept_language: str) -> str:
    """The statement in words, in the first language that the reader asks for."""
    return statement_text(paper, partial(locales.text, locales.choose(accept_language)))
