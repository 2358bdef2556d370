"""Sign in to the stores that one works for, by e-mail and password."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.browser import CrossSite, Visit, Visiting
from infra.http.context import Context, Here
from infra.http.factors import (
    ENROLMENT_REFUSALS,
    FACTOR_REFUSALS,
    RECOVERY_CODES,
    AttemptRequest,
    EnrolmentAnswer,
    FactorAskedAnswer,
    FactorRequest,
    enrol_factor,
    factor_asked,
    show_factor,
)
from infra.http.notices import tell_of_sign_in
from infra.http.openapi import refuses
from infra.http.passkeys import (
    PASSKEY_FACTOR_REFUSALS,
    ChallengeAnswer,
    PasskeyFactorRequest,
    challenge_for_use,
    show_passkey,
)
from infra.http.staff import FIRST_PASSWORD, StaffSignInRequest, earlier_session
from infra.http.tokens import TokenAnswer, opening, token_members
from merchant_api.stores import StoreLine, store_line
from services.identity.passwords import SignInRefused, SignInThrottled
from services.identity.people import Account, AccountKind, EmailMalformed
from services.identity.second_factor import AttemptExpired, FactorAsked
from services.identity.session import OpenedSession
from services.identity.sign_in_staff import StaffSignIn, sign_in_staff
from services.identity.tokens import Audience
from services.merchants.read import owns_a_store, stores_of_account

routes = router("sign-in")


class SignInAnswer(TokenAnswer):
    """A signed-in member of staff, and the stores that they work for."""

    account_id: UUID
    first_password: bool = FIRST_PASSWORD
    recovery_codes: list[str] = RECOVERY_CODES
    stores: list[StoreLine] = Field(description="What the account may do differs from store to store.")


@routes.post(
    "/sign-in",
    dependencies=[PUBLIC],
    responses=refuses(SignInRefused, SignInThrottled, EmailMalformed, CrossSite),
)
async def sign_in(body: StaffSignInRequest, here: Here, visit: Visiting) -> SignInAnswer | FactorAskedAnswer:
    """Sign in; wrong passwords are counted whether the address exists or not.

    Owners of a store, and whoever has enrolled one, are asked for a second factor.
    """
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
        needs_factor=owns_a_store,
    )
    entered = await sign_in_staff(here.database, attempt)
    if isinstance(entered, FactorAsked):
        return factor_asked(entered)
    return await _entered(here, visit, entered.account, entered.session)


@routes.post("/sign-in/second-factor", dependencies=[PUBLIC], responses=refuses(*FACTOR_REFUSALS))
async def show_second_factor(body: FactorRequest, here: Here, visit: Visiting) -> SignInAnswer:
    """Show the second factor and be signed in; wrong codes are counted over all of one's attempts."""
    done = await show_factor(here, visit, AccountKind.MERCHANT, body)
    return await _entered(here, visit, done.account, done.session, done.recovery_codes)


@routes.post("/sign-in/second-factor/enrolment", dependencies=[PUBLIC], responses=refuses(*ENROLMENT_REFUSALS))
async def enrol_second_factor(body: AttemptRequest, here: Here) -> EnrolmentAnswer:
    """At an owner's first sign-in: a secret for one's authenticator app."""
    return await enrol_factor(here, AccountKind.MERCHANT, body)


@routes.post("/sign-in/second-factor/passkey/challenge", dependencies=[PUBLIC], responses=refuses(AttemptExpired))
async def ask_second_factor_passkey(body: AttemptRequest, here: Here) -> ChallengeAnswer:
    """What one's authenticator has to sign as the second factor."""
    return await challenge_for_use(here, AccountKind.MERCHANT, body.attempt_id)


@routes.post(
    "/sign-in/second-factor/passkey", dependencies=[PUBLIC], responses=refuses(*PASSKEY_FACTOR_REFUSALS, CrossSite)
)
async def show_second_factor_passkey(body: PasskeyFactorRequest, here: Here, visit: Visiting) -> SignInAnswer:
    """Show a passkey as the second factor and be signed in."""
    done = await show_passkey(here, visit, AccountKind.MERCHANT, body)
    return await _entered(here, visit, done.account, done.session)


async def _entered(
    here: Context, visit: Visit, account: Account, session: OpenedSession, recovery_codes: Sequence[str] = ()
) -> SignInAnswer:
    await tell_of_sign_in(here, account.id, session)
    found = await here.database.transact(stores_of_account, account.id, direct=True)
    return SignInAnswer(
        **token_members(here, visit, Audience.MERCHANT, account.id, account.roles, session),
        account_id=account.id,
        first_password=account.first_password,
        stores=[store_line(each) for each in found],
        recovery_codes=list(recovery_codes),
    )
