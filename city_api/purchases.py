"""Undo a purchase of which nothing was used; the money goes back through its channel."""

import logging
from datetime import datetime
from uuid import UUID

from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.kit.numbers import parse_number
from services.wallets.buy import NUMBER_PREFIX, Undo, return_money, undo
from services.wallets.purchase import Purchase, PurchaseNotUndoable

routes = router("purchases")
log = logging.getLogger(__name__)


class UndoRequest(Body):
    reason: Reason


class PurchaseAnswer(Answer):
    id: UUID
    number: str
    status: str
    units: int
    price_yen: int
    points: int
    paid_at: datetime | None


@routes.post("/purchases/{number}/undo", responses=refuses(*NUMBER_REFUSALS, PurchaseNotUndoable))
async def undo_purchase(
    number: ShortText, body: UndoRequest, token: Officer, here: Here, command: Command
) -> PurchaseAnswer:
    """Undo a whole unused purchase. Its money goes back through its channel, now or as soon as that answers."""
    asked = Undo(parse_number(number, prefix=NUMBER_PREFIX), body.reason, token.account_id)
    done = await command.perform(token.account_id, "city.purchase.undo", undo, asked, Purchase)
    try:
        await return_money(here.database, here.checkout, done)
    except Exception:  # it is undone all the same, and the platform's own job tries again
        log.exception("the money of the undone purchase %s did not go back yet", done.number)
    return PurchaseAnswer.of(done)
