"""Find a person who is on the telephone or at the counter: exactly, a few at most, and every search is recorded."""

from typing import Annotated, Literal

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Desk
from infra.http.context import Here
from infra.http.looks import LOOK_REFUSALS, WhyBody
from infra.http.openapi import refuses
from infra.http.residents import BirthDate
from infra.http.strict import Answer, Body, Name, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import Looker
from services.identity.people import EmailMalformed, PhoneMalformed, PhoneNotJapanese, PhoneUnusable
from services.wallets.find_person import (
    ByCard,
    ByEmail,
    ByName,
    ByPhone,
    ByWallet,
    FindPerson,
    Sought,
    find_person,
)

routes = router("people")

_Address = Annotated[str, Field(strict=True, min_length=1, max_length=254, repr=False)]


class SoughtPhone(Body):
    """The telephone number that somebody signs in with."""

    type: Literal["phone"]
    phone: ShortText = Field(repr=False, examples=["090-1234-5678"])

    def sought(self) -> Sought:
        return ByPhone(self.phone)


class SoughtEmail(Body):
    """The address that somebody signs in with."""

    type: Literal["email"]
    email: _Address

    def sought(self) -> Sought:
        return ByEmail(self.email)


class SoughtName(Body):
    """Name and birth date, as they were proven."""

    type: Literal["name"]
    name: Name = Field(repr=False)
    birth_date: BirthDate

    def sought(self) -> Sought:
        return ByName(self.name, self.birth_date)


class SoughtWallet(Body):
    """A wallet's number."""

    type: Literal["wallet"]
    wallet_number: ShortText

    def sought(self) -> Sought:
        return ByWallet(self.wallet_number)


class SoughtCard(Body):
    """The number on a printed card, also on one that was replaced."""

    type: Literal["card"]
    card_number: ShortText

    def sought(self) -> Sought:
        return ByCard(self.card_number)


Anything = Annotated[SoughtPhone | SoughtEmail | SoughtName | SoughtWallet | SoughtCard, Field(discriminator="type")]


class PersonSearchRequest(WhyBody):
    """What is known of the person, whole: nothing is found by a part of it."""

    by: Anything


class ContactAnswer(Answer):
    """An address to recognise, not to learn."""

    relation: str = Field(description="`self`, or `guardian` for somebody who acts for them.")
    status: str = Field(description="Of its account: `active` or `disabled`.")
    address: str = Field(examples=["***-5678"])


class PersonAnswer(Answer):
    """The least that tells one person from another."""

    wallet_number: str | None
    wallet_status: str | None = Field(description="`active` or `suspended`.")
    name: str | None = Field(description="As it was proven; null where nothing was.")
    contacts: list[ContactAnswer]


class PeopleAnswer(Answer):
    """Five people at most."""

    people: list[PersonAnswer]
    more: bool = Field(description="There are others: ask for something that only one person has.")


@routes.post(
    "/people/search",
    responses=refuses(
        *LOOK_REFUSALS, *NUMBER_REFUSALS, PhoneMalformed, PhoneNotJapanese, PhoneUnusable, EmailMalformed
    ),
)
async def search_person(body: PersonSearchRequest, token: Desk, here: Here) -> PeopleAnswer:
    """Find a person by something of theirs. Who searched, by what, when and why is kept; what was typed is not."""
    asked = FindPerson(Looker(token.account_id, here.look_limits), body.why(), body.by.sought())
    return PeopleAnswer.of(await here.database.transact(find_person, asked))
