"""Refusals become RFC 9457 problems here, once; nothing else in the project writes an error body.

Law: a caller always gets a stable `code` with its parameters, never a trace, a statement or
the value that it sent (which may be a secret). Bad input is never a 500.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Scope

import locales
from infra.http.methods import allowed_methods
from services.kit.errors import Kind, Missing, Refusal

PROBLEM_JSON = "application/problem+json"
REQUEST_ID = "tanabata.request_id"
MAX_FIELDS = 20
_UNKNOWN_REQUEST = "00000000-0000-0000-0000-000000000000"

_BY_STATUS = {
    400: "malformed_request",
    404: Missing.code,
    405: "method_not_allowed",
}


class InvalidRequest(Refusal):
    """Fields of the request are missing, unknown or outside their bounds; `fields` names each."""

    code = "invalid_request"


class MalformedJson(Refusal):
    """The body is not one JSON value in UTF-8, repeats a name, or is nested too deeply."""

    code = "malformed_json"
    kind = Kind.MALFORMED


class EdgeProblem(HTTPException):
    """What HTTP itself refuses, with a code: no such method, a body too large, another content type."""

    def __init__(self, status: int, code: str, **params: object) -> None:
        super().__init__(status, code)
        self.params = params


class Problem(BaseModel):
    """A refusal (RFC 9457). Programs rely on `code` and `params`; `detail` is for developers."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="`urn:tanabata:problem:` and the code.")
    title: str = Field(description="The code in words; the same in every case.")
    status: int = Field(description="The HTTP status.")
    detail: str | None = Field(description="What happened, in English; may change any day.")
    instance: str = Field(description="The request, as `urn:uuid:`; the same id as `X-Request-Id`.")
    code: str = Field(description="What happened, for programs; never changes.")
    params: dict[str, Any] = Field(description="The code's parameters: amounts, limits, field names.")


def problem_response(
    scope: Scope,
    status: int,
    code: str,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem of a request, ready to send."""
    plain = msgspec.to_builtins(dict(params or {}), enc_hook=str, str_keys=True)
    body = Problem(
        type=f"urn:tanabata:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=locales.find("en", f"error.{code}", **plain),
        instance=f"urn:uuid:{scope.get(REQUEST_ID, _UNKNOWN_REQUEST)}",
        code=code,
        params=plain,
    )
    sent = dict(headers or {})
    if "retry_after_seconds" in plain:
        sent["Retry-After"] = str(plain["retry_after_seconds"])
    if status == HTTPStatus.UNAUTHORIZED:
        sent.setdefault("WWW-Authenticate", "Bearer")
    return Response(body.model_dump_json(), status, sent, PROBLEM_JSON)


def refusal_response(scope: Scope, refusal: Refusal) -> Response:
    return problem_response(scope, refusal.kind.value, refusal.code, refusal.params)


async def on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise TypeError("only refusals are answered here") from error
    return refusal_response(request.scope, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the router itself refuses: no such path, no such method, a body beyond its limit."""
    if not isinstance(error, HTTPException):
        raise TypeError("only HTTP exceptions are answered here") from error
    if isinstance(error, EdgeProblem):
        return problem_response(request.scope, error.status_code, error.detail, error.params)
    code = _BY_STATUS.get(error.status_code, "malformed_request")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and isinstance(request.app, FastAPI):
        headers["Allow"] = ", ".join(allowed_methods(request.app, request.scope))
    return problem_response(request.scope, error.status_code, code, headers=headers)


async def on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError("only validation errors are answered here") from error
    return refusal_response(request.scope, InvalidRequest(fields=describe_fields(error.errors())))


def install(app: FastAPI) -> None:
    """Answer every refusal of an app as a problem."""
    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_invalid_request)


_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_type": "not_text",
    "string_unicode": "not_text",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "wrong_form",
    "too_short": "too_few",
    "too_long": "too_many",
    "literal_error": "not_a_choice",
    "enum": "not_a_choice",
    "list_type": "not_a_list",
    "tuple_type": "not_a_list",
    "dict_type": "not_an_object",
    "model_type": "not_an_object",
    "model_attributes_type": "not_an_object",
}
_FAMILIES = {
    "int": "not_a_whole_number",
    "bool": "not_true_or_false",
    "uuid": "not_a_uuid",
    "date": "not_a_date",
    "datetime": "not_an_instant",
    "url": "not_a_url",
}
_BOUNDS = {
    "gt": "above",
    "ge": "minimum",
    "lt": "below",
    "le": "maximum",
    "min_length": "minimum",
    "max_length": "maximum",
    "expected": "expected",
}


def describe_fields(errors: Sequence[Any]) -> list[dict[str, object]]:
    """Where each error is and what it is, in a vocabulary of our own; never what was sent."""
    described = []
    for error in errors[:MAX_FIELDS]:
        kind: str = error["type"]
        family = _FAMILIES.get(kind.partition("_")[0])
        ours = kind.removeprefix("field_") if kind.startswith("field_") else family
        limits = {
            name: error["ctx"][key]
            for key, name in _BOUNDS.items()
            if isinstance(error.get("ctx", {}).get(key), int | str)
        }
        described.append(
            {"location": _location(error["loc"]), "code": _CODES.get(kind, ours or "wrong_value"), **limits}
        )
    return described


def _location(parts: Sequence[object]) -> str:
    """A path like `body.purses.0.points`; names that the caller invented are cut and made printable."""
    return ".".join(ascii(str(part)[:60])[1:-1] for part in parts)
