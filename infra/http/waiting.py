"""A platform that does not know the time yet: it listens, and asks everybody to come back.

Law: fail closed. A token's life, a deed's instant and a reservation's end are compared with the database's
time, so nothing is answered before it is known; a process that starts while the database is down neither dies nor
guesses.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from infra.http.edge import Edge
from services.kit.errors import Busy

RETRY_SECONDS = 2
_SECONDS = 5.0


async def come_back(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An app that is always busy."""
    raise Busy(retry_after_seconds=RETRY_SECONDS)


def busy(*, secure: bool) -> ASGIApp:
    """`come_back` with an answer's form: 503, a problem, Retry-After, the headers of every answer."""
    return Edge(come_back, seconds=_SECONDS, secure=secure)


class Waiting:
    """Stands before an app until the database was `reached`; its lifespan is the app's from the first."""

    def __init__(self, app: ASGIApp, reached: asyncio.Event, *, secure: bool) -> None:
        self._app = app
        self._reached = reached
        self._busy = busy(secure=secure)

    @property
    def now(self) -> ASGIApp:
        """Who answers at this moment."""
        return self._app if self._reached.is_set() else self._busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.now if scope["type"] == "http" else self._app
        await app(scope, receive, send)
