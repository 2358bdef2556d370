"""Stores of a merchant: added, suspended, and their first staff appointed by the office."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.staff import NewAccount
from infra.http.strict import Answer, Body, Name, Reason, ShortText
from services.identity.hashing import hash_new_password
from services.identity.passwords import PasswordGuessable, PasswordTooLong, PasswordTooShort
from services.identity.people import EmailMalformed, PersonNameInvalid
from services.identity.staff import EmailTaken, OpenMerchantAccount, open_merchant_account
from services.kit.db import Tx
from services.kit.store_class import StoreClass
from services.merchants.add_member import AddMember, add_member
from services.merchants.add_store import AddStore, add_store
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import (
    MccInvalid,
    Member,
    MemberExists,
    MemberRole,
    PostalCodeInvalid,
    Status,
    Store,
    StoreCityLatinInvalid,
    StoreDetails,
    StoreNameInvalid,
    StoreNameLatinInvalid,
)

routes = router("stores")


class StoreRequest(Body):
    """How a store presents itself; the Latin names go into its EMVCo code."""

    name: Name = Field(description="At most 25 characters; what the payer reads.")
    name_latin: Name = Field(description="At most 25 ASCII characters.")
    store_class: Literal["large", "small"]
    mcc: ShortText = Field(description="Merchant category code (ISO 18245), four digits.", examples=["5812"])
    postal_code: ShortText = Field(examples=["254-0045"])
    city_latin: ShortText = Field(description="At most 15 ASCII characters.", examples=["HIRATSUKA"])

    def details(self) -> StoreDetails:
        """As typed; the use case brings it into stored form."""
        return StoreDetails(
            self.name,
            self.name_latin,
            StoreClass(self.store_class),
            self.mcc,
            self.postal_code,
            self.city_latin,
        )


class StoreAnswer(Answer):
    """A store as the office sees it."""

    id: UUID
    code: str
    merchant_id: UUID
    name: str
    name_latin: str
    store_class: str
    mcc: str
    postal_code: str
    city_latin: str
    status: str
    registered_at: datetime


class StatusRequest(Body):
    """Suspend, or let work again, and say why."""

    status: Literal["active", "suspended"]
    reason: Reason


class StatusAnswer(Answer):
    status: str


class MemberRequest(NewAccount):
    """Somebody who works for the store. An address that has an account keeps its own password."""

    role: Literal["owner", "manager", "clerk"]
    person_id: UUID | None = Field(
        default=None, description="The resident that this is known to be, who may then not pay this store."
    )


class MemberAnswer(Answer):
    """An account's work in one store."""

    store_id: UUID
    account_id: UUID
    role: str
    status: str
    since: datetime


@dataclass(frozen=True)
class _Appoint:
    account: OpenMerchantAccount
    officer_id: UUID
    store_id: UUID
    role: MemberRole
    person_id: UUID | None


@routes.post(
    "/merchants/{merchant_id}/stores",
    status_code=201,
    responses=refuses(StoreNameInvalid, StoreNameLatinInvalid, StoreCityLatinInvalid, MccInvalid, PostalCodeInvalid),
)
async def add_merchant_store(merchant_id: UUID, body: StoreRequest, token: Officer, command: Command) -> StoreAnswer:
    """Add a store, active at once under a new number."""
    asked = AddStore(token.account_id, merchant_id, body.details())
    return store_answer(await command.perform(token.account_id, "city.store.add", add_store, asked, Store))


@routes.post("/stores/{store_id}/status")
async def change_store_status(store_id: UUID, body: StatusRequest, token: Officer, command: Command) -> StatusAnswer:
    """Suspend a store: from now on every payment to it is refused."""
    asked = SetStoreStatus(token.account_id, store_id, Status(body.status), body.reason)
    await command.perform(token.account_id, "city.store.status", set_store_status, asked, type(None))
    return StatusAnswer(status=body.status)


@routes.post(
    "/stores/{store_id}/members",
    status_code=201,
    responses=refuses(
        EmailMalformed,
        EmailTaken,
        PersonNameInvalid,
        PasswordTooShort,
        PasswordTooLong,
        PasswordGuessable,
        MemberExists,
    ),
)
async def appoint_member(
    store_id: UUID, body: MemberRequest, token: Officer, here: Here, command: Command
) -> MemberAnswer:
    """Let somebody work for the store; its owner is appointed here first."""
    secret = await hash_new_password(body.email, body.password, here.password_cost, here.database.entropy)
    account = OpenMerchantAccount(token.account_id, body.email, body.name, secret)
    asked = _Appoint(account, token.account_id, store_id, MemberRole(body.role), body.person_id)
    # The password takes no part in the fingerprint: see services.identity.staff.
    said = (store_id, body.email, body.name, body.role, body.person_id)
    return MemberAnswer.of(
        await command.perform(token.account_id, "city.member.add", _appoint, asked, Member, said=said)
    )


def store_answer(store: Store) -> StoreAnswer:
    details = store.details
    return StoreAnswer(
        id=store.id,
        code=store.code,
        merchant_id=store.merchant_id,
        name=details.name,
        name_latin=details.name_latin,
        store_class=details.store_class.value,
        mcc=details.mcc,
        postal_code=details.postal_code,
        city_latin=details.city_latin,
        status=store.status.value,
        registered_at=store.registered_at,
    )


async def _appoint(tx: Tx, asked: _Appoint) -> Member:
    account = await open_merchant_account(tx, asked.account)
    member = AddMember(asked.officer_id, True, asked.store_id, account.account_id, asked.role, asked.person_id)
    return await add_member(tx, member)
