"""The one kind of route that our apps have: strict about what it is sent."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from infra.http.edge import BODY_LIMIT
from infra.http.problems import EdgeProblem, InvalidRequest
from infra.http.strict import MAX_CODE, StrictRequest, is_one_line

E = TypeVar("E", bound=Callable[..., Any])
_LIMIT = "body_limit_bytes"


def takes_bytes(most: int) -> Callable[[E], E]:
    """Of an endpoint whose JSON may be longer than others': as long as the longest that its document allows."""

    def marked(endpoint: E) -> E:
        setattr(endpoint, _LIMIT, most)
        return endpoint

    return marked


class StrictRoute(APIRoute):
    """A route that refuses undocumented query parameters and anything but strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[None, None, Response]]:
        handle = super().get_route_handler()
        known = {field.alias for part in parts_of(self.dependant) for field in part.query_params}
        takes_json = self.body_field is not None
        most: int | None = getattr(self.endpoint, _LIMIT, None)

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            _check_address(strict, known)
            if takes_json:
                if most is not None:
                    request.scope[BODY_LIMIT] = most
                # Read here, not by FastAPI, which would call every fault of a body the same.
                await _check_content(strict)
            return await handle(strict)

        return strictly


def parts_of(dependant: Dependant) -> Iterator[Dependant]:
    """An endpoint and everything that it depends on."""
    yield dependant
    for below in dependant.dependencies:
        yield from parts_of(below)


async def _check_content(request: StrictRequest) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise EdgeProblem(415, "unsupported_media_type", expected="application/json")
    await request.json()


def _check_address(request: Request, known: set[str]) -> None:
    """No control character in the path, no query parameter that is unknown, repeated or unprintable."""
    if not is_one_line(request.scope["path"]):
        raise InvalidRequest(fields=[{"location": "path", "code": "control_character"}])
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        clean = is_one_line(name) and is_one_line(value)
        code = "control_character" if not clean else "unknown" if name not in known else "repeated"
        if code != "repeated" or name in seen:
            shown = ascii(name[:MAX_CODE])[1:-1]
            raise InvalidRequest(fields=[{"location": f"query.{shown}", "code": code}])
        seen.add(name)
