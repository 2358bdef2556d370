"""Registers that a store's staff share: enrolled and revoked by owner and managers, who invite each clerk to a PIN."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import StoreStaff
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Name, Reason
from services.tills.enrol_register import EnrolRegister, RevokeRegister, enrol_register, revoke_register
from services.tills.invite_clerk import Invitation, InviteClerk, invite_clerk
from services.tills.pin import invitation_code
from services.tills.read import registers_of
from services.tills.register import Register, RegisterNameInvalid, RegistersTooMany, register_token

routes = router("registers")


class RegisterRequest(Body):
    """What the store calls it."""

    name: Name = Field(examples=["1番レジ"])


class RegisterLine(Answer):
    """A register of the store; `revoked_at` null while it works."""

    id: UUID
    name: str
    enrolled_by: UUID
    enrolled_at: datetime
    revoked_at: datetime | None


class EnrolledAnswer(RegisterLine):
    """A new register, and what it shows for itself."""

    register_token: str = Field(
        repr=False, description="For this device alone: it offers who works here, and takes their PINs. Stored nowhere."
    )


class RegistersAnswer(Answer):
    registers: list[RegisterLine]


class RevocationRequest(Body):
    reason: Reason


class RevokedAnswer(Answer):
    status: str


class InvitationRequest(Body):
    """Nothing to say: whoever had a PIN has none from now on."""


class InvitationAnswer(Answer):
    """To be told to the clerk, who types it at a register of the store with a PIN of their own."""

    code: str = Field(repr=False, description="Works once; the same `Idempotency-Key` answers it again.")
    expires_at: datetime


@routes.get("/stores/{store_id}/registers")
async def list_registers(store_id: UUID, token: StoreStaff, here: Here) -> RegistersAnswer:
    """The store's registers, those that were revoked as well, for its owner and managers."""
    found = await here.database.transact(registers_of, (store_id, token.account_id))
    return RegistersAnswer(registers=[RegisterLine.of(each) for each in found])


@routes.post("/stores/{store_id}/registers", status_code=201, responses=refuses(RegisterNameInvalid, RegistersTooMany))
async def enrol_store_register(
    store_id: UUID, body: RegisterRequest, token: StoreStaff, here: Here, command: Command
) -> EnrolledAnswer:
    """Make the device that asks a register of the store."""
    asked = EnrolRegister(token.account_id, store_id, body.name)
    made = await command.perform(token.account_id, "store.register.enrol", enrol_register, asked, Register)
    line = RegisterLine.of(made)
    return EnrolledAnswer(**line.model_dump(), register_token=register_token(here.code_key, made.id))


@routes.post("/stores/{store_id}/registers/{register_id}/revocation")
async def revoke_store_register(
    store_id: UUID, register_id: UUID, body: RevocationRequest, token: StoreStaff, command: Command
) -> RevokedAnswer:
    """Revoke a register that was lost or sold: whoever is signed in there is not from the next request on."""
    asked = RevokeRegister(token.account_id, store_id, register_id, body.reason)
    await command.perform(token.account_id, "store.register.revoke", revoke_register, asked, type(None))
    return RevokedAnswer(status="revoked")


@routes.post("/stores/{store_id}/members/{account_id}/pin-invitation", status_code=201)
async def invite_to_pin(
    store_id: UUID, account_id: UUID, _body: InvitationRequest, token: StoreStaff, here: Here, command: Command
) -> InvitationAnswer:
    """Let somebody who works for the store choose a PIN; the one that they had stops working at once.

    An owner invites anybody, a manager clerks, and each of them themselves.
    """
    asked = InviteClerk(token.account_id, store_id, account_id)
    made = await command.perform(token.account_id, "store.pin.invite", invite_clerk, asked, Invitation)
    return InvitationAnswer(code=invitation_code(here.code_key, made.id), expires_at=made.until)
