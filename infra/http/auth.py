"""Who is asking, and may they: bearer tokens or a browser's cookies, and a rule on every route.

Law: deny by default. A route that does not say who may use it stops the start; `PUBLIC` says it
is for everybody. What an account may do with a thing (its wallet, its store) is asked of the
tables by each use case. That the session is open, the account is active and has its role is asked of
the tables at each request, in one statement: what was taken away is gone at the next. Whoever has typed
a PIN at a store's register is let in only where a rule says so, and only to what is that store's.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Security
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from infra.http.browser import NAMES, SAFE_METHODS, cookie, require_own_page
from infra.http.context import Context, context_of
from infra.http.routes import parts_of
from services.identity.may import require_own_session, require_session
from services.identity.people import CITY_ROLES, Role
from services.identity.tokens import AUDIENCE_OF, AccessToken, Audience
from services.kit.db import Tx
from services.kit.errors import Forbidden, Kind, Missing, Refusal
from services.tills.read import Standing, stand_at_register

_BEARER = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="The `access_token` of a sign-in or a refresh, valid for 10 minutes.",
)


_BY_PIN = frozenset({Role.TILL})
_KIND_AT = {audience: kind for kind, audience in AUDIENCE_OF.items()}


class Unauthenticated(Refusal):
    """Neither a bearer token nor a cookie of ours came with the request."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class RuleMissing(Exception):
    """A route does not say who may use it."""


class Allowed:
    """A rule: bearers of a token for `audience` that has one of `roles`.

    `deed_asks`: a payment's own statements read whether the session is open, the account is active and what it
    may do here, so that it does not pay for a statement of ours.
    `of_oneself`: whoever has signed in to the API keeps it when their last role is taken (signing out, for instance).
    `at_register`: open as well to whoever has signed in by PIN, at a register of the store in the path. Where the
    register is and whether it still counts is always asked of the tables here, so the fast door takes none of them.
    """

    def __init__(
        self,
        audience: Audience,
        *roles: Role,
        deed_asks: bool = False,
        of_oneself: bool = False,
        at_register: bool = False,
    ) -> None:
        if not roles:
            raise RuleMissing(f"a rule for {audience} names no role")
        self.audience = audience
        self.roles = frozenset(roles)
        self.asks_now = not deed_asks
        self.of_oneself = of_oneself
        self.at_register = at_register

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> AccessToken:
        context = context_of(request)
        text = self._sent(request, credentials, context.public_url)
        token = self._verified(context, text)
        if self.at_register and token.roles == _BY_PIN:
            return await self._stand(request, context, token)
        self._require_role(token)
        if self.asks_now:
            await context.database.transact(self._still_holds, token, single=True)
        return token

    def _sent(self, request: Request, credentials: HTTPAuthorizationCredentials | None, public_url: str) -> str:
        """The token that a request is judged by: its header's if there is one, else its cookie's."""
        headers = request.headers.getlist("authorization")
        if credentials is not None and len(headers) == 1:
            return credentials.credentials
        kept = None if headers else cookie(request, NAMES[self.audience].access)
        if kept is None:
            raise Unauthenticated
        require_own_page(request, public_url)
        return kept

    def admit(self, context: Context, text: str) -> AccessToken:
        """What a bearer's token says, if it opens this place now. Raises TokenInvalid, TokenExpired and Forbidden."""
        token = self._verified(context, text)
        self._require_role(token)
        return token

    def _verified(self, context: Context, text: str) -> AccessToken:
        return context.bearers.verify(text, self.audience, context.clock.now())

    def _require_role(self, token: AccessToken) -> None:
        bare = self.of_oneself and not token.roles
        if self.roles.isdisjoint(token.roles) and not bare:
            raise Forbidden

    async def _stand(self, request: Request, context: Context, token: AccessToken) -> AccessToken:
        """The token with its session's register. Raises SessionEnded, and Missing at another store."""
        place, acts = request.path_params.get("store_id"), request.method not in SAFE_METHODS
        try:
            store_id = None if place is None else UUID(place)
        except ValueError as error:
            raise Missing from error
        asked = Standing(token.account_id, token.session_id, store_id, acts)
        return replace(token, register_id=await context.database.transact(stand_at_register, asked))

    async def _still_holds(self, tx: Tx, token: AccessToken) -> None:
        if self.of_oneself:
            await require_own_session(tx, token.account_id, token.session_id, _KIND_AT[self.audience])
        else:
            await require_session(tx, token.account_id, token.session_id, *self.roles)


class Everybody:
    """A rule: no token is asked for, and one that comes along is not looked at."""

    async def __call__(self) -> None:
        return None


PUBLIC = Depends(Everybody())
"""Declares a route to be for everybody: `dependencies=[PUBLIC]`."""

RESIDENT = Allowed(Audience.WALLET, Role.RESIDENT, deed_asks=True)
TILL = Allowed(Audience.MERCHANT, Role.MERCHANT, deed_asks=True, at_register=True)

Resident = Annotated[AccessToken, Depends(Allowed(Audience.WALLET, Role.RESIDENT))]
PayingResident = Annotated[AccessToken, Depends(RESIDENT)]
"""A resident on the hot path: only for paying, which reads the account's state itself."""
StoreStaff = Annotated[AccessToken, Depends(Allowed(Audience.MERCHANT, Role.MERCHANT))]
AtCounter = Annotated[AccessToken, Depends(Allowed(Audience.MERCHANT, Role.MERCHANT, at_register=True))]
"""A store's staff, signed in in full or by PIN: for what every clerk may do."""
Till = Annotated[AccessToken, Depends(TILL)]
"""A store's staff on the hot path: only for use cases that read the account's state themselves."""
Officer = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER))]
Approver = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.APPROVER))]
Auditor = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.AUDITOR))]
Payer = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.APPROVER))]
CityStaff = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.APPROVER, Role.AUDITOR))]
Evaluator = Annotated[
    AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.APPROVER, Role.AUDITOR, Role.ANALYST))
]
"""Whoever may see the city's figures as they are: the office, and analysts, who see nothing else."""
Watcher = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.AUDITOR))]
"""Whoever looks at alerts: the office that judges them, and the auditor who sees how they were judged."""
CallCentre = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.CALL_CENTRE))]
Desk = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.CALL_CENTRE))]
"""Whoever has a resident on the telephone or at the counter."""
Overseer = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.AUDITOR))]
"""Whoever answers for what the city's staff looked at."""
CityAccount = Annotated[AccessToken, Depends(Allowed(Audience.CITY, *CITY_ROLES, of_oneself=True))]
"""Whoever signed in to the city's API, with or without a role: for what is their own."""


def rules_of(app: FastAPI) -> Iterator[tuple[str, str, list[Allowed | Everybody]]]:
    """Every method and path of an app with the rules that guard it."""
    for context in iter_route_contexts(app.routes):
        path = context.path or ""
        if isinstance(context.original_route, APIRoute):
            calls = [part.call for part in parts_of(context.dependant)]
            rules = [call for call in calls if isinstance(call, Allowed | Everybody)]
        else:
            rules = [Everybody()] if path == app.openapi_url else []
        for method in sorted(context.methods or {"*"}):
            yield method, path, rules


def require_rules(app: FastAPI) -> None:
    """Raise RuleMissing unless every route has exactly one rule."""
    for method, path, rules in rules_of(app):
        if len(rules) != 1:
            raise RuleMissing(f"{method} {path} has {len(rules)} access rules; it needs exactly one")
