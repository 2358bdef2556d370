"""Find a person for the one who has them on the telephone: by something of theirs, whole and exact.

Law: nothing is found by a part, nothing is listed, and at most five are shown. Every search is recorded with what it
is for and counted by the people that it shows; what was typed is recorded nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.identity import read as identity
from services.identity.bulk_reading import Looker, Why, must_say_why
from services.identity.look_at import look_at
from services.identity.masked import masked_email, masked_phone
from services.identity.people import Contact, email_address, phone_number
from services.kit.db import Tx
from services.kit.numbers import parse_number
from services.residency import read as residency
from services.wallets.card import card_number
from services.wallets.open import NUMBER_PREFIX
from services.wallets.tables import access, cards
from services.wallets.wallet import Wallet

MOST_FOUND = 5


@dataclass(frozen=True)
class ByPhone:
    phone: str = field(repr=False)


@dataclass(frozen=True)
class ByEmail:
    email: str = field(repr=False)


@dataclass(frozen=True)
class ByName:
    """Name and birth date as they were proven."""

    name: str = field(repr=False)
    born_on: date = field(repr=False)


@dataclass(frozen=True)
class ByWallet:
    number: str


@dataclass(frozen=True)
class ByCard:
    """The number that is printed on a card, also on one that was replaced."""

    number: str


Sought = ByPhone | ByEmail | ByName | ByWallet | ByCard


@dataclass(frozen=True)
class FindPerson:
    looker: Looker
    why: Why
    sought: Sought


@dataclass(frozen=True)
class MaskedContact:
    """Enough of an address to recognise it; `relation` is whose it is, `status` that of its account."""

    relation: str
    status: str
    address: str


@dataclass(frozen=True)
class FoundPerson:
    """The least that tells one person from another; `name` only where it was proven."""

    wallet_number: str | None
    wallet_status: str | None
    name: str | None
    contacts: tuple[MaskedContact, ...]


@dataclass(frozen=True)
class Found:
    """At most five people; `more` if there are others."""

    people: tuple[FoundPerson, ...]
    more: bool


async def find_person(tx: Tx, asked: FindPerson) -> Found:
    """Raises LookNoteMissing, TooManyLooks, and what is wrong with what was typed."""
    why, said = must_say_why(asked.why), type(asked.sought).__name__.removeprefix("By").lower()
    person_ids = await _sought(tx, asked.sought)
    shown = list(person_ids[:MOST_FOUND])
    await look_at(tx, asked.looker, "person.searched", shown, by=said, purpose=why.purpose, note=why.note)
    if not shown:
        return Found((), more=False)
    wallets = await access.wallets_of_persons(tx, shown)
    names, contacts = await residency.names(tx, shown), await identity.contacts(tx, shown)
    people = [_person(wallets.get(each), names.get(each), contacts.get(each, ())) for each in shown]
    return Found(tuple(people), more=len(person_ids) > MOST_FOUND)


async def _sought(tx: Tx, sought: Sought) -> Sequence[UUID]:
    most = MOST_FOUND + 1
    match sought:
        case ByPhone():
            return await identity.persons_reached(tx, phone=phone_number(sought.phone), limit=most)
        case ByEmail():
            return await identity.persons_reached(tx, email=email_address(sought.email), limit=most)
        case ByName():
            return await residency.persons_named(tx, sought.name, sought.born_on, most)
        case ByWallet():
            wallet = await access.find_wallet(tx, number=parse_number(sought.number, prefix=NUMBER_PREFIX))
        case ByCard():
            card = await cards.find_card(tx, card_number(sought.number))
            wallet = None if card is None else await access.find_wallet(tx, wallet_id=card.wallet_id)
    return [] if wallet is None else [wallet.person_id]


def _person(wallet: Wallet | None, name: str | None, contacts: Sequence[Contact]) -> FoundPerson:
    number, status = (None, None) if wallet is None else (wallet.number, wallet.status)
    return FoundPerson(number, status, name, tuple(_masked(each) for each in contacts))


def _masked(contact: Contact) -> MaskedContact:
    address = masked_phone(contact.phone) if contact.phone is not None else masked_email(contact.email or "")
    return MaskedContact(contact.relation, contact.status.value, address)
