"""What staff of stores and of the city send alike: sign-ins, new accounts, a new password."""

from contextlib import suppress
from typing import Annotated

from pydantic import Field, StringConstraints

from infra.http.browser import NAMES, Visit, cookie
from infra.http.context import Context
from infra.http.idempotency import Named
from infra.http.notices import tell_seldom
from infra.http.strict import Answer, Body, Name, Secret
from infra.http.tokens import CarrierRequest
from services.identity.change_password import NewPassword, change_password, try_password
from services.identity.notice import About
from services.identity.passwords import (
    PasswordGuessable,
    PasswordTooLong,
    PasswordTooShort,
    PasswordUnchanged,
    SignInRefused,
    SignInThrottled,
)
from services.identity.people import EmailMalformed, PersonNameInvalid
from services.identity.session import RefreshToken, read_token
from services.identity.staff import EmailTaken
from services.identity.tokens import AccessToken, Audience
from services.kit.errors import Refusal

Email = Annotated[str, StringConstraints(strict=True, min_length=3, max_length=254)]

_OF_PASSWORDS: tuple[type[Refusal], ...] = (PasswordTooShort, PasswordTooLong, PasswordGuessable)
NEW_ACCOUNT_REFUSALS: tuple[type[Refusal], ...] = (EmailMalformed, EmailTaken, PersonNameInvalid, *_OF_PASSWORDS)
PASSWORD_REFUSALS: tuple[type[Refusal], ...] = (SignInRefused, SignInThrottled, PasswordUnchanged, *_OF_PASSWORDS)

FIRST_PASSWORD = Field(description="Somebody else chose the password: change it with `POST /password`.")


class ReturningRequest(CarrierRequest):
    """From a client that may have been here before."""

    earlier_refresh_token: Secret | None = Field(
        default=None,
        repr=False,
        description="Of this client's last session with the account, even if it is over: whoever guesses at the "
        "address elsewhere does not keep this client waiting then. A browser's cookie says it by itself.",
    )


class StaffSignInRequest(ReturningRequest):
    """An address and its password."""

    email: Email = Field(examples=["owner@example.jp"])
    password: Secret = Field(repr=False)


def earlier_session(visit: Visit, audience: Audience, body: ReturningRequest) -> RefreshToken | None:
    """The token of a session that this client had before. One that cannot be read is none: it only helps."""
    with suppress(Refusal):
        if body.earlier_refresh_token is not None:
            return read_token(body.earlier_refresh_token)
        kept = cookie(visit.request, NAMES[audience].reminder) if body.carrier == "cookie" else None
        return None if kept is None else read_token(kept)
    return None


class NewAccount(Body):
    """A person's account; its password has at least 12 characters and is none that everybody tries."""

    email: Email
    name: Name
    password: Secret = Field(repr=False)


class PasswordRequest(Body):
    """The password that one has, and the one that one wants."""

    old_password: Secret = Field(repr=False)
    new_password: Secret = Field(repr=False)


class PasswordAnswer(Answer):
    """The new password counts from now on; all other sessions of the account have ended."""

    changed: bool


async def change_own_password(
    here: Context, command: Named, operation: str, token: AccessToken, body: PasswordRequest
) -> PasswordAnswer:
    """Change the password of the account that asks."""
    account_id = token.account_id
    typed = NewPassword(account_id, token.session_id, body.old_password, body.new_password, here.password_cost)
    asked = await try_password(here.database, typed)
    # Neither password takes part in the fingerprint: see services.identity.staff.
    await command.perform(account_id, operation, change_password, asked, type(None), said=(account_id,))
    if not command.replayed:
        await tell_seldom(here, account_id, About.END, "notice.password_changed")
    return PasswordAnswer(changed=True)
