"""Requests to the platform as apps send them, through the whole of HTTP but the wire.

The application is called as a server would call it, by ASGI. A client library in between would cost
more than most of the platform's own work, a million times over.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import msgspec
from starlette.types import ASGIApp, Message, Scope

from infra.http.idempotency import HEADER, REPLAY_HEADER

_KEY, _REPLAYED = HEADER.lower().encode(), REPLAY_HEADER.lower().encode()


class WentWrong(Exception):
    """Something in the story did not go as it must; the message says what."""


class Answer:
    """What the platform said."""

    def __init__(self, asked: str, status: int, headers: Mapping[bytes, bytes], content: bytes) -> None:
        self.content = content
        self._asked = asked
        self._status = status
        self._headers = headers

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def replayed(self) -> bool:
        return self._headers.get(_REPLAYED) == b"true"

    def done(self) -> dict[str, Any]:
        """The body of an answer that went well. Raises WentWrong for any other."""
        self.must_succeed()
        return self._json()

    def must_succeed(self) -> None:
        if not self._went_well():
            raise WentWrong(f"{self._asked}: {self._status} {self.text}")

    def refused(self) -> str | None:
        """The code of a refusal, None where it went well. Raises WentWrong for a fault of the platform's."""
        if self._went_well():
            return None
        if self._status >= 500:
            self.must_succeed()
        code: str = self._json()["code"]
        return code

    def must_be_refused(self, *codes: str) -> None:
        """Raise WentWrong unless it was refused with exactly this code, or one of these."""
        if self.refused() not in codes:
            raise WentWrong(f"{self._asked}: {' or '.join(codes)} was expected, not {self._status} {self.text}")

    def _went_well(self) -> bool:
        return 200 <= self._status < 300

    def _json(self) -> dict[str, Any]:
        return msgspec.json.decode(self.content, type=dict[str, Any])


class Door:
    """The one way into the platform that actors have."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        parts = urlsplit(url)
        self._app = app
        self._scheme = parts.scheme
        self._server = (parts.hostname, parts.port)
        self._headers = [(b"host", parts.netloc.encode()), (b"accept-language", b"ja")]

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: UUID | None = None,
        body: Mapping[str, object] | None = None,
        csv: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; `key` names a command, `token` says who asks."""
        headers = list(self._headers)
        if token is not None:
            headers.append((b"authorization", b"Bearer " + token.encode()))
        if key is not None:
            headers.append((_KEY, str(key).encode()))
        content = b""
        if csv is not None:
            content = csv
            headers.append((b"content-type", b"text/csv"))
        elif body is not None:
            content = msgspec.json.encode(body)
            headers.append((b"content-type", b"application/json"))
        if content:
            headers.append((b"content-length", str(len(content)).encode()))
        exchange = _Exchange(content)
        await self._app(self._scope(method, path, headers, query), exchange.receive, exchange.send)
        return Answer(f"{method} {path}", exchange.status, exchange.headers, b"".join(exchange.chunks))

    def _scope(
        self, method: str, path: str, headers: list[tuple[bytes, bytes]], query: Mapping[str, str] | None
    ) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": self._scheme,
            "path": path,
            "raw_path": path.encode("ascii"),
            "query_string": urlencode(query or {}).encode("ascii"),
            "root_path": "",
            "headers": headers,
            "server": self._server,
            "client": None,
        }


class _Exchange:
    """One request's body on its way in, and the answer's parts on their way out."""

    def __init__(self, content: bytes) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self._content: bytes | None = content
        self._answered = asyncio.Event()

    async def receive(self) -> Message:
        """The whole body at once; the client leaves when it has its answer."""
        if self._content is not None:
            content, self._content = self._content, None
            return {"type": "http.request", "body": content, "more_body": False}
        await self._answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
            return
        self.chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._answered.set()
