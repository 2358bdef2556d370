"""An API as an application: strict routes, problems, one edge, an OpenAPI document, deny by default."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from infra.http import openapi, problems
from infra.http.auth import require_rules
from infra.http.context import Context
from infra.http.edge import Edge
from infra.http.routes import StrictRoute
from infra.http.turnstile import Turnstile
from services.identity.tokens import Audience

VERSION = "1"
_NO_TELEMETRY: Any = {"auto_configure": False, "tracing": False, "metrics": False}


class Api(FastAPI):
    """FastAPI whose document tells every problem."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = openapi.complete(super().openapi())
        return self.openapi_schema


def router(tag: str) -> APIRouter:
    """A router for one screenful of endpoints."""
    return APIRouter(route_class=StrictRoute, tags=[tag])


def create_api(
    context: Context,
    audience: Audience,
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    seconds: float,
) -> FastAPI:
    """One API over a context. Raises RuleMissing when a route does not say who may use it."""
    app = Api(
        title=title,
        description=description,
        version=VERSION,
        openapi_url="/openapi.json" if context.docs else None,
        docs_url=None,  # the documents are for programs; their viewers load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        telemetry=_NO_TELEMETRY,
    )
    app.state.context = context
    problems.install(app)
    app.add_middleware(Turnstile, context=context, audience=audience)
    app.add_middleware(Edge, seconds=seconds, secure=context.public_url.startswith("https:"))
    app.router.routes.extend(_included(routers))
    require_rules(app)
    return app


_INCLUDED: dict[tuple[int, ...], list[BaseRoute]] = {}
"""By the routers' identities, which the routes keep: FastAPI's routers cannot be hashed."""


def _included(routers: Sequence[APIRouter]) -> list[BaseRoute]:
    """These routers' routes as an app has them. They hold nothing of a context, so all apps of a process share them:
    learning 190 endpoints by heart takes FastAPI a quarter of a second each time."""
    key = tuple(map(id, routers))
    if key not in _INCLUDED:
        carrier = FastAPI(openapi_url=None, generate_unique_id_function=_operation_id, telemetry=_NO_TELEMETRY)
        for each in routers:
            carrier.include_router(each)
        _INCLUDED[key] = carrier.router.routes
    return _INCLUDED[key]


def _operation_id(route: APIRoute) -> str:
    """The endpoint's own name: short, stable, and what generated clients will call it."""
    return route.name
