"""Where requests are counted, for every route of an API alike: before its body is read, and before it is routed.

Law: see `rates`. A sign-in counts if a key of ours signed it for this API and it has not run out; whether its
session is still open is asked of the tables behind, where each rule asks it. The fast door counts for itself.
"""

from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.http.browser import NAMES, CookieUnclear, cookie
from infra.http.context import Context
from infra.http.rates import UNCOUNTED
from services.identity.tokens import Audience, TokenExpired, TokenInvalid


class Turnstile:
    """ASGI middleware around one API, inside its edge, which words the refusal."""

    def __init__(self, app: ASGIApp, *, context: Context, audience: Audience) -> None:
        self._app = app
        self._context = context
        self._audience = audience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].endswith(UNCOUNTED):
            self._count(Request(scope))
        await self._app(scope, receive, send)

    def _count(self, request: Request) -> None:
        rates = self._context.rates
        token = self._sign_in(request)
        if token is not None:
            try:
                found = self._context.bearers.verify(token, self._audience, self._context.clock.now())
            except (TokenInvalid, TokenExpired):
                pass  # it is nobody's, and its rule will say so
            else:
                rates.accounts.take(found.account_id)
                return
        rates.take_address("" if request.client is None else request.client.host)

    def _sign_in(self, request: Request) -> str | None:
        """The token that came along, in a header or a cookie; None where there is none, or not one."""
        headers = request.headers.getlist("authorization")
        if headers:
            scheme, token = get_authorization_scheme_param(headers[0])
            return token if len(headers) == 1 and scheme.lower() == "bearer" else None
        try:
            return cookie(request, NAMES[self._audience].access)
        except CookieUnclear:
            return None
