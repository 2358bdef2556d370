"""Close a programme's books for its stores, read what each is told, record money that came in."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Header, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import CityStaff, Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.statements import StatementAnswer, statement_answer, statement_page
from infra.http.strict import AmountYen, Answer, Body, Day, ShortText
from services.campaigns.programme import ProgrammeUnknown
from services.kit.db import Tx
from services.settlement import read
from services.settlement.books import ClosedBooks
from services.settlement.calendar import CalendarNotCertain
from services.settlement.close import Close, CloseUnderWay, close
from services.settlement.closings import ClosingNotOver, ClosingOutOfOrder, NotAClosingDate
from services.settlement.money_in import MoneyIn, MoneySource, RecordedMoney, record_money_in
from services.settlement.paper import StatementRecord

routes = router("closes")


class CloseRequest(Body):
    closing_date: Day = Field(description="A day of the programme's calendar that is over in Japan.")


class CloseAnswer(Answer):
    """A close: its statements and what they come to."""

    id: UUID
    closing_date: date
    cutoff_at: datetime
    transfer_date: date
    final: bool
    closed_at: datetime
    statements: int
    payout_yen: int


class ClosesAnswer(Answer):
    closes: list[CloseAnswer]


class MoneyInRequest(Body):
    """Money that reached the programme's bank account."""

    source: Literal["channel", "funder", "grant_budget"] = Field(
        description="Who settles: the sales channel, the premium's funder, the budget for grants."
    )
    amount_yen: AmountYen


class MoneyInAnswer(Answer):
    money_in_id: UUID
    source: str
    amount_yen: int


class CloseStatementsAnswer(Answer):
    statements: list[StatementAnswer]
    next: str | None = Field(description="What to send as `after_store` for the following ones; null on the last page.")


@dataclass(frozen=True)
class _Page:
    close_id: UUID
    after_store: str | None
    limit: int


@routes.post(
    "/programmes/{code}/closes",
    status_code=201,
    responses=refuses(
        ProgrammeUnknown, CloseUnderWay, NotAClosingDate, ClosingNotOver, ClosingOutOfOrder, CalendarNotCertain
    ),
)
async def close_books(code: ShortText, body: CloseRequest, token: Officer, command: Command) -> CloseAnswer:
    """Close a day; a day that is closed already answers as it was closed."""
    asked = Close(code, body.closing_date, token.account_id)
    return CloseAnswer.of(await command.perform(token.account_id, "city.close", close, asked, ClosedBooks))


@routes.get("/programmes/{code}/closes", responses=refuses(ProgrammeUnknown))
async def list_closes(code: ShortText, _token: CityStaff, here: Here) -> ClosesAnswer:
    """A programme's closes, newest first."""
    found = await here.database.transact(read.closes_of, code)
    return ClosesAnswer(closes=[CloseAnswer.of(each) for each in found])


@routes.get("/closes/{close_id}/statements")
async def list_statements(
    close_id: UUID,
    _token: CityStaff,
    here: Here,
    after_store: ShortText | None = None,
    limit: PageSize = 500,
) -> CloseStatementsAnswer:
    """The statements of a close by store code."""
    found = await here.database.transact(_list, _Page(close_id, after_store, limit))
    shown, following = paged(found, limit, lambda each: each.store_code)
    return CloseStatementsAnswer(statements=[statement_answer(each) for each in shown], next=following)


@routes.get("/statements/{statement_id}.txt", response_class=PlainTextResponse)
async def get_statement_text(
    statement_id: UUID,
    _token: CityStaff,
    here: Here,
    accept_language: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """A statement in words, in the language of `Accept-Language`."""
    paper = await here.database.transact(read.statement_paper, statement_id)
    return PlainTextResponse(statement_page(paper, accept_language))


@routes.post("/programmes/{code}/money-in", status_code=201, responses=refuses(ProgrammeUnknown))
async def record_money(code: ShortText, body: MoneyInRequest, token: Officer, command: Command) -> MoneyInAnswer:
    """Record that a receivable was settled at the bank."""
    asked = MoneyIn(code, MoneySource(body.source), body.amount_yen, token.account_id)
    return MoneyInAnswer.of(
        await command.perform(token.account_id, "city.money_in", record_money_in, asked, RecordedMoney)
    )


async def _list(tx: Tx, page: _Page) -> tuple[StatementRecord, ...]:
    await read.closed_books(tx, page.close_id)
    return await read.statements_of_close(tx, page.close_id, after_store=page.after_store, limit=page.limit + 1)
