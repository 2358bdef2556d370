"""What a sign-in and a refresh answer: tokens for one API, in the answer or in the browser's cookies."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from infra.http.browser import CookieTokens, Visit, keep_tokens, require_own_page
from infra.http.context import Context
from infra.http.strict import Answer, Body
from services.identity.open_session import Opening
from services.identity.people import Role
from services.identity.session import Carrier, OpenedSession
from services.identity.tokens import LIFETIME, Audience, Bearer, issue
from services.kit.ids import uuid7


class CarrierRequest(Body):
    """Where the tokens shall be."""

    carrier: Literal["bearer", "cookie"] = Field(
        default="bearer",
        description="`cookie`: for a page of ours in a browser, in cookies that no script can read. Send "
        "`X-Tanabata-Page: 1` with every POST then, and the page's own `Origin`, as browsers do.",
    )


class TokenAnswer(Answer):
    """An access token, to be sent as `Authorization: Bearer …`, and the one token that refreshes it."""

    access_token: str | None = Field(repr=False, description="Null where a browser keeps it in a cookie.")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750
    expires_in: int = Field(description="Seconds until the access token is refused.")
    refresh_token: str | None = Field(
        repr=False, description="Works once: `POST /sign-in/refresh` answers the next. Null where a cookie has it."
    )
    session_id: UUID
    session_expires_at: datetime = Field(description="When the session ends unless it is refreshed before.")


def opening(visit: Visit, here: Context, carrier: str) -> Opening:
    """How a session is opened. Raises CrossSite for cookies that a page of somebody else's asks for."""
    if carrier == Carrier.COOKIE:
        require_own_page(visit.request, here.public_url)
    return Opening(Carrier(carrier), visit.client, visit.language)


def new_token(context: Context, audience: Audience, account_id: UUID, roles: Iterable[Role], session_id: UUID) -> str:
    """An access token from the clock's instant on."""
    now = context.clock.now()
    bearer = Bearer(audience, account_id, session_id, frozenset(roles))
    return issue(context.tokens, bearer, now, uuid7(now, context.database.entropy))


def token_members(
    context: Context, visit: Visit, audience: Audience, account_id: UUID, roles: Iterable[Role], opened: OpenedSession
) -> dict[str, Any]:
    """The members of a `TokenAnswer`; sets the cookies where they have the tokens."""
    access = new_token(context, audience, account_id, roles, opened.id)
    seconds = int(LIFETIME.total_seconds())
    in_cookies = opened.carrier is Carrier.COOKIE
    if in_cookies:
        kept = CookieTokens(access, seconds, opened.refresh_token, opened.expires_at)
        keep_tokens(visit.response, audience, kept, context.clock.now())
    return {
        "access_token": None if in_cookies else access,
        "expires_in": seconds,
        "refresh_token": None if in_cookies else opened.refresh_token,
        "session_id": opened.id,
        "session_expires_at": opened.expires_at,
    }
