"""Sign in as city staff, by e-mail and password."""

from uuid import UUID

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.staff import FIRST_PASSWORD, StaffSignInRequest
from infra.http.tokens import TokenAnswer, new_token
from services.identity.passwords import SignInRefused, SignInThrottled
from services.identity.people import AccountKind, EmailMalformed
from services.identity.sign_in_staff import StaffSignIn, sign_in_staff
from services.identity.tokens import Audience

routes = router("sign-in")


class SignInAnswer(TokenAnswer):
    """A signed-in member of the city's staff."""

    account_id: UUID
    roles: list[str]
    first_password: bool = FIRST_PASSWORD


@routes.post(
    "/sign-in",
    dependencies=[PUBLIC],
    responses=refuses(SignInRefused, SignInThrottled, EmailMalformed),
)
async def sign_in(body: StaffSignInRequest, here: Here) -> SignInAnswer:
    """Sign in; wrong passwords are counted whether the address exists or not."""
    attempt = StaffSignIn(AccountKind.CITY, body.email, body.password, here.password_cost)
    account = await sign_in_staff(here.database, attempt)
    token = new_token(here, Audience.CITY, account.id, account.roles)
    return SignInAnswer(
        **token.model_dump(),
        account_id=account.id,
        roles=[role.value for role in account.roles],
        first_password=account.first_password,
    )
