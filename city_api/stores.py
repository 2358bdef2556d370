"""Stores of a merchant: added, suspended, and their first staff appointed by the office."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from infra.http import members
from infra.http.apps import router
from infra.http.auth import CityStaff, Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.members import (
    Actor,
    DisabledAnswer,
    DisableRequest,
    MemberAnswer,
    MemberRequest,
    MembersAnswer,
    MemberWalletAnswer,
    MemberWalletRequest,
)
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Name, Reason, ShortText
from services.kit.four_eyes import OwnInterest
from services.kit.store_class import StoreClass
from services.merchants.add_store import AddStore, add_store
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import (
    MccInvalid,
    MerchantReasonMissing,
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


@routes.post(
    "/merchants/{merchant_id}/stores",
    status_code=201,
    responses=refuses(StoreNameInvalid, StoreNameLatinInvalid, StoreCityLatinInvalid, MccInvalid, PostalCodeInvalid),
)
async def add_merchant_store(merchant_id: UUID, body: StoreRequest, token: Officer, command: Command) -> StoreAnswer:
    """Add a store, active at once under a new number."""
    asked = AddStore(token.account_id, merchant_id, body.details())
    return store_answer(await command.perform(token.account_id, "city.store.add", add_store, asked, Store))


@routes.post("/stores/{store_id}/status", responses=refuses(MerchantReasonMissing))
async def change_store_status(store_id: UUID, body: StatusRequest, token: Officer, command: Command) -> StatusAnswer:
    """Suspend a store: from now on every payment to it is refused."""
    asked = SetStoreStatus(token.account_id, store_id, Status(body.status), body.reason)
    await command.perform(token.account_id, "city.store.status", set_store_status, asked, type(None))
    return StatusAnswer(status=body.status)


@routes.get("/stores/{store_id}/members")
async def list_members(store_id: UUID, token: CityStaff, here: Here) -> MembersAnswer:
    """Everybody who works or worked for the store."""
    return await members.roll(here, Actor(token.account_id, as_officer=True), store_id)


@routes.post("/stores/{store_id}/members", status_code=201, responses=refuses(*members.APPOINT_REFUSALS))
async def appoint_member(
    store_id: UUID, body: MemberRequest, token: Officer, here: Here, command: Command
) -> MemberAnswer:
    """Let somebody work for the store; its owner is appointed here first."""
    return await members.appoint(here, command, Actor(token.account_id, as_officer=True), store_id, body)


@routes.post("/stores/{store_id}/members/{account_id}/disable", responses=refuses(*members.DISABLE_REFUSALS))
async def disable_member(
    store_id: UUID, account_id: UUID, body: DisableRequest, token: Officer, command: Command
) -> DisabledAnswer:
    """End somebody's work for the store: their other stores and their sign-in stay."""
    return await members.disable(command, Actor(token.account_id, as_officer=True), store_id, account_id, body)


@routes.post("/stores/{store_id}/members/{account_id}/wallet", responses=refuses(*members.NAME_REFUSALS, OwnInterest))
async def name_members_wallet(
    store_id: UUID, account_id: UUID, body: MemberWalletRequest, token: Officer, command: Command
) -> MemberWalletAnswer:
    """Say at the counter whose wallet a member's is, or that it is another than was said."""
    return await members.name(command, Actor(token.account_id, as_officer=True), store_id, account_id, body)


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
