"""Passkeys as every API offers them: add, look at, remove; and the second factor that they are for staff.

An API's routes are its own, so that each has its rule; what they do is here, once.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from infra.http.browser import Visit
from infra.http.context import Context
from infra.http.idempotency import Named
from infra.http.notices import tell
from infra.http.staff import ReturningRequest, earlier_session
from infra.http.strict import Answer, Body, Name
from infra.http.tokens import opening
from services.identity.passkeys import (
    Passkey,
    PasskeyCloned,
    PasskeyInvalid,
    PasskeyKnown,
    PasskeyRefused,
    RelyingParty,
    TooManyPasskeys,
)
from services.identity.people import Account, AccountKind
from services.identity.register_passkey import (
    AskPasskey,
    Challenged,
    RegisterPasskey,
    RemovePasskey,
    ask_passkey,
    own_passkeys,
    register_passkey,
    remove_passkey,
)
from services.identity.second_factor import AttemptExpired
from services.identity.tokens import AUDIENCE_OF, AccessToken
from services.identity.use_passkey import AskUse, EnteredByPasskey, UsePasskey, ask_use, entering, use_passkey
from services.kit.errors import Refusal

NEW_PASSKEY_REFUSALS: tuple[type[Refusal], ...] = (PasskeyInvalid, PasskeyKnown, TooManyPasskeys)
PASSKEY_REFUSALS: tuple[type[Refusal], ...] = (PasskeyRefused, PasskeyCloned)
PASSKEY_FACTOR_REFUSALS: tuple[type[Refusal], ...] = (*PASSKEY_REFUSALS, AttemptExpired)

Encoded = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=8_192, pattern=r"^[A-Za-z0-9_-]+$")]


class CredentialParts(Body):
    """An authenticator's answer, each part in base64url, as `PublicKeyCredential.toJSON()` writes it."""

    clientDataJSON: Encoded  # noqa: N815 - the names of WebAuthn
    attestationObject: Encoded | None = None  # noqa: N815
    authenticatorData: Encoded | None = None  # noqa: N815
    signature: Encoded | None = None
    userHandle: Encoded | None = None  # noqa: N815
    transports: tuple[Annotated[str, StringConstraints(max_length=40)], ...] | None = Field(default=None, max_length=10)


class Credential(Body):
    """What `navigator.credentials` gave: members beside these are left out by the page."""

    id: Encoded
    rawId: Encoded  # noqa: N815
    type: Literal["public-key"]
    response: CredentialParts

    def parts(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class ChallengeAnswer(Answer):
    """What to pass to `navigator.credentials`, for five minutes and one answer."""

    challenge_id: UUID
    options: dict[str, Any]
    expires_at: datetime


class PasskeyRequest(Body):
    challenge_id: UUID
    name: Name
    credential: Credential = Field(repr=False)


class PasskeyUseRequest(ReturningRequest):
    """An answer to a challenge of `POST /sign-in/passkey/challenge`."""

    challenge_id: UUID
    credential: Credential = Field(repr=False)


class PasskeyFactorRequest(PasskeyUseRequest):
    """An answer to a challenge of `POST /sign-in/second-factor/passkey/challenge`."""

    attempt_id: UUID


class PasskeyAnswer(Answer):
    """A passkey of one's own."""

    id: UUID
    name: str
    added_at: datetime
    used_at: datetime | None


class PasskeysAnswer(Answer):
    passkeys: list[PasskeyAnswer]


class PasskeyRemovedAnswer(Answer):
    removed: bool


def party_of(here: Context) -> RelyingParty:
    return RelyingParty.at(here.public_url)


async def challenge_for_new(here: Context, command: Named, token: AccessToken) -> ChallengeAnswer:
    """A challenge for a passkey that is added to one's own account."""
    asked = AskPasskey(token.account_id, party_of(here))
    return ChallengeAnswer.of(await command.perform(token.account_id, "passkey.ask", ask_passkey, asked, Challenged))


async def add_passkey(here: Context, command: Named, token: AccessToken, body: PasskeyRequest) -> PasskeyAnswer:
    """Add a passkey; the account's old contact hears of it."""
    asked = RegisterPasskey(token.account_id, body.challenge_id, body.name, body.credential.parts(), party_of(here))
    made = await command.perform(token.account_id, "passkey.add", register_passkey, asked, Passkey)
    if not command.replayed:
        await tell(here, token.account_id, "notice.passkey_added", name=made.name)
    return PasskeyAnswer.of(made)


async def list_own(here: Context, token: AccessToken) -> PasskeysAnswer:
    """One's own passkeys."""
    found = await here.database.transact(own_passkeys, token.account_id)
    return PasskeysAnswer(passkeys=[PasskeyAnswer.of(each) for each in found])


async def drop_passkey(here: Context, command: Named, token: AccessToken, passkey_id: UUID) -> PasskeyRemovedAnswer:
    """Remove a passkey; the account's contact hears of it."""
    asked = RemovePasskey(token.account_id, passkey_id)
    name = await command.perform(token.account_id, "passkey.remove", remove_passkey, asked, str)
    if not command.replayed:
        await tell(here, token.account_id, "notice.passkey_removed", name=name)
    return PasskeyRemovedAnswer(removed=True)


async def challenge_for_use(here: Context, kind: AccountKind, attempt_id: UUID | None = None) -> ChallengeAnswer:
    """A challenge for signing in; with an attempt, as its second factor."""
    asked = AskUse(kind, party_of(here), attempt_id)
    return ChallengeAnswer.of(await here.database.transact(ask_use, asked, direct=True))


async def show_passkey(here: Context, visit: Visit, kind: AccountKind, body: PasskeyFactorRequest) -> EnteredByPasskey:
    """A passkey as the second factor."""
    carried = opening(visit, here, body.carrier)
    used = UsePasskey(kind, body.challenge_id, body.credential.parts(), party_of(here), body.attempt_id)
    earlier = earlier_session(visit, AUDIENCE_OF[kind], body)
    return await use_passkey(here.database, used, entering(used, carried, earlier), revoked(here))


def revoked(here: Context) -> Any:
    """Tells the owner of a passkey that was in two places."""

    async def told(account: Account) -> None:
        await tell(here, account.id, "notice.passkey_cloned")

    return told
