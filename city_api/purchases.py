"""Undo a purchase of which nothing was used; the money goes back through its channel."""

from datetime import datetime
from uuid import UUID

from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Reason, ShortText
from services.kit.numbers import NumberMistyped, parse_number
from services.wallets.buy import NUMBER_PREFIX, Undo, undo
from services.wallets.purchase import Purchase, PurchaseNotUndoable

routes = router("purchases")


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


@routes.post("/purchases/{number}/undo", responses=refuses(NumberMistyped, PurchaseNotUndoable))
async def undo_purchase(
    number: ShortText, body: UndoRequest, token: Officer, here: Here, command: Command
) -> PurchaseAnswer:
    """Undo a whole unused purchase and return its money."""
    asked = Undo(parse_number(number, prefix=NUMBER_PREFIX), body.reason, token.account_id)
    done = await command.perform(token.account_id, "city.purchase.undo", undo, asked, Purchase)
    if done.checkout_id is not None:
        # After the commit, and again after a replay: the channel returns the money once.
        await here.checkout.refund(done.checkout_id, done.price_yen, done.id)
    return PurchaseAnswer.of(done)
