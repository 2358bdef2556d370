"""Accounts of city staff."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Approver
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.staff import NewAccount
from infra.http.strict import Answer
from services.identity.hashing import hash_new_password
from services.identity.passwords import PasswordGuessable, PasswordTooLong, PasswordTooShort
from services.identity.people import EmailMalformed, PersonNameInvalid, Role, RolesInvalid
from services.identity.staff import EmailTaken, OpenCityAccount, StaffAccount, open_city_account

routes = router("officers")


class OfficerRequest(NewAccount):
    """A member of the city's staff; the auditor's role stands alone."""

    roles: Annotated[tuple[Literal["officer", "approver", "auditor"], ...], Field(min_length=1, max_length=3)]


class OfficerAnswer(Answer):
    account_id: UUID


@routes.post(
    "/officers",
    status_code=201,
    responses=refuses(
        EmailMalformed,
        EmailTaken,
        PersonNameInvalid,
        PasswordTooShort,
        PasswordTooLong,
        PasswordGuessable,
        RolesInvalid,
    ),
)
async def open_officer_account(body: OfficerRequest, token: Approver, here: Here, command: Command) -> OfficerAnswer:
    """Open an account for city staff. Who proposes and runs things never appoints the second pair of eyes."""
    secret = await hash_new_password(body.email, body.password, here.password_cost, here.database.entropy)
    roles = tuple(Role(role) for role in body.roles)
    asked = OpenCityAccount(token.account_id, body.email, body.name, secret, roles)
    # The password takes no part in the fingerprint: see services.identity.staff.
    said = (body.email, body.name, sorted(body.roles))
    done = await command.perform(
        token.account_id, "city.officer.open", open_city_account, asked, StaffAccount, said=said
    )
    return OfficerAnswer(account_id=done.account_id)
