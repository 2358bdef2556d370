"""The actors' way in: what an application receives of a request, and what the actor hears of the answer."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from infra.simulation.door import Answer, Door, WentWrong

URL = "http://localhost:8000"
KEY = UUID("0198c5a4-7c1e-7a3b-9d5e-2f6b8c1d4e7a")


async def echo(request: Request) -> Response:
    """Everything that arrived."""
    content = await request.body()
    seen = {
        "method": request.method,
        "url": str(request.url),
        "headers": dict(request.headers),
        "body": content.decode(),
    }
    return JSONResponse(seen)


def door_to(endpoint: Callable[..., Any]) -> Door:
    return Door(Starlette(routes=[Route("/x", endpoint, methods=["GET", "POST"])]), URL)


def answer(status: int, content: bytes, headers: dict[bytes, bytes] | None = None) -> Answer:
    return Answer("GET /x", status, headers or {}, content)


async def test_a_command_arrives_with_its_name_its_bearer_and_its_body() -> None:
    asked = await door_to(echo).ask("POST", "/x", token="t", key=KEY, body={"name": "星", "yen": 1})
    seen = asked.done()
    assert seen["method"] == "POST"
    assert seen["body"] == '{"name":"星","yen":1}'
    assert seen["headers"] == {
        "host": "localhost:8000",
        "accept-language": "ja",
        "authorization": "Bearer t",
        "idempotency-key": str(KEY),
        "content-type": "application/json",
        "content-length": str(len('{"name":"星","yen":1}'.encode())),
    }


async def test_a_look_carries_nothing_but_its_query() -> None:
    seen = (await door_to(echo).ask("GET", "/x", query={"reason": "お祝い", "dry_run": "true"})).done()
    assert seen["url"] == f"{URL}/x?reason=%E3%81%8A%E7%A5%9D%E3%81%84&dry_run=true"
    assert set(seen["headers"]) == {"host", "accept-language"}
    assert seen["body"] == ""


async def test_a_list_goes_as_it_is() -> None:
    seen = (await door_to(echo).ask("POST", "/x", csv=b"a,b\r\n")).done()
    assert (seen["body"], seen["headers"]["content-type"]) == ("a,b\r\n", "text/csv")


async def test_an_answer_in_pieces_is_heard_to_its_end() -> None:
    async def pieces() -> Any:
        for piece in (b"one ", b"two ", b"three"):
            yield piece
            await asyncio.sleep(0)

    async def stream(_: Request) -> Response:
        return StreamingResponse(pieces())

    assert (await door_to(stream).ask("GET", "/x")).text == "one two three"


async def test_what_breaks_inside_the_platform_ends_the_play() -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await door_to(broken).ask("GET", "/x")


def test_a_refusal_is_a_value_and_a_fault_is_not() -> None:
    refusal = answer(422, b'{"code": "points_missing"}')
    assert refusal.refused() == "points_missing"
    refusal.must_be_refused("points_missing")
    with pytest.raises(WentWrong, match="pay_code_used was expected, not 422"):
        refusal.must_be_refused("pay_code_used")
    with pytest.raises(WentWrong, match="422"):
        refusal.done()
    with pytest.raises(WentWrong, match="503"):
        answer(503, b'{"code": "busy"}').refused()
    with pytest.raises(WentWrong):
        answer(201, b"{}").must_be_refused("points_missing")
    assert answer(201, b"{}").refused() is None


def test_an_answer_given_before_says_so() -> None:
    assert answer(201, b"{}", {b"idempotent-replay": b"true"}).replayed
    assert not answer(201, b"{}").replayed
