"""Who is asking, and may they: bearer tokens, and a rule on every route.

Law: deny by default. A route that does not say who may use it stops the start; `PUBLIC` says it
is for everybody. What an account may do with a thing (its wallet, its store) is asked of the
tables by each use case; a resident's own includes that the account is open. Staff handle other
people's money, so that their account is open and has its role is asked of the tables at each
request: what was taken away is gone at the next.
"""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Security
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from infra.http.context import Context, context_of
from infra.http.routes import parts_of
from services.identity.may import require_role
from services.identity.people import Role
from services.identity.tokens import AccessToken, Audience
from services.kit.db import Tx
from services.kit.errors import Forbidden, Kind, Refusal

_BEARER = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="The `access_token` of a sign-in, valid for 30 minutes."
)


_STAFF = frozenset({Audience.MERCHANT, Audience.CITY})


class Unauthenticated(Refusal):
    """No bearer token came with the request."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class RuleMissing(Exception):
    """A route does not say who may use it."""


class Allowed:
    """A rule: bearers of a token for `audience` that has one of `roles`.

    `deed_asks`: the use case itself reads whether the account is open and what it may do here,
    so that a payment does not pay for a statement of ours.
    """

    def __init__(self, audience: Audience, *roles: Role, deed_asks: bool = False) -> None:
        if not roles:
            raise RuleMissing(f"a rule for {audience} names no role")
        self.audience = audience
        self.roles = frozenset(roles)
        self.asks_now = audience in _STAFF and not deed_asks

    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> AccessToken:
        if credentials is None or len(request.headers.getlist("authorization")) != 1:
            raise Unauthenticated
        context = context_of(request)
        token = self.admit(context, credentials.credentials)
        if self.asks_now:
            await context.database.transact(self._still_holds, token.account_id, direct=True)
        return token

    def admit(self, context: Context, text: str) -> AccessToken:
        """What a bearer's token says, if it opens this place now. Raises TokenInvalid, TokenExpired and Forbidden."""
        token = context.bearers.verify(text, self.audience, context.clock.now())
        if self.roles.isdisjoint(token.roles):
            raise Forbidden
        return token

    async def _still_holds(self, tx: Tx, account_id: UUID) -> None:
        await require_role(tx, account_id, *self.roles)


class Everybody:
    """A rule: no token is asked for, and one that comes along is not looked at."""

    async def __call__(self) -> None:
        return None


PUBLIC = Depends(Everybody())
"""Declares a route to be for everybody: `dependencies=[PUBLIC]`."""

RESIDENT = Allowed(Audience.WALLET, Role.RESIDENT)
TILL = Allowed(Audience.MERCHANT, Role.MERCHANT, deed_asks=True)

Resident = Annotated[AccessToken, Depends(RESIDENT)]
StoreStaff = Annotated[AccessToken, Depends(Allowed(Audience.MERCHANT, Role.MERCHANT))]
Till = Annotated[AccessToken, Depends(TILL)]
"""A store's staff on the hot path: only for use cases that read the account's state themselves."""
Officer = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER))]
Approver = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.APPROVER))]
Auditor = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.AUDITOR))]
Payer = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.APPROVER))]
CityStaff = Annotated[AccessToken, Depends(Allowed(Audience.CITY, Role.OFFICER, Role.APPROVER, Role.AUDITOR))]


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
