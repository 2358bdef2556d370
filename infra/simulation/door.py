"""Requests to the platform as apps send them, through the whole of HTTP but the wire."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from starlette.types import ASGIApp

from infra.http.idempotency import HEADER, REPLAY_HEADER


class WentWrong(Exception):
    """Something in the story did not go as it must; the message says what."""


class Answer:
    """What the platform said."""

    def __init__(self, asked: str, response: httpx.Response) -> None:
        self._asked = asked
        self._response = response

    @property
    def content(self) -> bytes:
        return self._response.content

    @property
    def text(self) -> str:
        return self._response.text

    @property
    def replayed(self) -> bool:
        return bool(self._response.headers.get(REPLAY_HEADER) == "true")

    def done(self) -> dict[str, Any]:
        """The body of an answer that went well. Raises WentWrong for any other."""
        self.must_succeed()
        body: dict[str, Any] = self._response.json()
        return body

    def must_succeed(self) -> None:
        if not self._response.is_success:
            raise WentWrong(f"{self._asked}: {self._response.status_code} {self._response.text}")

    def refused(self) -> str | None:
        """The code of a refusal, None where it went well. Raises WentWrong for a fault of the platform's."""
        if self._response.is_success:
            return None
        if self._response.status_code >= 500:
            self.must_succeed()
        code: str = self._response.json()["code"]
        return code

    def must_be_refused(self, code: str) -> None:
        """Raise WentWrong unless it was refused with exactly this code."""
        if self.refused() != code:
            raise WentWrong(f"{self._asked}: {code} was expected, not {self._response.status_code} {self.text}")


class Door:
    """The one way into the platform that actors have."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=url, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

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
        headers = {"accept-language": "ja"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if key is not None:
            headers[HEADER] = str(key)
        if csv is not None:
            headers["content-type"] = "text/csv"
        response = await self._client.request(method, path, headers=headers, json=body, content=csv, params=query)
        return Answer(f"{method} {path}", response)
