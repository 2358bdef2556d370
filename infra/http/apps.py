"""An API as an application: strict routes, problems, one edge, an OpenAPI document, deny by default."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

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
    for each in routers:
        app.include_router(each)
    require_rules(app)
    return app


def _operation_id(route: APIRoute) -> str:
    """The endpoint's own name: short, stable, and what generated clients will call it."""
    return route.name
