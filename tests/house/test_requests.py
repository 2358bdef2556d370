"""What every request is read with: no field, query parameter or part of a path guesses what a yes or a number is."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter

from infra.http.routes import parts_of
from infra.http.strict import Body, Flag, TrueOrFalse, WholeText
from tests.house.test_routes import APPS

TEXTS = ("path_params", "query_params", "header_params", "cookie_params")
"""What comes as text, whatever it stands for."""


def asked(app: FastAPI) -> Iterator[tuple[str, str, Any]]:
    """Every field of every request of an app: its route and name, where it is, and how pydantic reads it."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            for part in parts_of(context.dependant):
                for where in (*TEXTS, "body_params"):
                    for field in getattr(part, where):
                        yield f"{context.path} {field.alias}", where, field._type_adapter.core_schema


def readers(schema: Any, within: Any = None) -> Iterator[tuple[Any, Any]]:
    """What reads a yes or a whole number somewhere in a schema, each with what it is in."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if isinstance(kind, str) and kind in {"bool", "int"}:
            yield schema, within
        for name, value in schema.items():
            if name != "metadata" or not isinstance(kind, str):  # else it is fields by their names
                yield from readers(value, schema)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from readers(value, within)


def guesses(schema: Any, where: str) -> list[str]:
    """Which of its readers take more than is documented, by their kind."""
    found = []
    for reader, within in readers(schema):
        named = within is not None and within.get("type") == "function-before" and within["function"]["function"]
        ours = named in _OURS[reader["type"]] if where in TEXTS else reader.get("strict", False)
        if not ours:
            found.append(reader["type"])
    return found


_OURS = {
    "bool": {TypeAdapter(Flag).core_schema["function"]["function"]},
    "int": {WholeText.func},
}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_every_yes_and_every_number_of_a_request_is_read_strictly(app: FastAPI) -> None:
    found = list(asked(app))
    assert len(found) > 20
    assert [(name, where) for name, where, schema in found if guesses(schema, where)] == []


def test_there_are_such_fields_to_find() -> None:
    """The walk goes through bodies, their parts, and addresses: it sees those that are known."""
    seen = {
        (name, reader["type"])
        for app in APPS.values()
        for name, _, schema in asked(app)
        for reader, _ in readers(schema)
    }
    assert seen >= {
        ("/sign-out body", "bool"),
        ("/programmes body", "bool"),
        ("/grants/batches dry_run", "bool"),
        ("/measures/{name} compare", "bool"),
        ("/measures/{name} today", "bool"),
        ("/programmes/{code}/versions/{version}/approval version", "int"),
        ("/audit limit", "int"),
    }


class Lenient(Body):
    deep: dict[str, list[bool | None]]


def test_a_lenient_one_would_be_found() -> None:
    """Control: what pydantic reads by itself, however deep it is."""
    assert guesses(TypeAdapter(Lenient).core_schema, "body_params") == ["bool"]
    assert guesses(TypeAdapter(TrueOrFalse).core_schema, "body_params") == []
    plain: list[TypeAdapter[Any]] = [TypeAdapter(bool), TypeAdapter(int | None), TypeAdapter(TrueOrFalse)]
    assert all(guesses(each.core_schema, "query_params") for each in plain)
    assert guesses(TypeAdapter(Flag | None).core_schema, "query_params") == []
