"""Values at the limits of what an API's document lets be sent, and requests with each in its place."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from infra.access.matrix import Place
from infra.commands.openapi import documents
from tests.access.requests import Ask

NIL, MAX = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
UNKNOWN = "0195f0c0-0000-7000-8000-000000000001"
INTEGERS = (0, 1, -1, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63)
FORMS: dict[str, tuple[str, ...]] = {
    "uuid": (NIL, MAX, UNKNOWN),
    "date": ("0001-01-01", "9999-12-31", "2024-02-29"),
    "date-time": ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "1970-01-01T00:00:00Z"),
}
SIGNS = ("x", "0", "あ", "𠮷", "\U0010ffff", "\u0000", "'", "\\")
MOST_SIGNS, MOST_ENTRIES = 9_000, 100


@cache
def document(api: str) -> Any:
    return json.loads(documents()[api])


def operation_of(place: Place) -> Any:
    return document(place.api)["paths"][place.path][place.method.lower()]


def _schemas(doc: Any, schema: Any) -> Iterator[Any]:
    """What a schema may be: without references, and each of its alternatives."""
    while "$ref" in schema:
        found = doc
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives is None:
        yield schema
        return
    for each in alternatives:
        yield from _schemas(doc, each)


def values(doc: Any, schema: Any) -> Iterator[Any]:
    """Values that fit, the smallest and the greatest among them, and some just beyond."""
    for each in _schemas(doc, schema):
        if "enum" in each or "const" in each:
            yield from each.get("enum", [each.get("const")])
            continue
        match each.get("type"):
            case "null":
                yield None
            case "boolean":
                yield from (True, False)
            case "integer" | "number":
                yield from (each[key] for key in ("minimum", "maximum") if key in each)
                yield from INTEGERS
            case "string":
                yield from FORMS.get(each.get("format", ""), ()) or _texts(each)
            case "array":
                entry = _example(doc, each["items"])
                yield from ([], [entry], [entry] * min(each.get("maxItems", MOST_ENTRIES), MOST_ENTRIES))
            case _:
                yield {}
                if "properties" in each:
                    yield _example(doc, each)


def _texts(schema: Any) -> Iterator[str]:
    most = min(schema.get("maxLength", 300), MOST_SIGNS)
    for sign in SIGNS:
        yield sign * max(schema.get("minLength", 1), 1)
        yield sign * most
    yield from ("", "x" * (most + 1), "2026-04", "0001-01", "9999-12", "NULL")


def _example(doc: Any, schema: Any) -> Any:
    its = next(_schemas(doc, schema))
    if "properties" in its:
        return {name: _example(doc, each) for name, each in its["properties"].items()}
    return next(values(doc, its), None)


def bodies(doc: Any, schema: Any, body: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """The body with each member absent, null and at its limits, also those that it leaves out; and all at once."""
    for its in _schemas(doc, schema):
        if isinstance(body, list) and body and "items" in its:
            yield from ((name, [entry, *body[1:]]) for name, entry in bodies(doc, its["items"], body[0], f"{where}[0]"))
        if not isinstance(body, dict) or "properties" not in its:
            continue
        optional = [name for name in its["properties"] if name not in its.get("required", ())]
        for name, member in its["properties"].items():
            path = f"{where}.{name}"
            yield f"{path} absent", {key: value for key, value in body.items() if key != name}
            yield f"{path} null", {**body, name: None}
            for value in values(doc, member):
                yield f"{path} = {str(value)[:30]!a}", {**body, name: value}
            if name in body:
                yield from ((what, {**body, name: inner}) for what, inner in bodies(doc, member, body[name], path))
        if optional:
            yield f"{where} without optional members", {key: body[key] for key in body if key not in optional}
            yield f"{where} with all null", {**body, **dict.fromkeys(optional)}


def asks(place: Place, ask: Ask) -> Iterator[tuple[str, Ask]]:
    """The request with each of its parameters, and each member of its body, at its limits."""
    doc, operation, parts = document(place.api), operation_of(place), ask.path.split("/")
    for each in operation.get("parameters", ()):
        name = each["name"]
        for value in values(doc, each["schema"]):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            what = f"{each['in']} {name} = {text[:30]!a}"
            if each["in"] == "query" and value is not None:
                yield what, replace(ask, params={**ask.params, name: text})
            elif each["in"] == "path" and 0 < len(text) <= MOST_ENTRIES:
                escaped = "".join(f"%{byte:02x}" for byte in text.encode())
                named = enumerate(place.path.split("/"))
                turn, part = next((turn, part) for turn, part in named if "{" + name + "}" in part)
                filled = part.replace("{" + name + "}", escaped)
                yield what, replace(ask, path="/".join([*parts[:turn], filled, *parts[turn + 1 :]]))
    if "Idempotency-Key" in [each["name"] for each in operation.get("parameters", ())]:
        for key in (NIL, MAX):
            yield f"key = {key}", replace(ask, headers={**ask.headers, "idempotency-key": key})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None and ask.body is not None:
        for name, body in bodies(doc, content["schema"], ask.body):
            yield name, replace(ask, body=None, content=json.dumps(body).encode())
