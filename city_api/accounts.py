"""Accounts of city staff: opened and closed by an approver; everybody changes their own password."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Approver, CityStaff
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.staff import (
    NEW_ACCOUNT_REFUSALS,
    PASSWORD_REFUSALS,
    NewAccount,
    PasswordAnswer,
    PasswordRequest,
    change_own_password,
)
from infra.http.strict import Answer, Body, Reason
from services.identity.hashing import hash_new_password
from services.identity.people import AccountReasonMissing, AccountStatus, Role, RolesInvalid
from services.identity.staff import (
    OpenCityAccount,
    SetAccountStatus,
    StaffAccount,
    open_city_account,
    set_account_status,
)

routes = router("accounts")


class OfficerRequest(NewAccount):
    """A member of the city's staff; the auditor's role stands alone."""

    roles: Annotated[tuple[Literal["officer", "approver", "auditor"], ...], Field(min_length=1, max_length=3)]


class OfficerAnswer(Answer):
    account_id: UUID


class AccountStatusRequest(Body):
    """Close an account of any kind, or open it again, and say why."""

    status: Literal["active", "disabled"]
    reason: Reason


class AccountStatusAnswer(Answer):
    status: str


@routes.post("/officers", status_code=201, responses=refuses(*NEW_ACCOUNT_REFUSALS, RolesInvalid))
async def open_officer_account(body: OfficerRequest, token: Approver, here: Here, command: Command) -> OfficerAnswer:
    """Open an account for city staff. Whoever opens it chose its password: the two never make four eyes."""
    secret = await hash_new_password(body.email, body.password, here.password_cost, here.database.entropy)
    roles = tuple(Role(role) for role in body.roles)
    asked = OpenCityAccount(token.account_id, body.email, body.name, secret, roles)
    # The password takes no part in the fingerprint: see services.identity.staff.
    said = (body.email, body.name, sorted(body.roles))
    done = await command.perform(
        token.account_id, "city.officer.open", open_city_account, asked, StaffAccount, said=said
    )
    return OfficerAnswer(account_id=done.account_id)


@routes.post("/accounts/{account_id}/status", responses=refuses(AccountReasonMissing))
async def change_account_status(
    account_id: UUID, body: AccountStatusRequest, token: Approver, command: Command
) -> AccountStatusAnswer:
    """Close an account: its sessions end, and it acts for nobody from the next request on."""
    asked = SetAccountStatus(token.account_id, account_id, AccountStatus(body.status), body.reason)
    await command.perform(token.account_id, "city.account.status", set_account_status, asked, type(None))
    return AccountStatusAnswer(status=body.status)


@routes.post("/password", responses=refuses(*PASSWORD_REFUSALS))
async def change_password(body: PasswordRequest, token: CityStaff, here: Here, command: Command) -> PasswordAnswer:
    """Choose a password that nobody else knows; whoever opened the account chose the first."""
    return await change_own_password(here, command, "city.password", token, body)
