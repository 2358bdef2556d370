"""Every refusal of HTTP is a problem with a stable code; nothing internal is ever told."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from infra.http import edge
from infra.http.apps import create_api, router
from infra.http.auth import PUBLIC
from infra.http.context import Context
from infra.http.openapi import refuses
from infra.http.problems import PROBLEM_JSON
from infra.http.rates import Rates
from infra.http.strict import AmountYen, Body, Name
from services.identity.tokens import Audience
from services.kit.errors import Busy, Kind, Missing, Refusal

pytestmark = pytest.mark.usefixtures("quick_edge")


class Sold(Refusal):
    code = "test_sold"
    kind = Kind.CONFLICT


class Order(Body):
    amount_yen: AmountYen
    name: Name


routes = router("test")


@routes.post("/orders", dependencies=[PUBLIC], responses=refuses(Sold))
async def order(body: Order) -> dict[str, int]:
    return {"amount_yen": body.amount_yen}


@routes.get("/refused", dependencies=[PUBLIC])
async def refused() -> None:
    raise Sold(left=3, at=datetime(2020, 7, 1, tzinfo=UTC), store=UUID(int=7))


@routes.get("/busy", dependencies=[PUBLIC])
async def busy() -> None:
    raise Busy(retry_after_seconds=2)


@routes.get("/broken", dependencies=[PUBLIC])
async def broken() -> None:
    raise RuntimeError("the password is tanabata")


@routes.get("/slow", dependencies=[PUBLIC])
async def slow() -> None:
    await asyncio.Event().wait()


@routes.get("/things/{thing_id}", dependencies=[PUBLIC])
async def thing(thing_id: UUID, day: str = "") -> None:
    raise Missing


@pytest.fixture
def quick_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "MAX_BODY_BYTES", 1_000)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    class Bare:
        docs = True
        rates = Rates()
        public_url = "https://tanabata.example.jp"

    app = create_api(cast(Context, Bare()), Audience.WALLET, title="T", description="", routers=[routes], seconds=0.05)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://test") as made:
        yield made


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_JSON)
    found: dict[str, Any] = answer.json()
    assert found["code"] == code
    assert found["type"] == f"urn:tanabata:problem:{code}"
    assert found["status"] == status
    assert found["title"]
    assert found["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    return found


async def test_a_refusal_tells_its_code_and_parameters(client: httpx.AsyncClient) -> None:
    found = problem(await client.get("/refused"), 409, "test_sold")
    assert found["params"] == {
        "left": 3,
        "at": "2020-07-01T00:00:00Z",
        "store": "00000000-0000-0000-0000-000000000007",
    }


async def test_a_refusal_that_passes_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/busy")
    assert problem(answer, 503, "unavailable")["detail"].count("2 s")
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/refused/", 404, "not_found"),
        ("DELETE", "/orders", 405, "method_not_allowed"),
        ("TRACE", "/orders", 405, "method_not_allowed"),
        ("OPTIONS", "/orders", 405, "method_not_allowed"),
        ("BREW", "/orders", 405, "method_not_allowed"),
        ("GET", "/things/42", 422, "invalid_request"),
        ("GET", "/things/%00", 422, "invalid_request"),
        ("GET", f"/things/{UUID(int=1)}?day=%00", 422, "invalid_request"),
        ("GET", f"/things/{UUID(int=1)}?night=1", 422, "invalid_request"),
        ("GET", f"/things/{UUID(int=1)}?day=1&day=2", 422, "invalid_request"),
        ("GET", f"/things/{UUID(int=1)}?day=%ff%fe", 404, "not_found"),
        ("GET", f"/things/{UUID(int=1)}", 404, "not_found"),
    ],
)
async def test_what_the_router_refuses_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    problem(await client.request(method, path), status, code)


async def test_an_unexpected_error_tells_nothing_internal(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/broken")
    found = problem(answer, 500, "internal_error")
    assert "tanabata is" not in answer.text
    assert "password" not in answer.text
    assert "RuntimeError" not in answer.text
    assert found["params"]["error_id"] == answer.headers["x-request-id"]
    assert found["params"]["error_id"] in caplog.text, "the log names the same id"


async def test_a_request_never_runs_for_ever(client: httpx.AsyncClient) -> None:
    problem(await client.get("/slow"), 503, "unavailable")


async def test_every_answer_carries_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/openapi.json", "/refused", "/nowhere", "/broken"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["strict-transport-security"].startswith("max-age=63072000")
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


async def test_forged_forwarding_headers_change_nothing(client: httpx.AsyncClient) -> None:
    forged = {"x-forwarded-for": "10.0.0.1", "x-forwarded-host": "evil.example", "x-request-id": "mine"}
    forged |= {"forwarded": "host=evil.example", "x-forwarded-prefix": "/evil", "host": "evil.example"}
    answer = await client.get("/openapi.json", headers=forged)
    assert "evil" not in answer.text + str(answer.headers)
    assert answer.headers["x-request-id"] != "mine"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_its_limit_is_refused_while_it_comes(client: httpx.AsyncClient, chunked: bool) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 100
            yield b" " * 100

    content = endless() if chunked else b" " * 100_000
    answer = await client.post("/orders", content=content, headers={"content-type": "application/json"})
    assert problem(answer, 413, "content_too_large")["params"] == {"limit_bytes": 1_000}
    assert sent <= 1_200


async def test_a_stated_length_is_not_believed(client: httpx.AsyncClient) -> None:
    async def more() -> AsyncIterator[bytes]:
        yield b" " * 2_000

    headers = {"content-type": "application/json", "content-length": "10"}
    problem(await client.post("/orders", content=more(), headers=headers), 413, "content_too_large")


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_taken(client: httpx.AsyncClient, media_type: str) -> None:
    content = json.dumps({"amount_yen": 1, "name": "a"})
    answer = await client.post("/orders", content=content, headers={"content-type": media_type})
    problem(answer, 415, "unsupported_media_type")


async def test_the_document_tells_every_problem(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/orders"]["post"]
    assert operation["operationId"] == "order"
    assert set(operation["responses"]) == {"200", "400", "409", "413", "415", "422", "429", "503"}
    assert operation["responses"]["409"]["x-codes"] == ["test_sold"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
