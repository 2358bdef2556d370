"""Sessions as every API offers them: refresh, sign out, look at one's own, end one of them.

An API's routes are its own, so that each has its rule; what they do is here, once.
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from infra.http.browser import NAMES, Visit, cookie, drop_tokens, require_own_page
from infra.http.context import Context
from infra.http.idempotency import Named
from infra.http.notices import tell_seldom
from infra.http.strict import Answer, Body, Secret, TrueOrFalse
from infra.http.tokens import TokenAnswer, token_members
from services.identity import read
from services.identity.end_session import EndSession, end_own_sessions, end_session
from services.identity.notice import About
from services.identity.people import AccountKind
from services.identity.refresh_session import RefreshSession, refresh_session
from services.identity.session import Carrier, RefreshRefused, RefreshReused, RefreshToken, SessionEnded, read_token
from services.identity.tokens import AUDIENCE_OF, AccessToken
from services.kit.errors import Refusal

REFRESH_REFUSALS: tuple[type[Refusal], ...] = (RefreshRefused, RefreshReused, SessionEnded)


class RefreshRequest(Body):
    """The refresh token; a browser sends none, because its cookie has it."""

    refresh_token: Secret | None = Field(default=None, repr=False)


class SignOutRequest(Body):
    everywhere: TrueOrFalse = Field(default=False, description="End all of one's sessions, not this one only.")


class SignedOutAnswer(Answer):
    ended: int = Field(description="How many sessions ended.")


class SessionAnswer(Answer):
    """A sign-in that is not over."""

    id: UUID
    carrier: str = Field(description="`bearer` or `cookie`.")
    client: str = Field(description="What the client said of itself; anybody can say anything.")
    opened_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    current: bool = Field(description="Whether this very request belongs to it.")


class SessionsAnswer(Answer):
    """The newest first."""

    sessions: list[SessionAnswer]


async def refresh(here: Context, visit: Visit, command: Named, kind: AccountKind, body: RefreshRequest) -> TokenAnswer:
    """New tokens for the one refresh token; the same request again has the same refresh token again."""
    carrier, token = _presented(here, visit, kind, body)
    asked = RefreshSession(kind, carrier, token, command.key, here.session_key)

    async def told(account_id: UUID) -> None:
        await tell_seldom(here, account_id, About.END, "notice.session_copied")

    done = await refresh_session(here.database, asked, told)
    account, audience = done.account, AUDIENCE_OF[kind]
    return TokenAnswer(**token_members(here, visit, audience, account.id, account.roles, done.session))


def _presented(here: Context, visit: Visit, kind: AccountKind, body: RefreshRequest) -> tuple[Carrier, RefreshToken]:
    """The token in the body, or else the cookie's, which only a page of ours may send."""
    if body.refresh_token is not None:
        return Carrier.BEARER, read_token(body.refresh_token)
    require_own_page(visit.request, here.public_url)
    kept = cookie(visit.request, NAMES[AUDIENCE_OF[kind]].refresh)
    if kept is None:
        raise RefreshRefused
    return Carrier.COOKIE, read_token(kept)


async def sign_out(visit: Visit, command: Named, token: AccessToken, body: SignOutRequest) -> SignedOutAnswer:
    """End this session, or all; the browser forgets its tokens."""
    account_id = token.account_id
    if body.everywhere:
        ended = await command.perform(account_id, "session.end_all", end_own_sessions, account_id, int)
    else:
        asked = EndSession(account_id, token.session_id)
        ended = await command.perform(account_id, "session.end", end_session, asked, int)
    drop_tokens(visit.response, token.audience)
    return SignedOutAnswer(ended=ended)


async def own_sessions(here: Context, token: AccessToken) -> SessionsAnswer:
    """One's own sessions that are not over."""
    found = await here.database.transact(read.open_sessions, token.account_id)
    return SessionsAnswer(
        sessions=[
            SessionAnswer(
                id=each.id,
                carrier=each.carrier.value,
                client=each.client,
                opened_at=each.opened_at,
                refreshed_at=each.refreshed_at,
                expires_at=each.expires_at,
                current=each.id == token.session_id,
            )
            for each in found
        ]
    )


async def end_other(command: Named, token: AccessToken, session_id: UUID) -> SignedOutAnswer:
    """End one of one's own sessions. Raises Missing."""
    asked = EndSession(token.account_id, session_id)
    ended = await command.perform(token.account_id, "session.end", end_session, asked, int)
    return SignedOutAnswer(ended=ended)
