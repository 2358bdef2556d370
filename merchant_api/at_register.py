"""What a register does by itself: offer who works here, let one of them choose a PIN, and sign them in by it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.browser import CrossSite, Visiting
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Secret
from infra.http.tokens import CarrierRequest, TokenAnswer, opening, token_members
from services.identity.people import Role
from services.identity.tokens import Audience
from services.tills.pin import (
    ClerkPinGuessable,
    ClerkPinInvalid,
    ClerkPinThrottled,
    ClerkPinWrong,
    PinInvitationRefused,
)
from services.tills.read import at_register
from services.tills.register import RegisterRefused, read_register_token
from services.tills.use_pin import PinChosen, PinTyped, choose_pin, sign_in_at_register

routes = router("at a register")

Pin = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=12)]
_TOKEN = Field(repr=False, description="What the register was given when it was enrolled.")


class RegisterBody(Body):
    register_token: Secret = _TOKEN


class StaffAnswer(Answer):
    """Somebody who has a PIN here."""

    account_id: UUID
    name: str | None


class AtRegisterAnswer(Answer):
    """Where the register is, and whom it offers."""

    register_id: UUID
    register_name: str
    store_id: UUID
    store_name: str
    staff: list[StaffAnswer]


class PinChoice(RegisterBody):
    """The code of an invitation, and the PIN that its clerk wants."""

    account_id: UUID
    code: Secret = Field(repr=False, description="The invitation's sixteen signs, in any width, case and grouping.")
    pin: Pin = Field(repr=False, description="Four to six digits, and none of those that everybody tries.")


class PinChosenAnswer(Answer):
    """The PIN works from now on at every register of the store."""

    chosen: bool


class PinSignIn(CarrierRequest):
    register_token: Secret = _TOKEN
    account_id: UUID
    pin: Pin = Field(repr=False)


class PinSignInAnswer(TokenAnswer):
    """A session with a clerk's rights at this store, whatever its holder is; ten minutes without a deed end it."""

    account_id: UUID
    name: str | None
    register_id: UUID
    store_id: UUID


@routes.post("/registers/staff", dependencies=[PUBLIC], responses=refuses(RegisterRefused))
async def offer_staff(body: RegisterBody, here: Here) -> AtRegisterAnswer:
    """Who may sign in at this register: all that a register can ask by itself."""
    register_id = read_register_token(here.code_key, body.register_token)
    found = await here.database.transact(at_register, register_id)
    return AtRegisterAnswer(
        register_id=register_id,
        register_name=found.register.name,
        store_id=found.store.id,
        store_name=found.store.details.name,
        staff=[StaffAnswer.of(each) for each in found.staff],
    )


@routes.post(
    "/registers/pin",
    dependencies=[PUBLIC],
    responses=refuses(RegisterRefused, ClerkPinInvalid, ClerkPinGuessable, ClerkPinThrottled, PinInvitationRefused),
)
async def choose_own_pin(body: PinChoice, here: Here) -> PinChosenAnswer:
    """Choose one's PIN by an invitation; nobody can read it afterwards."""
    register_id = read_register_token(here.code_key, body.register_token)
    asked = PinChosen(register_id, body.account_id, body.pin, body.code, here.code_key, here.password_cost)
    await choose_pin(here.database, asked)
    return PinChosenAnswer(chosen=True)


@routes.post(
    "/registers/sign-in",
    dependencies=[PUBLIC],
    responses=refuses(RegisterRefused, ClerkPinInvalid, ClerkPinThrottled, ClerkPinWrong, CrossSite),
)
async def sign_in_by_pin(body: PinSignIn, here: Here, visit: Visiting) -> PinSignInAnswer:
    """Take the register over by one's PIN: whoever was signed in there is not any more."""
    entering = opening(visit, here, body.carrier)
    register_id = read_register_token(here.code_key, body.register_token)
    asked = PinTyped(register_id, body.account_id, body.pin, here.code_key, here.password_cost, entering)
    done = await sign_in_at_register(here.database, asked)
    tokens = token_members(here, visit, Audience.MERCHANT, done.account.id, (Role.TILL,), done.session)
    return PinSignInAnswer(
        **tokens,
        account_id=done.account.id,
        name=done.account.name,
        register_id=done.register.id,
        store_id=done.register.store_id,
    )
