"""Sign in to the stores that one works for, by e-mail and password."""

from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.browser import CrossSite, Visiting
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.staff import FIRST_PASSWORD, StaffSignInRequest, earlier_session
from infra.http.tokens import TokenAnswer, opening, token_members
from merchant_api.stores import StoreLine, store_line
from services.identity.passwords import SignInRefused, SignInThrottled
from services.identity.people import AccountKind, EmailMalformed
from services.identity.sign_in_staff import StaffSignIn, sign_in_staff
from services.identity.tokens import Audience
from services.merchants.read import stores_of_account

routes = router("sign-in")


class SignInAnswer(TokenAnswer):
    """A signed-in member of staff, and the stores that they work for."""

    account_id: UUID
    first_password: bool = FIRST_PASSWORD
    stores: list[StoreLine] = Field(description="What the account may do differs from store to store.")


@routes.post(
    "/sign-in",
    dependencies=[PUBLIC],
    responses=refuses(SignInRefused, SignInThrottled, EmailMalformed, CrossSite),
)
async def sign_in(body: StaffSignInRequest, here: Here, visit: Visiting) -> SignInAnswer:
    """Sign in; wrong passwords are counted whether the address exists or not."""
    entering = opening(visit, here, body.carrier)
    earlier = earlier_session(visit, Audience.MERCHANT, body)
    attempt = StaffSignIn(
        AccountKind.MERCHANT,
        body.email,
        body.password,
        here.password_cost,
        entering,
        key=here.session_key,
        earlier=earlier,
    )
    entered = await sign_in_staff(here.database, attempt)
    account = entered.account
    found = await here.database.transact(stores_of_account, account.id, direct=True)
    return SignInAnswer(
        **token_members(here, visit, Audience.MERCHANT, account.id, account.roles, entered.session),
        account_id=account.id,
        first_password=account.first_password,
        stores=[store_line(each) for each in found],
    )
