"""Give a wallet a printed card, replace a lost one, freeze one. The wallet and every point in it stay.

A new card takes the place of the old one in everything: points, and the limits that its holder had wished for.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets import card as cards
from services.wallets.card import Card, CardStatus
from services.wallets.closed import must_not_be_merged
from services.wallets.tables import access
from services.wallets.tables import cards as rows


@dataclass(frozen=True)
class IssueCard:
    """An officer hands a card over; `pin` as its holder typed it. An earlier card stops working."""

    wallet_number: str
    officer_id: UUID
    reason: str
    pin: str = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class IssuedCard:
    """What the card's symbol follows from; the symbol itself is stored nowhere."""

    card_id: UUID
    number: str


@dataclass(frozen=True)
class SetCardStatus:
    number: str
    status: CardStatus
    reason: str
    officer_id: UUID


async def issue_card(tx: Tx, command: IssueCard) -> IssuedCard:
    """Raises CardPinInvalid, WalletMerged, and Missing for an unknown wallet."""
    pin = cards.new_pin(command.pin)
    found = await access.find_wallet(tx, number=command.wallet_number)
    wallet = None if found is None else await access.lock_wallet(tx, found.id)
    if wallet is None:
        raise Missing
    await must_not_be_merged(tx, wallet)
    own = await rows.own_limits_of(tx, wallet.id)
    await rows.replace_cards(tx, wallet.id)
    card_id = tx.new_id()
    number = tx.new_number(cards.NUMBER_PREFIX, cards.NUMBER_LENGTH)
    made = Card(card_id, number, wallet.id, CardStatus.ACTIVE, cards.pin_mac(command.key, card_id, pin), own)
    await rows.insert_card(tx, made, command.officer_id)
    await audit.record(tx, command.officer_id, "card.issued", wallet.id, card=card_id, reason=command.reason)
    return IssuedCard(card_id, number)


async def set_card_status(tx: Tx, command: SetCardStatus) -> CardStatus:
    """Freeze a card, or let it work again. Raises Missing, also for one that was replaced."""
    found = await rows.set_status(tx, command.number, command.status)
    if found is None:
        raise Missing
    action = "card.frozen" if command.status is CardStatus.FROZEN else "card.activated"
    await audit.record(tx, command.officer_id, action, found.wallet_id, card=found.id, reason=command.reason)
    return found.status
