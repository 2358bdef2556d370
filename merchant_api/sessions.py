"""One's own sessions: refreshed, looked at, ended."""

from uuid import UUID

from infra.http import sessions
from infra.http.apps import router
from infra.http.auth import PUBLIC, AtCounter, StoreStaff
from infra.http.browser import CookieUnclear, CrossSite, Visiting
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.sessions import RefreshRequest, SessionsAnswer, SignedOutAnswer, SignOutRequest
from infra.http.tokens import TokenAnswer
from services.identity.people import AccountKind
from services.kit.errors import Forbidden

routes = router("sessions")


@routes.post(
    "/sign-in/refresh",
    dependencies=[PUBLIC],
    responses=refuses(*sessions.REFRESH_REFUSALS, CookieUnclear, CrossSite),
)
async def refresh_session(body: RefreshRequest, here: Here, visit: Visiting, command: Command) -> TokenAnswer:
    """New tokens for a refresh token, which works once; the same request again has the same answer again."""
    return await sessions.refresh(here, visit, command, AccountKind.MERCHANT, body)


@routes.post("/sign-out")
async def sign_out(body: SignOutRequest, token: AtCounter, visit: Visiting, command: Command) -> SignedOutAnswer:
    """End this session, or all of one's own; their tokens are refused from the next request on.

    Whoever has signed in by PIN ends this one only.
    """
    if body.everywhere and token.register_id is not None:
        raise Forbidden
    return await sessions.sign_out(visit, command, token, body)


@routes.get("/sessions")
async def list_sessions(token: StoreStaff, here: Here) -> SessionsAnswer:
    """Where one is signed in."""
    return await sessions.own_sessions(here, token)


@routes.post("/sessions/{session_id}/end")
async def end_session(session_id: UUID, token: StoreStaff, command: Command) -> SignedOutAnswer:
    """End one of one's own sessions, on a lost phone for instance."""
    return await sessions.end_other(command, token, session_id)
