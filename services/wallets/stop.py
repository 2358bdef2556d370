"""What the desk stops for a caller: a card, and whoever is signed in. Nothing here moves or loses a point.

Law: whoever stops something says how they knew who called; the owner is told. What was stopped works again by an
officer's hand only: a card is activated or replaced, and whoever owns the account signs in anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.identity import read
from services.identity.bulk_reading import Looker, Why, must_say_why
from services.identity.end_session import end_sessions_of
from services.identity.look_at import look_at
from services.identity.session import EndedAs
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets.card import Card
from services.wallets.tables import access
from services.wallets.tables import cards as rows
from services.wallets.wallet import Wallet


@dataclass(frozen=True)
class LookAtCards:
    looker: Looker
    number: str
    why: Why


@dataclass(frozen=True)
class Stop:
    """Of the wallet with this number; `identified_by` says how it was known who called."""

    account_id: UUID
    number: str
    identified_by: str
    reason: str


@dataclass(frozen=True)
class Stopped:
    """How many cards or sessions, and whose accounts are told."""

    count: int
    account_ids: tuple[UUID, ...]


async def look_at_cards(tx: Tx, asked: LookAtCards) -> Sequence[Card]:
    """The cards of a wallet, by its number, the newest last. Raises Missing, LookNoteMissing and TooManyLooks."""
    wallet, why = await access.find_wallet(tx, number=asked.number), must_say_why(asked.why)
    if wallet is None:
        raise Missing
    said = {"purpose": why.purpose, "note": why.note}
    await look_at(tx, asked.looker, "wallet.cards_looked_at", [wallet.person_id], about=[wallet.id], **said)
    return await rows.cards_of(tx, wallet.id)


async def freeze_card(tx: Tx, command: Stop) -> Stopped:
    """Freeze the wallet's card; one that is frozen already stays so. Raises Missing, also without a card."""
    wallet = await _locked(tx, command.number)
    card_id = await rows.freeze_working(tx, wallet.id)
    if card_id is None:
        raise Missing
    said = {"card": card_id, "reason": command.reason, "identified_by": command.identified_by}
    await audit.record(tx, command.account_id, "card.frozen", wallet.id, **said)
    return Stopped(1, await read.acting_for(tx, wallet.person_id))


async def end_sign_ins(tx: Tx, command: Stop) -> Stopped:
    """End all sessions of those who act for the wallet's person. Raises Missing."""
    wallet = await _locked(tx, command.number)
    account_ids = await read.acting_for(tx, wallet.person_id)
    ended = sum([await end_sessions_of(tx, command.account_id, each, EndedAs.BY_OFFICE) for each in account_ids])
    said = {"sessions": ended, "reason": command.reason, "identified_by": command.identified_by}
    await audit.record(tx, command.account_id, "wallet.sign_ins_ended", wallet.id, **said)
    return Stopped(ended, account_ids)


async def _locked(tx: Tx, number: str) -> Wallet:
    found = await access.find_wallet(tx, number=number)
    wallet = None if found is None else await access.lock_wallet(tx, found.id)
    if wallet is None:
        raise Missing
    return wallet
