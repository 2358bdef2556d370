"""What a printed card's wallet holds, by its number and PIN: for people who have no account."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.wallets.card import CardPinInvalid, CardPinThrottled, CardPinWrong, card_number, name_of, nobody
from services.wallets.card_pin import PinGuess, prove_pin
from services.wallets.hold_card import balance_of_card, find_card
from wallet_api.wallets import PurseAnswer

routes = router("cards")


class CardBalanceRequest(Body):
    """The number that is printed on the card, and its PIN."""

    number: ShortText
    pin: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=8)] = Field(repr=False)


class CardBalanceAnswer(Answer):
    """The wallet's points; the card's state does not matter, because they stay when it is lost."""

    total_points: int
    purses: list[PurseAnswer]
    at: datetime


@routes.post(
    "/cards/balance",
    dependencies=[PUBLIC],
    responses=refuses(*NUMBER_REFUSALS, CardPinInvalid, CardPinWrong, CardPinThrottled),
)
async def read_card_balance(body: CardBalanceRequest, here: Here) -> CardBalanceAnswer:
    """A card's balance. An unknown number is answered like a wrong PIN; tries here keep nobody from paying."""
    number = card_number(body.number)
    card = await here.database.transact(find_card, number)
    # Counted by the number, whether there is such a card or not: nobody learns it from the wait.
    places = (("web", name_of(number)),)
    await prove_pin(here.database, PinGuess(card or nobody(number), body.pin, here.code_key, places))
    if card is None:
        raise CardPinWrong
    return CardBalanceAnswer.of(await here.database.transact(balance_of_card, card))
