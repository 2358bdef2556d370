"""Sign in as city staff, by e-mail and password."""

from uuid import UUID

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.browser import CrossSite, Visiting
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.staff import FIRST_PASSWORD, StaffSignInRequest, earlier_session
from infra.http.tokens import TokenAnswer, opening, token_members
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
    responses=refuses(SignInRefused, SignInThrottled, EmailMalformed, CrossSite),
)
async def sign_in(body: StaffSignInRequest, here: Here, visit: Visiting) -> SignInAnswer:
    """Sign in; wrong passwords are counted whether the address exists or not."""
    entering = opening(visit, here, body.carrier)
    earlier = earlier_session(visit, Audience.CITY, body)
    attempt = StaffSignIn(
        AccountKind.CITY,
        body.email,
        body.password,
        here.password_cost,
        entering,
        key=here.session_key,
        earlier=earlier,
    )
    entered = await sign_in_staff(here.database, attempt)
    account = entered.account
    return SignInAnswer(
        **token_members(here, visit, Audience.CITY, account.id, account.roles, entered.session),
        account_id=account.id,
        roles=[role.value for role in account.roles],
        first_password=account.first_password,
    )
