"""Printed cards for people without a phone: handed over, replaced, frozen."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from city_api.residency import CounterRequest
from city_api.wallets import WalletAnswer, wallet_number
from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.pictures import qr_svg
from infra.http.strict import AmountYen, Answer, Body, Reason, ShortText, WholeNumber
from infra.http.typed import NUMBER_REFUSALS
from services.residency.prove import AtTheCounter
from services.residency.residency import ResidencyDetailsInvalid
from services.wallets.card import (
    CardLimits,
    CardLimitTooHigh,
    CardPinInvalid,
    CardStatus,
    OwnLimits,
    card_number,
    card_token,
)
from services.wallets.change_card import SetCardPin, SetLimits, set_card_pin, set_limits
from services.wallets.issue_card import IssueCard, IssuedCard, SetCardStatus, issue_card, set_card_status
from services.wallets.open_at_counter import NOBODY_YET, PersonHasWallet, open_at_counter
from services.wallets.wallet import Wallet, WalletMerged

routes = router("cards")


class CardRequest(Body):
    """The PIN as the card's holder typed it at the counter, and why a card is handed over."""

    pin: Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{4}$")] = Field(repr=False)
    reason: Reason


class IssuedCardAnswer(Answer):
    """What is printed. The symbol's text is stored nowhere; the same `Idempotency-Key` answers it again."""

    card_id: UUID
    number: str
    symbol: str = Field(description="The text of the QR symbol.")
    svg: str = Field(description="The symbol as a picture, error correction Q.")


class CardPinRequest(CardRequest):
    """A new PIN as the card's holder typed it at the counter, and how the officer knew who it was."""


class CardLimitsRequest(Body):
    """What the holder wishes; null: what the city allows."""

    without_pin_yen: WholeNumber | None = Field(description="Up to this it pays without its PIN; 0: never.")
    payment_yen: AmountYen | None
    day_yen: AmountYen | None
    reason: Reason


class CardLimitsAnswer(Answer):
    """What holds from now on."""

    without_pin_yen: int
    payment_yen: int
    day_yen: int


class CardPinAnswer(Answer):
    """The new PIN counts from now on."""

    card_id: UUID


class CardStatusRequest(Body):
    status: Literal["active", "frozen"]
    reason: Reason


class CardStatusAnswer(Answer):
    status: str


@routes.post("/card-holders", status_code=201, responses=refuses(ResidencyDetailsInvalid, PersonHasWallet))
async def open_wallet_at_counter(body: CounterRequest, token: Officer, command: Command) -> WalletAnswer:
    """Open a wallet for somebody without a phone, whom an officer has seen; then hand a card over."""
    details = (body.name, body.kana, body.birth_date, body.postal_code, body.evidence)
    asked = AtTheCounter(NOBODY_YET, token.account_id, *details)
    return WalletAnswer.of(await command.perform(token.account_id, "city.holder.open", open_at_counter, asked, Wallet))


@routes.post(
    "/wallets/{number}/cards", status_code=201, responses=refuses(*NUMBER_REFUSALS, CardPinInvalid, WalletMerged)
)
async def hand_over_card(
    number: ShortText, body: CardRequest, token: Officer, here: Here, command: Command
) -> IssuedCardAnswer:
    """Hand a card over; an earlier one of the wallet stops working, and every point stays."""
    asked = IssueCard(wallet_number(number), token.account_id, body.reason, body.pin, here.code_key)
    # The PIN takes no part in the fingerprint: four digits behind an unsalted hash are four digits.
    said = (asked.wallet_number, body.reason)
    made = await command.perform(token.account_id, "city.card.issue", issue_card, asked, IssuedCard, said=said)
    symbol = card_token(here.code_key, made.number, made.card_id)
    svg = qr_svg(symbol, error_correction="Q")
    return IssuedCardAnswer(card_id=made.card_id, number=made.number, symbol=symbol, svg=svg)


@routes.post("/cards/{number}/status", responses=refuses(*NUMBER_REFUSALS))
async def change_card_status(
    number: ShortText, body: CardStatusRequest, token: Officer, command: Command
) -> CardStatusAnswer:
    """Freeze a card that was lost, or let it work again; it counts at the next payment."""
    asked = SetCardStatus(card_number(number), CardStatus(body.status), body.reason, token.account_id)
    status = await command.perform(token.account_id, "city.card.status", set_card_status, asked, CardStatus)
    return CardStatusAnswer(status=status.value)


@routes.post("/cards/{number}/pin", responses=refuses(*NUMBER_REFUSALS, CardPinInvalid))
async def set_card_pin_at_counter(
    number: ShortText, body: CardPinRequest, token: Officer, here: Here, command: Command
) -> CardPinAnswer:
    """Let the holder, whom an officer has identified, choose another PIN; the old one is not needed."""
    asked = SetCardPin(card_number(number), token.account_id, body.reason, body.pin, here.code_key)
    # As above: the PIN takes no part in the fingerprint.
    said = (asked.number, body.reason)
    card_id = await command.perform(token.account_id, "city.card.pin", set_card_pin, asked, UUID, said=said)
    return CardPinAnswer(card_id=card_id)


@routes.post("/cards/{number}/limits", responses=refuses(*NUMBER_REFUSALS, CardLimitTooHigh))
async def set_card_limits(
    number: ShortText, body: CardLimitsRequest, token: Officer, here: Here, command: Command
) -> CardLimitsAnswer:
    """Set what the card pays without its PIN, at once and a day, as its holder wishes; never above the city's."""
    wanted = OwnLimits(body.without_pin_yen, body.payment_yen, body.day_yen)
    asked = SetLimits(card_number(number), token.account_id, body.reason, wanted, here.card_limits)
    done = await command.perform(token.account_id, "city.card.limits", set_limits, asked, CardLimits)
    return CardLimitsAnswer.of(done)
