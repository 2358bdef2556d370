"""Who works for a store: owners and managers appoint them, and let them go."""

from uuid import UUID

from infra.http import members
from infra.http.apps import router
from infra.http.auth import StoreStaff
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

routes = router("members")


@routes.get("/stores/{store_id}/members")
async def list_store_members(store_id: UUID, token: StoreStaff, here: Here) -> MembersAnswer:
    """Everybody who works or worked for the store, for its owner and managers."""
    return await members.roll(here, Actor(token.account_id, as_officer=False), store_id)


@routes.post("/stores/{store_id}/members", status_code=201, responses=refuses(*members.APPOINT_REFUSALS))
async def add_store_member(
    store_id: UUID, body: MemberRequest, token: StoreStaff, here: Here, command: Command
) -> MemberAnswer:
    """Let somebody work for the store."""
    return await members.appoint(here, command, Actor(token.account_id, as_officer=False), store_id, body)


@routes.post("/stores/{store_id}/members/{account_id}/disable", responses=refuses(*members.DISABLE_REFUSALS))
async def disable_store_member(
    store_id: UUID, account_id: UUID, body: DisableRequest, token: StoreStaff, command: Command
) -> DisabledAnswer:
    """End somebody's work for the store: an owner anybody's, a manager a clerk's."""
    return await members.disable(command, Actor(token.account_id, as_officer=False), store_id, account_id, body)


@routes.post("/stores/{store_id}/members/{account_id}/wallet", responses=refuses(*members.NAME_REFUSALS))
async def name_store_members_wallet(
    store_id: UUID, account_id: UUID, body: MemberWalletRequest, token: StoreStaff, command: Command
) -> MemberWalletAnswer:
    """Say whose wallet a member's is, while nobody knows; it cannot pay here from then on."""
    return await members.name(command, Actor(token.account_id, as_officer=False), store_id, account_id, body)
