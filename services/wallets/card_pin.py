"""Compare a card's PIN: counted before it is compared, for the card and for the device it is typed at.

Law: of any number of guesses at once only as many are compared as the window allows. A window of wrong PINs passes by
itself, so a prankster freezes no card for good; and at a till nobody gets as far as the PIN without the card's own
symbol. Tries on the web are counted apart, so that they keep nobody from paying.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.kit.db import Database, Tx
from services.wallets.card import TRIES, WINDOW, Card, CardPinThrottled, CardPinWrong, pin_fits, read_pin
from services.wallets.tables import cards as rows


@dataclass(frozen=True)
class PinGuess:
    """A PIN as typed; `places` are what the try is counted at, such as ("card", its id)."""

    card: Card
    pin: str = field(repr=False)
    key: bytes = field(repr=False)
    places: tuple[tuple[str, UUID], ...]


async def prove_pin(database: Database, guess: PinGuess) -> None:
    """Raises CardPinInvalid (which costs nothing), CardPinThrottled and CardPinWrong."""
    pin = read_pin(guess.pin)
    await database.transact(_take_tries, guess.places)
    if not pin_fits(guess.key, guess.card, pin):
        raise CardPinWrong
    await database.transact(_give_back, guess.places)


async def _take_tries(tx: Tx, places: tuple[tuple[str, UUID], ...]) -> None:
    for place, subject_id in places:
        if not await rows.take_try(tx, place, subject_id, WINDOW, TRIES[place]):
            wait = await rows.seconds_left(tx, place, subject_id, WINDOW)
            raise CardPinThrottled(retry_after_seconds=wait)


async def _give_back(tx: Tx, places: tuple[tuple[str, UUID], ...]) -> None:
    for place, subject_id in places:
        await rows.give_try_back(tx, place, subject_id)
