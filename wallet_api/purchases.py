"""Buy points: reserve, pay at the channel's own page, and hear from the channel by its webhook."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field, StringConstraints, ValidationError

import locales
from infra.http.apps import router
from infra.http.auth import PUBLIC, Resident
from infra.http.context import Context, Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.problems import InvalidRequest, MalformedJson, describe_fields
from infra.http.strict import AmountYen, Answer, Body, Count, ShortText, read_json
from infra.http.webhooks import WebhookStale, WebhookUnsigned, verify
from services.campaigns.programme import NotOnSale, ProgrammeUnknown, StockExhausted
from services.kit.db import Tx
from services.kit.errors import Busy, Missing
from services.residency.residency import ResidencyUnproven
from services.wallets import buy, read
from services.wallets.checkout import CheckoutRequest
from services.wallets.purchase import CapExceeded, Purchase, UnitsInvalid
from services.wallets.wallet import WalletSuspended
from wallet_api.wallets import Mine, wallet_in_hand

routes = router("purchases")
log = logging.getLogger(__name__)

RETRY_SECONDS = 5
_OUTCOMES = {"checkout.paid": True, "checkout.cancelled": False}


class PurchaseRequest(Body):
    """Whole units of a programme; a unit's price and points are in its terms."""

    programme: ShortText = Field(examples=["starlight-2020"])
    units: Count


class PurchaseAnswer(Answer):
    """A purchase; points are in the wallet once it is `paid`."""

    id: UUID
    number: str
    status: str = Field(description="`reserved`, `paid`, `lapsed`, `late`, `returned` or `undone`.")
    units: int
    price_yen: int
    points: int
    reserved_until: datetime = Field(description="Pay before this, or the reservation lapses.")
    paid_at: datetime | None
    money_returned_at: datetime | None = Field(description="When the money of a late or undone purchase went back.")


class ReservedAnswer(PurchaseAnswer):
    """A new purchase, and where to pay for it."""

    checkout_url: str


class PurchasesAnswer(Answer):
    """One page, newest first; ask on with `after` = `next` until that is null."""

    purchases: list[PurchaseAnswer]
    next: UUID | None


class CheckoutData(BaseModel):
    """Which payment a webhook speaks of; a channel may send more than we read."""

    checkout_id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
    purchase_id: UUID
    amount_yen: AmountYen


class CheckoutEvent(BaseModel):
    """A channel's message."""

    type: ShortText
    data: CheckoutData


@dataclass(frozen=True)
class _OnePurchase:
    mine: Mine
    purchase_id: UUID


@dataclass(frozen=True)
class _Page:
    mine: Mine
    after: UUID | None
    limit: int


@routes.post(
    "/wallets/{wallet_id}/purchases",
    status_code=201,
    responses=refuses(
        ProgrammeUnknown, NotOnSale, UnitsInvalid, CapExceeded, StockExhausted, WalletSuspended, ResidencyUnproven
    ),
)
async def start_purchase(
    wallet_id: UUID, body: PurchaseRequest, token: Resident, here: Here, command: Command
) -> ReservedAnswer:
    """Reserve units for half an hour, and send the resident to `checkout_url` to pay."""
    asked = buy.Buy(wallet_id, token.account_id, body.programme, body.units)
    purchase = await command.perform(token.account_id, "wallet.purchase", buy.reserve, asked, Purchase)
    url = await _open_checkout(here, purchase, body.programme)
    return ReservedAnswer(**PurchaseAnswer.of(purchase).model_dump(), checkout_url=url)


@routes.get("/wallets/{wallet_id}/purchases")
async def list_purchases(
    wallet_id: UUID,
    token: Resident,
    here: Here,
    after: UUID | None = None,
    limit: PageSize = 100,
) -> PurchasesAnswer:
    """The wallet's purchases, newest first."""
    asked = _Page(Mine(wallet_id, token.account_id), after, limit)
    shown, following = paged(await here.database.transact(_list, asked), limit, lambda each: each.id)
    return PurchasesAnswer(purchases=[PurchaseAnswer.of(purchase) for purchase in shown], next=following)


@routes.get("/wallets/{wallet_id}/purchases/{purchase_id}")
async def get_purchase(wallet_id: UUID, purchase_id: UUID, token: Resident, here: Here) -> PurchaseAnswer:
    """Where a purchase stands."""
    asked = _OnePurchase(Mine(wallet_id, token.account_id), purchase_id)
    return PurchaseAnswer.of(await here.database.transact(_find, asked, direct=True))


@routes.post(
    "/checkout/webhook",
    dependencies=[PUBLIC],
    status_code=204,
    responses=refuses(WebhookUnsigned, WebhookStale, MalformedJson, InvalidRequest, Missing),
)
async def hear_checkout(request: Request, here: Here) -> Response:
    """For the payment channel, not for apps: a message signed by the Standard Webhooks scheme.

    Once, twice, late or out of order: the effect is one. Types that we do not know are taken
    and left alone. Money of another amount than was asked is held and sent back.
    """
    body = await request.body()
    verify(here.webhook_secret, request.headers, body, here.clock.now())
    content = read_json(body)
    kind = content.get("type") if isinstance(content, dict) else None
    if isinstance(kind, str) and kind in _OUTCOMES:
        await here.database.transact(_hear, (_read_event(content), _OUTCOMES[kind]))
    return Response(status_code=204)


def _read_event(content: object) -> CheckoutEvent:
    try:
        return CheckoutEvent.model_validate(content)
    except ValidationError as error:
        raise InvalidRequest(fields=describe_fields(error.errors())) from error


async def _open_checkout(here: Context, purchase: Purchase, programme: str) -> str:
    """The channel's page for a purchase; asked for again after a replay, the channel knows it."""
    description = locales.text(
        "ja", "checkout.description", programme=programme, units=purchase.units, number=purchase.number
    )
    asked = CheckoutRequest(
        purchase.id, purchase.price_yen, description, f"{here.public_url}/", purchase.reserved_until
    )
    try:
        session = await here.checkout.create(asked)
    except Exception as error:  # whatever ails the channel: the reservation stands, and the same id goes on
        log.exception("the channel opened no checkout for purchase %s", purchase.number)
        raise Busy(retry_after_seconds=RETRY_SECONDS) from error
    await here.database.transact(buy.attach_checkout, buy.AttachCheckout(purchase.id, session.checkout_id), single=True)
    return session.url


async def _hear(tx: Tx, heard: tuple[CheckoutEvent, bool]) -> None:
    event, paid = heard
    word = buy.CheckoutWord(event.data.checkout_id, paid, event.data.amount_yen)
    try:
        await buy.hear(tx, word)
    except Missing:
        # The channel was quicker than our note of its id: its signature vouches for the purchase's.
        await buy.attach_checkout(tx, buy.AttachCheckout(event.data.purchase_id, event.data.checkout_id))
        await buy.hear(tx, word)


async def _list(tx: Tx, asked: _Page) -> list[Purchase]:
    wallet = await wallet_in_hand(tx, asked.mine)
    return await read.purchases_of(tx, wallet, after=asked.after, limit=asked.limit + 1)


async def _find(tx: Tx, asked: _OnePurchase) -> Purchase:
    return await read.purchase_of(tx, await wallet_in_hand(tx, asked.mine), asked.purchase_id)
