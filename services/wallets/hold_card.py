"""Look at a card, and hold it for a payment: it works, and the sum is within what it may pay."""

from uuid import UUID

from services.kit.clock import civil_date
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets import read
from services.wallets.card import (
    Card,
    CardFrozen,
    CardLimitReached,
    CardLimits,
    CardStatus,
    CardUnknown,
    limits_of,
    must_be_within_limits,
)
from services.wallets.read import Balance
from services.wallets.tables import access
from services.wallets.tables import cards as rows
from services.wallets.wallet import Wallet


async def find_card(tx: Tx, number: str) -> Card | None:
    return await rows.find_card(tx, number)


async def hold_card(tx: Tx, number: str, amount_yen: int, city: CardLimits) -> UUID:
    """The wallet of a card that works; the sum is counted to its day. Nobody freezes it until the deed has ended.

    Raises CardUnknown, CardFrozen and CardLimitReached.
    """
    card = await rows.find_card(tx, number, hold=True)
    if card is None:
        raise CardUnknown
    if card.status is not CardStatus.ACTIVE:
        raise CardFrozen
    limits = limits_of(card, city)
    must_be_within_limits(amount_yen, limits)
    if not await rows.count_spent(tx, card.id, civil_date(tx.now), amount_yen, limits.day_yen):
        raise CardLimitReached(limit_yen=limits.payment_yen, day_limit_yen=limits.day_yen)
    return card.wallet_id


async def balance_of_card(tx: Tx, card: Card) -> Balance:
    """What the card's wallet holds, whether the card is frozen or not. Raises Missing."""
    return await read.balance(tx, await wallet_of_card(tx, card))


async def wallet_of_card(tx: Tx, card: Card) -> Wallet:
    """Raises Missing."""
    wallet = await access.find_wallet(tx, wallet_id=card.wallet_id)
    if wallet is None:
        raise Missing
    return wallet
