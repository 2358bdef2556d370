"""The outermost layer of every app: a request id, limits on body and time, headers, the last resort.

Law: nothing that a client sends makes this process answer with its insides, wait for ever or
read without end. Forwarding headers are not read at all: whoever sits in front of us is not
believed, and addresses that we write come from the settings.
"""

import asyncio
import logging
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.http.problems import REQUEST_ID, EdgeProblem, problem_response, refusal_response
from infra.http.security import standard_headers
from services.kit.errors import Busy, Refusal

BODY_LIMIT = "tanabata.body_limit"
DEADLINE = "tanabata.deadline"
"""When a request's time is over, by the loop's clock, where it began before it came here."""
MAX_BODY_BYTES = 64 * 1024
MAX_LIST_BYTES = 1024 * 1024
"""20,000 references of 20 characters with all that JSON puts around them, twice over."""
MAX_CSV_BYTES = 5 * 1024 * 1024
MAX_REGISTER_BYTES = 32 * 1024 * 1024
"""A city of 300,000 people, one line of some 80 bytes each."""

log = logging.getLogger(__name__)


class Edge:
    """ASGI middleware around one app; inside another edge it steps aside.

    `seconds` bounds the whole request. A deed that was cut off by it may have happened: its
    id says so when it is sent again.
    """

    def __init__(self, app: ASGIApp, *, seconds: float, secure: bool) -> None:
        self._app = app
        self._seconds = seconds
        self._headers = standard_headers(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or REQUEST_ID in scope:
            await self._app(scope, receive, send)
            return
        scope[REQUEST_ID] = request_id = str(uuid4())
        scope[BODY_LIMIT] = MAX_BODY_BYTES
        due = scope.get(DEADLINE) or asyncio.get_running_loop().time() + self._seconds
        started = False

        async def stamped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            async with asyncio.timeout_at(due):
                await self._app(scope, limited(scope, receive), stamped)
        except Exception as error:
            if started:
                raise
            await last_resort(scope, error)(scope, receive, stamped)


def last_resort(scope: Scope, error: Exception) -> Response:
    """The problem for what no handler answered: a refusal as itself, anything else as our fault."""
    if isinstance(error, Refusal):
        return refusal_response(scope, error)
    if isinstance(error, EdgeProblem):
        return problem_response(scope, error.status_code, error.detail, error.params)
    if isinstance(error, TimeoutError):
        log.warning("request %s took too long", scope[REQUEST_ID])
        return refusal_response(scope, Busy(retry_after_seconds=1))
    if isinstance(error, ClientDisconnect):  # whoever left before they had said everything; nobody hears this
        return problem_response(scope, 400, "malformed_request")
    log.error("request %s failed", scope[REQUEST_ID], exc_info=error)
    return problem_response(scope, 500, "internal_error", {"error_id": scope[REQUEST_ID]})


def limited(scope: Scope, receive: Receive) -> Receive:
    """`receive`, counting: the limit is the scope's, so that a route may raise its own before reading."""
    stated = Headers(scope=scope).get("content-length", "0")
    total = int(stated) if stated.isascii() and stated.isdigit() else 0
    received = 0

    async def counted() -> Message:
        nonlocal received
        if total > scope[BODY_LIMIT]:
            raise EdgeProblem(413, "content_too_large", limit_bytes=scope[BODY_LIMIT])
        message = await receive()
        received += len(message.get("body", b""))
        if received > scope[BODY_LIMIT]:
            raise EdgeProblem(413, "content_too_large", limit_bytes=scope[BODY_LIMIT])
        return message

    return counted
