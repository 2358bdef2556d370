"""Take a payment by a printed card: scanned, and above a small sum with the PIN that its holder types."""

from functools import partial
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from infra.http.apps import router
from infra.http.auth import AtCounter
from infra.http.context import Context, Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import AmountYen, Body, ScannedText
from merchant_api.payments import ReceiptAnswer
from services.campaigns.programme import ProgrammeClosed
from services.kit.errors import Refusal
from services.merchants.at_till import OwnStore, StoreSuspended
from services.payments.order import PayByCard
from services.payments.pay import pay_by_card
from services.payments.payment import StoreReceipt
from services.payments.velocity import VelocityReached
from services.wallets.card import (
    Card,
    CardFrozen,
    CardLimitReached,
    CardMalformed,
    CardPinInvalid,
    CardPinMissing,
    CardPinThrottled,
    CardPinWrong,
    CardUnknown,
    is_genuine,
    limits_of,
    number_in,
)
from services.wallets.card_pin import PinGuess, prove_pin
from services.wallets.hold_card import find_card
from services.wallets.spend import DayLimitReached, PaymentLimitReached, PointsMissing
from services.wallets.wallet import WalletSuspended

routes = router("cards")

Pin = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=8)]


class CardPaymentRequest(Body):
    """The card's symbol, what the clerk typed, and what the card's holder typed."""

    card: ScannedText = Field(repr=False)
    amount_yen: AmountYen
    pin: Pin | None = Field(default=None, repr=False, description="Asked for above a small sum.")


@routes.post(
    "/stores/{store_id}/card-payments",
    status_code=201,
    responses=refuses(
        CardMalformed,
        CardUnknown,
        CardFrozen,
        CardLimitReached,
        CardPinMissing,
        CardPinInvalid,
        CardPinWrong,
        CardPinThrottled,
        WalletSuspended,
        StoreSuspended,
        OwnStore,
        ProgrammeClosed,
        PointsMissing,
        PaymentLimitReached,
        DayLimitReached,
        VelocityReached,
    ),
)
async def take_card_payment(
    store_id: UUID, body: CardPaymentRequest, token: AtCounter, here: Here, command: Command
) -> ReceiptAnswer:
    """Take a payment by card. Without the card's own symbol nobody gets as far as its PIN."""
    card = await here.database.transact(find_card, number_in(body.card))
    if card is None or not is_genuine(here.code_key, body.card, card):
        raise CardUnknown
    asked = PayByCard(token.account_id, store_id, card.number, card.wallet_id, body.amount_yen, token.register_id)
    pay = partial(pay_by_card, velocity=here.payments.velocity, city=here.card_limits)
    try:
        await _prove_pin(here, token.account_id, card, body)
        paid = await command.perform(token.account_id, "store.pay.card", pay, asked, StoreReceipt)
    except Refusal as refusal:
        here.payments.declines.hear(asked, refusal)
        raise
    return ReceiptAnswer.of(paid)


async def _prove_pin(here: Context, account_id: UUID, card: Card, body: CardPaymentRequest) -> None:
    """Above what the card pays without it, the PIN is asked for, and counted for the card and for the clerk."""
    without_pin_yen = limits_of(card, here.card_limits).without_pin_yen
    if body.amount_yen <= without_pin_yen:
        return
    if body.pin is None:
        raise CardPinMissing(limit_yen=without_pin_yen)
    places = (("till", account_id), ("card", card.id))
    await prove_pin(here.database, PinGuess(card, body.pin, here.code_key, places))
