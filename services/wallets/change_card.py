"""Change what a card's holder decides: its PIN, and limits below the city's.

Law: whoever has number and PIN changes the PIN and makes limits lower; back up they go at the counter only, so that a
stolen card with its PIN is never worth more than its holder wanted. At the counter an officer says why.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets.card import (
    Card,
    CardLimits,
    CardPinWrong,
    OwnLimits,
    limits_of,
    must_not_exceed,
    new_pin,
    pin_mac,
)
from services.wallets.tables import cards as rows


@dataclass(frozen=True)
class ChangePin:
    """`card` as its PIN was proven."""

    card: Card
    pin: str = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class LowerLimits:
    """`card` as its PIN was proven; what is None stays as it is."""

    card: Card
    wanted: OwnLimits
    city: CardLimits


@dataclass(frozen=True)
class SetCardPin:
    """An officer, to whom the holder has come; `pin` as the holder typed it."""

    number: str
    officer_id: UUID
    reason: str
    pin: str = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class SetLimits:
    """An officer sets all three as the holder wishes; None: the city's."""

    number: str
    officer_id: UUID
    reason: str
    wanted: OwnLimits
    city: CardLimits


async def change_pin(tx: Tx, command: ChangePin) -> None:
    """Raises CardPinInvalid, and CardPinWrong for a PIN that was changed meanwhile and a card that was replaced."""
    card = command.card
    mac = pin_mac(command.key, card.id, new_pin(command.pin))
    if not await rows.set_pin(tx, card.id, card.pin_mac, mac):
        raise CardPinWrong
    await audit.record(tx, None, "card.pin_changed", card.wallet_id, card=card.id, by="holder")


async def set_card_pin(tx: Tx, command: SetCardPin) -> UUID:
    """Raises CardPinInvalid, and Missing for no card and one that was replaced."""
    card = await rows.find_card(tx, command.number)
    new = new_pin(command.pin)
    if card is None or not await rows.set_pin(tx, card.id, card.pin_mac, pin_mac(command.key, card.id, new)):
        raise Missing
    said = {"card": card.id, "reason": command.reason}
    await audit.record(tx, command.officer_id, "card.pin_changed", card.wallet_id, **said)
    return card.id


async def lower_limits(tx: Tx, command: LowerLimits) -> CardLimits:
    """What holds from now on. Raises CardLimitTooHigh, and CardPinWrong for a card that was replaced."""
    found = await rows.find_card(tx, command.card.number)
    if found is None or found.pin_mac != command.card.pin_mac:
        raise CardPinWrong
    must_not_exceed(command.wanted, limits_of(found, command.city))
    said = {key: value for key, value in vars(command.wanted).items() if value is not None}
    own = OwnLimits(**vars(found.own) | said)
    if not await rows.set_own_limits(tx, found.id, own):
        raise CardPinWrong
    await audit.record(tx, None, "card.limits_lowered", found.wallet_id, card=found.id, **vars(own))
    return limits_of(_with(found, own), command.city)


async def set_limits(tx: Tx, command: SetLimits) -> CardLimits:
    """What holds from now on. Raises CardLimitTooHigh, and Missing for no card and one that was replaced."""
    must_not_exceed(command.wanted, command.city)
    found = await rows.find_card(tx, command.number)
    if found is None or not await rows.set_own_limits(tx, found.id, command.wanted):
        raise Missing
    said = {"card": found.id, "reason": command.reason, **vars(command.wanted)}
    await audit.record(tx, command.officer_id, "card.limits_set", found.wallet_id, **said)
    return limits_of(_with(found, command.wanted), command.city)


def _with(card: Card, own: OwnLimits) -> Card:
    return Card(card.id, card.number, card.wallet_id, card.status, card.pin_mac, own)
