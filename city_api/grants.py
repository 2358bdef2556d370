"""The city grants points: to one wallet, or by a list of thousands, all of them or none."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import Field

from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.edge import BODY_LIMIT, MAX_CSV_BYTES
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.problems import EdgeProblem
from infra.http.strict import Answer, Body, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.campaigns.programme import GrantBudgetExhausted, ProgrammeClosed, ProgrammeUnknown
from services.campaigns.terms import PurseUnknown
from services.wallets.grant import Grant, Granted, GrantPointsInvalid, WalletUnknown, check, grant
from services.wallets.grant_csv import ALONE, MAX_POINTS, GrantLine, GrantListInvalid, read_grants

routes = router("grants")
_REFUSALS = (ProgrammeUnknown, ProgrammeClosed, PurseUnknown, GrantBudgetExhausted)
_CSV: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "UTF-8 with the header `wallet_number,points`; at most 5 MB and 20,000 lines.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


class GrantRequest(Body):
    """Points for one resident."""

    programme: ShortText
    wallet_number: ShortText
    purse: ShortText
    points: Annotated[int, Field(strict=True, ge=1, le=MAX_POINTS, description="Whole points for one person.")]
    reason: Reason


class GrantedAnswer(Answer):
    """What was granted, or would be."""

    batch_id: UUID | None = Field(description="Null in a dry run, which changes nothing.")
    wallets: int
    points: int


@routes.post(
    "/grants",
    status_code=201,
    responses=refuses(*_REFUSALS, *NUMBER_REFUSALS, WalletUnknown, GrantPointsInvalid),
)
async def grant_points(body: GrantRequest, token: Officer, command: Command) -> GrantedAnswer:
    """Grant points to one wallet."""
    line = GrantLine(ALONE, wallet_number(body.wallet_number), body.points)
    asked = Grant(body.programme, body.purse, body.reason, token.account_id, (line,))
    return GrantedAnswer.of(await command.perform(token.account_id, "city.grant", grant, asked, Granted))


async def csv_body(request: Request) -> bytes:
    """The list, up to its own limit. Raises 415 for another type of content."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "text/csv":
        raise EdgeProblem(415, "unsupported_media_type", expected="text/csv")
    request.scope[BODY_LIMIT] = MAX_CSV_BYTES
    return await request.body()


@routes.post(
    "/grants/batches",
    status_code=201,
    openapi_extra=_CSV,
    responses=refuses(*_REFUSALS, GrantListInvalid),
)
async def grant_by_list(
    programme: ShortText,
    purse: ShortText,
    reason: Reason,
    token: Officer,
    here: Here,
    command: Command,
    content: Annotated[bytes, Depends(csv_body)],
    dry_run: Annotated[bool, Query(description="Check everything and change nothing.")] = False,
) -> GrantedAnswer:
    """Grant by a list. Problems come all together, each with its line and column."""
    asked = Grant(programme, purse, reason, token.account_id, read_grants(content))
    if dry_run:
        return GrantedAnswer.of(await here.database.transact(check, asked))
    return GrantedAnswer.of(await command.perform(token.account_id, "city.grant", grant, asked, Granted))
