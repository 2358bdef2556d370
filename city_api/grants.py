"""The city grants points: to one wallet, or by a list of thousands, all of them or none, after a second yes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from city_api.interests import propose_grant_to_others
from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.csv_body import csv_of, described
from infra.http.edge import MAX_CSV_BYTES
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Flag, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.campaigns.programme import GrantBudgetExhausted, ProgrammeClosed, ProgrammeUnknown
from services.campaigns.terms import PurseUnknown
from services.kit.four_eyes import OwnInterest
from services.wallets.grant import Grant, GrantPointsInvalid, GrantTooEarly, WalletUnknown, check
from services.wallets.grant_csv import ALONE, MAX_POINTS, GrantLine, GrantListInvalid, read_grants
from services.wallets.propose_grant import ProposedGrant
from services.wallets.wallet import WalletMerged

routes = router("grants")
_REFUSALS = (ProgrammeUnknown, ProgrammeClosed, GrantTooEarly, PurseUnknown, GrantBudgetExhausted, OwnInterest)
_CSV = described("UTF-8 with the header `wallet_number,points`; at most 5 MB and 20,000 lines.")


class GrantRequest(Body):
    """Points for one resident."""

    programme: ShortText
    wallet_number: ShortText
    purse: ShortText
    points: Annotated[int, Field(strict=True, ge=1, le=MAX_POINTS, description="Whole points for one person.")]
    reason: Reason


class ProposedGrantAnswer(Answer):
    """What waits for the second yes: an approver says it with `POST /changes/{change_id}/approval`."""

    change_id: UUID | None = Field(description="Null in a dry run, which proposes nothing.")
    fingerprint: str | None = Field(description="Stands for the whole list; the approval names it.")
    wallets: int
    points: int


@routes.post(
    "/grants",
    status_code=201,
    responses=refuses(*_REFUSALS, *NUMBER_REFUSALS, WalletUnknown, WalletMerged, GrantPointsInvalid),
)
async def grant_points(body: GrantRequest, token: Officer, command: Command) -> ProposedGrantAnswer:
    """Propose to grant points to one wallet."""
    line = GrantLine(ALONE, wallet_number(body.wallet_number), body.points)
    asked = Grant(body.programme, body.purse, body.reason, token.account_id, (line,))
    return ProposedGrantAnswer.of(
        await command.perform(token.account_id, "city.grant.propose", propose_grant_to_others, asked, ProposedGrant)
    )


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
    content: Annotated[bytes, Depends(csv_of(MAX_CSV_BYTES))],
    dry_run: Annotated[Flag, Query(description="Check everything and change nothing.")] = False,
) -> ProposedGrantAnswer:
    """Propose to grant by a list. Problems come all together, each with its line and column."""
    asked = Grant(programme, purse, reason, token.account_id, read_grants(content))
    if dry_run:
        would_be = await here.database.transact(check, asked)
        return ProposedGrantAnswer(change_id=None, fingerprint=None, wallets=would_be.wallets, points=would_be.points)
    return ProposedGrantAnswer.of(
        await command.perform(token.account_id, "city.grant.propose", propose_grant_to_others, asked, ProposedGrant)
    )
