"""What a store is owed and paid, for its owner and managers."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header, Response
from fastapi.responses import PlainTextResponse

from infra.http.apps import router
from infra.http.auth import StoreStaff
from infra.http.context import Here
from infra.http.paging import PageSize, paged
from infra.http.statements import StatementAnswer, StatementsAnswer, statement_answer, statement_page
from merchant_api.stores import AtStore
from services.kit.db import Tx
from services.settlement import read
from services.settlement.paper import StatementPaper, StatementRecord

routes = router("statements")


@dataclass(frozen=True)
class _One:
    at: AtStore
    statement_id: UUID


@dataclass(frozen=True)
class _Page:
    at: AtStore
    after: UUID | None
    limit: int


@routes.get("/stores/{store_id}/statements")
async def list_statements(
    store_id: UUID, token: StoreStaff, here: Here, after: UUID | None = None, limit: PageSize = 100
) -> StatementsAnswer:
    """The store's statements of all programmes, newest first; ask on with `after` = `next` until that is null."""
    asked = _Page(AtStore(store_id, token.account_id), after, limit)
    shown, following = paged(await here.database.transact(_list, asked), limit, lambda each: each.statement.id)
    return StatementsAnswer(statements=[statement_answer(each) for each in shown], next=following)


@routes.get("/stores/{store_id}/statements/{statement_id}.txt", response_class=PlainTextResponse)
async def get_statement_text(
    store_id: UUID,
    statement_id: UUID,
    token: StoreStaff,
    here: Here,
    accept_language: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """A statement in words, in the language of `Accept-Language`."""
    paper = await here.database.transact(_find, _One(AtStore(store_id, token.account_id), statement_id))
    return PlainTextResponse(statement_page(paper, accept_language))


@routes.get("/stores/{store_id}/statements/{statement_id}")
async def get_statement(store_id: UUID, statement_id: UUID, token: StoreStaff, here: Here) -> StatementAnswer:
    """One statement, to the yen."""
    paper = await here.database.transact(_find, _One(AtStore(store_id, token.account_id), statement_id))
    return statement_answer(paper.record)


async def _list(tx: Tx, page: _Page) -> tuple[StatementRecord, ...]:
    at, limit = page.at, page.limit + 1
    return await read.statements_of_store(tx, at.account_id, at.store_id, after=page.after, limit=limit)


async def _find(tx: Tx, asked: _One) -> StatementPaper:
    return await read.paper_of_store(tx, asked.at.account_id, asked.at.store_id, asked.statement_id)
