"""A body that is a list in CSV, up to a limit of its own; and its problems in the reader's words."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request

import locales
from infra.http.edge import BODY_LIMIT
from infra.http.problems import EdgeProblem
from services.residency.lists import ResidentListInvalid


def csv_of(limit_bytes: int) -> Callable[[Request], Awaitable[bytes]]:
    """A dependency that reads the list. It raises 415 for another type of content, 413 beyond the limit."""

    async def csv_body(request: Request) -> bytes:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "text/csv":
            raise EdgeProblem(415, "unsupported_media_type", expected="text/csv")
        request.scope[BODY_LIMIT] = limit_bytes
        return await request.body()

    return csv_body


def described(description: str) -> dict[str, Any]:
    """What OpenAPI says of such a body."""
    content = {"text/csv": {"schema": {"type": "string"}}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def in_words(refusal: ResidentListInvalid, accept_language: str) -> ResidentListInvalid:
    """The same refusal, each problem with a `text` in the first language that the reader asks for."""
    language = locales.choose(accept_language)
    problems = [
        problem | {"text": locales.text(language, f"list.problem.{problem['code']}")}
        for problem in refusal.params["problems"]
    ]
    return ResidentListInvalid(**(refusal.params | {"problems": problems}))
