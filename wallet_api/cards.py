"""What a printed card's holder does with its number and PIN alone: for people who have no account."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import Field, StringConstraints

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.context import Context, Here
from infra.http.openapi import refuses
from infra.http.strict import AmountYen, Answer, Body, ShortText, WholeNumber
from infra.http.typed import NUMBER_REFUSALS
from services.kit.db import Tx
from services.ledger.journal import JournalKind, Movement
from services.merchants.read import stores
from services.payments.read import stores_of_movements
from services.wallets import read
from services.wallets.card import (
    Card,
    CardLimits,
    CardLimitTooHigh,
    CardPinInvalid,
    CardPinThrottled,
    CardPinWrong,
    OwnLimits,
    address_name,
    card_number,
    limits_of,
    name_of,
    nobody,
)
from services.wallets.card_pin import PinGuess, prove_pin
from services.wallets.change_card import ChangePin, LowerLimits, change_pin, lower_limits
from services.wallets.hold_card import balance_of_card, find_card, wallet_of_card
from wallet_api.wallets import PurseAnswer

routes = router("cards")

PAGE = 20
_REFUSALS = (*NUMBER_REFUSALS, CardPinInvalid, CardPinWrong, CardPinThrottled)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Pin = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=8)]


class CardBody(Body):
    """The number that is printed on the card, and its PIN."""

    number: ShortText
    pin: Pin = Field(repr=False)


class CardBalanceRequest(CardBody):
    """The number that is printed on the card, and its PIN."""


class CardLimitsAnswer(Answer):
    """What holds for the card: the lower of its holder's wish and what the city allows."""

    without_pin_yen: int = Field(description="Up to this it pays without its PIN.")
    payment_yen: int
    day_yen: int


class CardBalanceAnswer(Answer):
    """The wallet's points; the card's state does not matter, because they stay when it is lost."""

    total_points: int
    purses: list[PurseAnswer]
    limits: CardLimitsAnswer
    at: datetime


class Place(Body):
    """The last line of a page, as its `next` said."""

    instant: Annotated[int, Field(strict=True, ge=0, le=4_102_444_800_000_000)]
    deed_id: UUID
    kind: JournalKind


class CardHistoryRequest(CardBody):
    after: Place | None = Field(default=None, description="`next` of the page before; null for the newest.")


class CardMovementAnswer(Answer):
    """What one deed did to the wallet; no more than its holder would read on a slip."""

    kind: str = Field(description="`purchase`, `grant`, `payment`, `cancel`, `refund`, `expiry` …")
    at: datetime
    change_points: int = Field(description="Above zero: a gain.")
    store_name: str | None


class PlaceAnswer(Answer):
    instant: int
    deed_id: UUID
    kind: str


class CardHistoryAnswer(Answer):
    """Twenty deeds, newest first; ask on with `after` = `next` until that is null."""

    movements: list[CardMovementAnswer]
    next: PlaceAnswer | None


class CardPinRequest(CardBody):
    new_pin: Pin = Field(repr=False)


class CardPinAnswer(Answer):
    """The new PIN counts from now on, at tills as well."""

    changed: bool


class LowerLimitsRequest(CardBody):
    """What is null stays as it is; back up it goes at the counter only."""

    without_pin_yen: WholeNumber | None = Field(default=None, description="0: always with the PIN.")
    payment_yen: AmountYen | None = None
    day_yen: AmountYen | None = None


@dataclass(frozen=True)
class _Page:
    card: Card
    after: Movement | None


@routes.post("/cards/balance", dependencies=[PUBLIC], responses=refuses(*_REFUSALS))
async def read_card_balance(body: CardBalanceRequest, here: Here, request: Request) -> CardBalanceAnswer:
    """A card's balance. An unknown number is answered like a wrong PIN; tries here keep nobody from paying."""
    card = await _proven(here, request, body)
    found = await here.database.transact(balance_of_card, card)
    return CardBalanceAnswer(
        total_points=found.total_points,
        purses=[PurseAnswer.of(each) for each in found.purses],
        limits=CardLimitsAnswer.of(limits_of(card, here.card_limits)),
        at=found.at,
    )


@routes.post("/cards/history", dependencies=[PUBLIC], responses=refuses(*_REFUSALS))
async def read_card_history(body: CardHistoryRequest, here: Here, request: Request) -> CardHistoryAnswer:
    """What happened in the card's wallet, newest first."""
    card = await _proven(here, request, body)
    return await here.database.transact(_history, _Page(card, _last(body.after)))


@routes.post("/cards/pin", dependencies=[PUBLIC], responses=refuses(*_REFUSALS))
async def change_card_pin(body: CardPinRequest, here: Here, request: Request) -> CardPinAnswer:
    """Change the card's PIN by the old one. After a lost answer, one of the two is right."""
    card = await _proven(here, request, body)
    await here.database.transact(change_pin, ChangePin(card, body.new_pin, here.code_key))
    return CardPinAnswer(changed=True)


@routes.post("/cards/limits", dependencies=[PUBLIC], responses=refuses(*_REFUSALS, CardLimitTooHigh))
async def lower_card_limits(body: LowerLimitsRequest, here: Here, request: Request) -> CardLimitsAnswer:
    """Have the card pay less than the city would let it."""
    card = await _proven(here, request, body)
    wanted = OwnLimits(body.without_pin_yen, body.payment_yen, body.day_yen)
    done: CardLimits = await here.database.transact(lower_limits, LowerLimits(card, wanted, here.card_limits))
    return CardLimitsAnswer.of(done)


async def _proven(here: Context, request: Request, body: CardBody) -> Card:
    """The card whose number and PIN these are; whatever is wrong is answered alike, and costs a try alike."""
    number = card_number(body.number)
    card = await here.database.transact(find_card, number)
    # Counted by the number, whether there is such a card or not: nobody learns it from the wait.
    places = [("web", name_of(number))]
    address = None if request.client is None else address_name(here.code_key, request.client.host)
    if address is not None:
        places.insert(0, ("address", address))
    await prove_pin(here.database, PinGuess(card or nobody(number), body.pin, here.code_key, tuple(places)))
    if card is None:
        raise CardPinWrong
    return card


def _last(after: Place | None) -> Movement | None:
    """The last line of the page before, as far as the order needs it."""
    if after is None:
        return None
    return Movement(after.deed_id, after.kind, _EPOCH + after.instant * _MICROSECOND, 0)


async def _history(tx: Tx, page: _Page) -> CardHistoryAnswer:
    wallet = await wallet_of_card(tx, page.card)
    found = await read.history(tx, wallet, limit=PAGE + 1, before=page.after)
    shown = found[:PAGE]
    payments = await stores_of_movements(tx, shown)
    known = await stores(tx, {each.store_id for each in payments.values()})
    lines = []
    for each in shown:
        payment = payments.get(each.deed_id)
        store = None if payment is None else known.get(payment.store_id)
        lines.append(
            CardMovementAnswer(
                kind=each.kind.value,
                at=each.effective_at,
                change_points=each.change_yen,
                store_name=None if store is None else store.details.name,
            )
        )
    return CardHistoryAnswer(movements=lines, next=_place(shown[-1]) if len(found) > PAGE else None)


def _place(line: Movement) -> PlaceAnswer:
    instant = (line.effective_at - _EPOCH) // _MICROSECOND
    return PlaceAnswer(instant=instant, deed_id=line.deed_id, kind=line.kind.value)
