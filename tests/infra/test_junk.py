"""Whatever is sent to any route, nobody ever gets a 500, and nothing is found broken afterwards.

Junk is made from each route's own shape, so that it gets past the first checks: right names with
wrong values, long numbers, odd text, other people's ids.
"""

import json
import random
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from tests.http_town import CITY, MERCHANT, URL, WALLET, Client, HttpTown

TRIES = 6  # of each route; `make test-long` takes more
LONG_TRIES = 200

VALUES: list[Any] = [
    None, True, 0, -1, 1, 10**20, -(10**20), 1.5, 1e308, "", " ", "0", "x" * 300, "\u0000", "\ud800", "名" * 40,
    "'; DROP TABLE deed; --", "{number}", "../../etc/passwd", [], {}, [[]], {"a": {"b": []}}, [None], "2026-02-30",
    "9999-12-31", "0001-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "officer", "active", "bank",
    "P-256", str(UUID(int=0)), "W00000000000", "S0000-0000", "T" * 13, "1e3", "１０", "%00", "\u202e", "a" * 64,
]  # fmt: skip
BODIES = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 2_000, b'"' + b"x" * 70_000 + b'"']


class Junk:
    """Requests made from an app's own document."""

    def __init__(self, document: dict[str, Any], chance: random.Random, known: list[str]) -> None:
        self._document, self._chance, self._known = document, chance, known

    def requests(self, tries: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                for _ in range(tries):
                    yield method, self._path(path), self._options(operation)

    def _value(self) -> Any:
        return self._chance.choice(VALUES)

    def _known_text(self, form: str | None = None) -> str:
        """Something that exists, of the asked form if there is one; now and then junk."""
        if self._chance.random() < 0.05:
            return str(self._value())
        fits = [text for text in self._known if (len(text) == 36) is (form == "uuid")]
        return "2026-04-15" if form == "date" else self._chance.choice(fits)

    def _path(self, path: str) -> str:
        def fill(place: re.Match[str]) -> str:
            form = "uuid" if place[0].endswith("id}") or place[0] == "{key}" else None
            text = self._known_text(form).encode("utf-8", "surrogatepass")
            return "".join(f"%{byte:02x}" for byte in text) or "x"

        return re.sub(r"\{[a-z_]+\}", fill, path)

    def _options(self, operation: dict[str, Any]) -> dict[str, Any]:
        headers = {"idempotency-key": str(UUID(bytes=self._chance.randbytes(16), version=4))}
        if self._chance.random() < 0.1:
            headers["idempotency-key"] = str(self._value()).encode("ascii", "ignore").decode().replace("\0", "")
        asked = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        params = {name: str(self._value()).encode("utf-8", "replace") for name in asked if self._chance.random() < 0.7}
        options: dict[str, Any] = {"headers": headers, "params": params}
        content = operation.get("requestBody", {}).get("content", {})
        if content:
            media_type = next(iter(content))
            headers["content-type"] = media_type if self._chance.random() < 0.95 else "text/html"
            options["content"] = self._body(content[media_type].get("schema", {}))
        return options

    def _body(self, schema: dict[str, Any]) -> bytes:
        if self._chance.random() < 0.05:
            return self._chance.choice(BODIES)
        if schema.get("type") == "string":
            rows = "\n".join(f"{self._chance.choice(self._known)},{self._value()!r}" for _ in range(3))
            return f"wallet_number,points\n{rows}".encode("utf-8", "surrogatepass")
        return json.dumps(self._object(schema)).encode()

    def _object(self, schema: dict[str, Any]) -> Any:
        """Mostly what the schema asks for, with something wrong here and there."""
        if "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices:
            return self._object(self._chance.choice(choices))
        if self._chance.random() < 0.02:
            return self._value()
        if schema.get("type") == "object" and "properties" in schema:
            return {name: self._object(each) for name, each in schema["properties"].items()}
        if schema.get("type") == "array":
            most = min(schema.get("maxItems", 2), 3)
            return [self._object(schema["items"]) for _ in range(self._chance.randint(0, most))]
        return self._single(schema)

    def _single(self, schema: dict[str, Any]) -> Any:
        fixed = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
        if fixed:
            return self._chance.choice(fixed)
        if schema.get("type") == "integer":
            bounds = [schema.get("minimum", 0), schema.get("maximum", 1)]
            return self._chance.choice([*bounds, 1, self._chance.randint(*bounds)])
        if schema.get("type") == "string" and self._chance.random() < 0.95:
            examples = schema.get("examples", [])
            form = schema.get("format")
            return self._chance.choice(examples) if examples else self._known_text(form)
        return self._value()


async def throw(town: HttpTown, seed: int, tries: int) -> list[str]:
    """Send junk to every route as somebody who may use it; the requests that ended in a 500."""
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    paid = await town.pay(who, shop, 10)
    chance = random.Random(seed)
    ids = (who.wallet.id, who.device.id, shop.id, shop.merchant_id, paid.payment_id, UUID(int=0))
    known = [*map(str, ids), who.wallet.number, shop.code, f"{URL}/S/{shop.code}", "starlight", "common", "small"]
    clients: dict[str, Client] = {WALLET: town.as_resident(who), MERCHANT: town.as_clerk(shop)}
    clients[CITY] = await town.as_staff(Role.OFFICER, Role.APPROVER)
    broken = []
    for client in clients.values():
        known.append(town.code_of(who))
        document = (await client.get("/openapi.json")).json()
        for method, path, options in Junk(document, chance, known).requests(tries):
            answer = await client.request(method, path, **options)
            if answer.status_code == 500 or (answer.status_code >= 400 and "code" not in answer.json()):
                broken.append(f"{method} {path} {options} -> {answer.status_code} {answer.text[:200]}")
    return broken


async def test_junk_never_breaks_anything(engine: AsyncEngine) -> None:
    town = HttpTown(engine)
    await town.programme()
    assert await throw(town, seed=2, tries=TRIES) == []
    await town.must_prove()


@pytest.mark.long
async def test_much_junk_never_breaks_anything(engine: AsyncEngine) -> None:
    town = HttpTown(engine)
    await town.programme()
    assert await throw(town, seed=3, tries=LONG_TRIES) == []
    await town.must_prove()
