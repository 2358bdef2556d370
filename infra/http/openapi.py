"""The OpenAPI document of an app: the product of this platform, so every refusal is in it.

A route lists the refusals of its own rules with `refuses`; what any route may answer
(unauthenticated, invalid, busy …) is added here from the route itself.
"""

from collections.abc import Iterable
from typing import Any

import locales
from infra.http.problems import PROBLEM_JSON, InvalidRequest, MalformedJson, Problem
from infra.http.rates import UNCOUNTED, TooManyRequests
from services.kit.deeds import DeedIdReused, DeedInProgress
from services.kit.errors import Busy, Missing, Refusal

CODES = "x-codes"
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_KEY_SCHEMA = {"type": "string", "pattern": f'^("{_UUID}"|{_UUID})$'}
_NO_ENTRY = ("unauthenticated", "cookie_unclear", "token_invalid", "token_expired", "session_ended")
_REFERENCE = {"$ref": "#/components/schemas/Problem"}


def refuses(*refusals: type[Refusal]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse in these ways."""
    found: dict[int | str, dict[str, Any]] = {}
    for refusal in refusals:
        response = found.setdefault(refusal.kind.value, {"description": "", CODES: []})
        response[CODES].append(refusal.code)
    return found


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Describe every problem of every operation; replaces the validation errors that FastAPI assumes."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for assumed in ("HTTPValidationError", "ValidationError"):
        schemas.pop(assumed, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in document.get("paths", {}).items():
        for operation in operations.values():
            _complete_operation(path, operation)
    whole: dict[str, Any] = _with_whole_bounds(document)
    return whole


def _with_whole_bounds(value: Any) -> Any:
    """The same, with bounds like 9999999999 instead of FastAPI's 9999999999.0."""
    if isinstance(value, dict):
        return {
            name: int(each)
            if name in _BOUNDS and isinstance(each, float) and each.is_integer()
            else _with_whole_bounds(each)
            for name, each in value.items()
        }
    return [_with_whole_bounds(each) for each in value] if isinstance(value, list) else value


def _complete_operation(path: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    own = {status: list(response.get(CODES, ())) for status, response in responses.items()}
    for status, codes in _usual(path, operation).items():
        own.setdefault(status, []).extend(codes)
    for status, codes in own.items():
        if codes:
            unique = list(dict.fromkeys(codes))
            responses[status] = {
                "description": "\n".join(_line(code) for code in unique),
                CODES: unique,
                "content": {PROBLEM_JSON: {"schema": _REFERENCE}},
            }
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":
            parameter |= {"required": True, "schema": _KEY_SCHEMA}
    operation["responses"] = dict(sorted(responses.items()))


def _usual(path: str, operation: dict[str, Any]) -> dict[str, list[str]]:
    """What every route of this shape may answer."""
    parameters: Iterable[dict[str, Any]] = operation.get("parameters", ())
    named = any(parameter["name"] == "Idempotency-Key" for parameter in parameters)
    usual: dict[str, list[str]] = {"503": [Busy.code]}
    if not path.endswith(UNCOUNTED):
        usual["429"] = [TooManyRequests.code]
    if operation.get("security"):
        usual |= {"401": [*_NO_ENTRY], "403": ["forbidden", "cross_site"]}
    if "{" in path:
        usual["404"] = [Missing.code]
    if operation.get("parameters") or "requestBody" in operation:
        usual["422"] = [InvalidRequest.code]
    if "requestBody" in operation:
        usual |= {"400": [MalformedJson.code], "413": ["content_too_large"], "415": ["unsupported_media_type"]}
    if named:
        usual.setdefault("400", []).extend(["idempotency_key_missing", "idempotency_key_invalid"])
        usual["409"] = [DeedInProgress.code]
        usual.setdefault("422", []).append(DeedIdReused.code)
    return usual


def _line(code: str) -> str:
    text = locales.find("en", f"error.{code}")
    return f"- `{code}`: {text}" if text else f"- `{code}`"
