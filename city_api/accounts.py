"""Accounts of city staff: opened and closed by an approver; everybody changes their own password."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Approver, CityAccount
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.notices import tell_seldom
from infra.http.openapi import refuses
from infra.http.staff import (
    NEW_ACCOUNT_REFUSALS,
    PASSWORD_REFUSALS,
    NewAccount,
    PasswordAnswer,
    PasswordRequest,
    change_own_password,
)
from infra.http.strict import Answer, Body, Reason, ShortText
from services.identity.hashing import hash_new_password
from services.identity.notice import About
from services.identity.people import AccountReasonMissing, AccountStatus, Role, RolesInvalid
from services.identity.reset_factor import FactorReset, ResetFactor, reset_factor
from services.identity.staff import (
    OpenCityAccount,
    SetAccountStatus,
    StaffAccount,
    open_city_account,
    set_account_status,
)
from services.identity.staff_number import StaffNumberMalformed
from services.identity.take_role import OwnLastRole, RolesLeft, TakeRole, take_role

routes = router("accounts")
CityRole = Literal["officer", "approver", "auditor", "analyst", "call_centre"]


class OfficerRequest(NewAccount):
    """A member of the city's staff; the auditor's role stands alone."""

    roles: Annotated[tuple[CityRole, ...], Field(min_length=1, max_length=5)]
    staff_number: ShortText | None = Field(
        default=None, description="Accounts with one number are one person, and never make four eyes."
    )


class OfficerAnswer(Answer):
    account_id: UUID


class AccountStatusRequest(Body):
    """Close an account of any kind, or open it again, and say why."""

    status: Literal["active", "disabled"]
    reason: Reason


class AccountStatusAnswer(Answer):
    status: str


class RoleRequest(Body):
    """Which role is taken away, and why."""

    role: CityRole
    reason: Reason


class ResetRequest(Body):
    """Who asked, and how they were known."""

    reason: Reason


class ResetAnswer(Answer):
    sessions_ended: int


class RolesAnswer(Answer):
    roles: list[str] = Field(description="What is left.")


@routes.post("/officers", status_code=201, responses=refuses(*NEW_ACCOUNT_REFUSALS, RolesInvalid, StaffNumberMalformed))
async def open_officer_account(body: OfficerRequest, token: Approver, here: Here, command: Command) -> OfficerAnswer:
    """Open an account for city staff. Whoever opens it chose its password: the two never make four eyes."""
    secret = await hash_new_password(body.email, body.password, here.password_cost, here.database.entropy)
    roles = tuple(Role(role) for role in body.roles)
    asked = OpenCityAccount(token.account_id, body.email, body.name, secret, roles, body.staff_number)
    # The password takes no part in the fingerprint: see services.identity.staff.
    said = (body.email, body.name, sorted(body.roles), body.staff_number)
    done = await command.perform(
        token.account_id, "city.officer.open", open_city_account, asked, StaffAccount, said=said
    )
    return OfficerAnswer(account_id=done.account_id)


@routes.post("/accounts/{account_id}/status", responses=refuses(AccountReasonMissing))
async def change_account_status(
    account_id: UUID, body: AccountStatusRequest, token: Approver, here: Here, command: Command
) -> AccountStatusAnswer:
    """Close an account: its sessions end, it acts for nobody from the next request on, and its owner is told."""
    asked = SetAccountStatus(token.account_id, account_id, AccountStatus(body.status), body.reason)
    await command.perform(token.account_id, "city.account.status", set_account_status, asked, type(None))
    if asked.status is AccountStatus.DISABLED and not command.replayed:
        await tell_seldom(here, account_id, About.END, "notice.account_closed")
    return AccountStatusAnswer(status=body.status)


@routes.post("/accounts/{account_id}/roles/removal", responses=refuses(AccountReasonMissing, OwnLastRole))
async def take_account_role(account_id: UUID, body: RoleRequest, token: Approver, command: Command) -> RolesAnswer:
    """Take a role away from a member of the city's staff: what it opened is closed at their next request."""
    asked = TakeRole(token.account_id, account_id, Role(body.role), body.reason)
    left = await command.perform(token.account_id, "city.account.role", take_role, asked, RolesLeft)
    return RolesAnswer(roles=[role.value for role in left.roles])


@routes.post("/accounts/{account_id}/second-factor/reset", responses=refuses(AccountReasonMissing))
async def reset_second_factor(
    account_id: UUID, body: ResetRequest, token: Approver, here: Here, command: Command
) -> ResetAnswer:
    """Take a lost second factor of staff away: sessions end, the next sign-in enrols another, the owner is told."""
    asked = ResetFactor(token.account_id, account_id, body.reason)
    done = await command.perform(token.account_id, "city.account.second_factor", reset_factor, asked, FactorReset)
    if not command.replayed:
        await tell_seldom(here, account_id, About.END, "notice.factor_reset")
    return ResetAnswer(sessions_ended=done.sessions_ended)


@routes.post("/password", responses=refuses(*PASSWORD_REFUSALS))
async def change_password(body: PasswordRequest, token: CityAccount, here: Here, command: Command) -> PasswordAnswer:
    """Choose a password that nobody else knows; whoever opened the account chose the first."""
    return await change_own_password(here, command, "city.password", token, body)
