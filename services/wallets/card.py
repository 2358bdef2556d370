"""A printed card: a way to a wallet for people without a phone, replaced like a phone.

Law: a card is not the person and holds no value, so a stolen one is replaced and every point stays. What its QR
symbol carries beside the number, and what a PIN is compared with, follow from the card's id and keys that the
database does not know: a copied database makes no card and tells no PIN. Up to a sum the card alone pays; above it the
person types four digits at the store's device. The city sets the sums, and a card's holder makes theirs smaller.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from itertools import pairwise
from uuid import UUID

from services.kit.errors import Kind, Refusal
from services.kit.numbers import parse_number

NUMBER_PREFIX, NUMBER_LENGTH = "C", 9
PIN_DIGITS = 4
SECRET_BYTES = 16
TOKEN_PREFIX = "TC1"  # noqa: S105 - the symbol's kind, no secret

WINDOW = timedelta(hours=1)
TRIES = {"card": 5, "till": 20, "web": 5, "address": 100}
"""Wrong PINs in `WINDOW`: of one card at tills, of one clerk's device; on the web of one card, of one address."""


class CardMalformed(Refusal):
    """What was scanned is not one of our cards."""

    code = "card_malformed"


class CardUnknown(Refusal):
    """No such card, or a symbol that we did not print: the two are not told apart."""

    code = "card_unknown"


class CardFrozen(Refusal):
    """The card was reported as lost, or another has taken its place."""

    code = "card_frozen"
    kind = Kind.FORBIDDEN


class CardPinMissing(Refusal):
    """Above `limit_yen` the card's PIN is asked for."""

    code = "card_pin_missing"


class CardPinInvalid(Refusal):
    """Not four digits, or four that everybody tries first."""

    code = "card_pin_invalid"


class CardPinWrong(Refusal):
    """Another PIN, or on the web another number: the two are not told apart there."""

    code = "card_pin_wrong"


class CardPinThrottled(Refusal):
    """Too many wrong PINs; the next try is possible in `retry_after_seconds`. The card is not frozen by it."""

    code = "card_pin_throttled"
    kind = Kind.THROTTLED


class CardLimitReached(Refusal):
    """A card pays at most `limit_yen` at once and `day_limit_yen` a day."""

    code = "card_limit_reached"
    kind = Kind.CONFLICT


class CardLimitTooHigh(Refusal):
    """A holder's own limit is not above the city's, and on the web it only becomes lower: at most `most_yen`."""

    code = "card_limit_too_high"


class CardStatus(StrEnum):
    ACTIVE = "active"
    FROZEN = "frozen"
    REPLACED = "replaced"


@dataclass(frozen=True)
class CardLimits:
    """What a card pays without its PIN, at once, and on a civil day: the city's, or what holds for one card."""

    without_pin_yen: int = 1_000
    payment_yen: int = 10_000
    day_yen: int = 30_000


CITY_LIMITS = CardLimits()
"""Unless the installation says otherwise."""


@dataclass(frozen=True)
class OwnLimits:
    """What a holder wants instead; None: the city's."""

    without_pin_yen: int | None = None
    payment_yen: int | None = None
    day_yen: int | None = None


@dataclass(frozen=True)
class Card:
    """One printed card of a wallet."""

    id: UUID
    number: str
    wallet_id: UUID
    status: CardStatus
    pin_mac: bytes = field(repr=False)
    own: OwnLimits = OwnLimits()


def limits_of(card: Card, city: CardLimits) -> CardLimits:
    """What holds for a card: the lower of its holder's wish and what the city allows now."""
    own, most = card.own, city
    return CardLimits(
        _lower(own.without_pin_yen, most.without_pin_yen),
        _lower(own.payment_yen, most.payment_yen),
        _lower(own.day_yen, most.day_yen),
    )


def must_not_exceed(wanted: OwnLimits, most: CardLimits) -> None:
    """Raises CardLimitTooHigh."""
    for key, value in vars(wanted).items():
        if value is not None and value > vars(most)[key]:
            raise CardLimitTooHigh(most_yen=vars(most)[key])


def name_of(number: str) -> UUID:
    """What tries at a number are counted under, whether there is such a card or not."""
    return UUID(bytes=hashlib.sha256(number.encode()).digest()[:16])


def nobody(number: str) -> Card:
    """A card that no PIN fits, to be compared with where there is none."""
    return Card(UUID(int=0), number, UUID(int=0), CardStatus.REPLACED, b"")


def card_token(key: bytes, number: str, card_id: UUID) -> str:
    """The text of the card's QR symbol."""
    return f"{TOKEN_PREFIX}.{number}.{_secret(key, card_id)}"


def number_in(token: str) -> str:
    """The number that a scanned text claims. Raises CardMalformed."""
    parts = token.strip().split(".")
    if len(parts) != 3 or parts[0] != TOKEN_PREFIX:
        raise CardMalformed
    try:
        return card_number(parts[1])
    except Refusal as refusal:
        raise CardMalformed from refusal


def address_name(key: bytes, address: str) -> UUID | None:
    """What tries from a network address are counted under; None where the address tells nobody apart.

    An address of this machine or of a private network is a proxy's: behind it everybody would be counted as one. Of
    IPv6 the network counts, because one subscriber has all of it. Kept is an HMAC, so that no address is.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if not found.is_global:
        return None
    network = ip_network((found, 64 if found.version == 6 else 32), strict=False)
    return UUID(bytes=hmac.digest(key, b"card address\0" + str(network).encode(), "sha256")[:16])


def is_genuine(key: bytes, token: str, card: Card) -> bool:
    """Whether the text is the one that we printed for this card."""
    return hmac.compare_digest(card_token(key, card.number, card.id).encode(), token.strip().encode())


def card_number(typed: str) -> str:
    """A card's number as typed, in stored form. Raises the refusals of `parse_number`."""
    return parse_number(typed, prefix=NUMBER_PREFIX)


def read_pin(typed: str) -> str:
    """Four digits as typed. Raises CardPinInvalid, which costs no try."""
    if len(typed) != PIN_DIGITS or not (typed.isascii() and typed.isdigit()):
        raise CardPinInvalid
    return typed


def new_pin(typed: str) -> str:
    """Four digits that somebody chose: not one digit four times, nor four in a row. Raises CardPinInvalid."""
    pin = read_pin(typed)
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise CardPinInvalid
    return pin


def pin_mac(key: bytes, card_id: UUID, pin: str) -> bytes:
    """HMAC-SHA256 of the card and its PIN: only who has the key can try the ten thousand there are."""
    return hmac.digest(key, b"card pin\0" + card_id.bytes + pin.encode(), "sha256")


def pin_fits(key: bytes, card: Card, pin: str) -> bool:
    return hmac.compare_digest(pin_mac(key, card.id, pin), card.pin_mac)


def must_be_within_limits(amount_yen: int, limits: CardLimits) -> None:
    """Raises CardLimitReached. A day's limit may be below that of one payment."""
    if amount_yen > min(limits.payment_yen, limits.day_yen):
        raise CardLimitReached(limit_yen=limits.payment_yen, day_limit_yen=limits.day_yen)


def _lower(wanted_yen: int | None, most_yen: int) -> int:
    return most_yen if wanted_yen is None else min(wanted_yen, most_yen)


def _secret(key: bytes, card_id: UUID) -> str:
    drawn = hmac.digest(key, b"card symbol\0" + card_id.bytes, "sha256")[:SECRET_BYTES]
    return base64.urlsafe_b64encode(drawn).rstrip(b"=").decode()
