"""The fast door and the plain app behind real web servers: the same bytes come back, whatever comes over the wire.

The deeds are played; the servers have the product's settings. Of the answers only the date and the
ids of requests are left out of the comparison.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from starlette.types import ASGIApp

import infra.town
import merchant_api.app
import wallet_api.app
from infra.web_server import WebServer, web_server
from tests.house.fast_door import PATHS, Request, Twins, no_log

PATIENCE_S = 30.0
_DATE = re.compile(rb"\r\ndate: [^\r]*")
_ID = re.compile(rb"\r\nx-request-id: ([^\r]*)")

Script = tuple[bytes | int, ...]
"""What a client does: sends bytes, or waits until so many answers have begun; at the end it says no more."""


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    """A web server on a port of its own."""
    server: WebServer = web_server(app)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.001)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


async def talk(port: int, script: Script, *, hang_up: bool) -> bytes:
    """All that the server answers until it closes the connection, or until we do."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    try:
        with suppress(ConnectionError):  # the server may answer and close before it has heard everything
            for step in script:
                if isinstance(step, int):
                    while heard.count(b"HTTP/1.1 ") < step and (more := await reader.read(65_536)):
                        heard += more
                else:
                    writer.write(step)
                    await writer.drain()
                    for _ in range(3):
                        await asyncio.sleep(0)  # so that the server hears it as a piece of its own
            if hang_up:
                writer.write_eof()
            while more := await reader.read(65_536):
                heard += more
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return heard


def told(heard: bytes) -> bytes:
    """What was heard, without what differs each time."""
    for request_id in _ID.findall(heard):
        heard = heard.replace(request_id, b"*")
    return _DATE.sub(b"", heard)


def head(request: Request, *more: bytes, version: bytes = b"1.1") -> bytes:
    lines = [f"{request.method} {request.target} HTTP/".encode() + version]
    lines += [name + b": " + value for name, value in request.headers]
    return b"\r\n".join([*lines, *more, b"", b""])


def whole(request: Request, *more: bytes, version: bytes = b"1.1") -> bytes:
    return head(request, *more, version=version) + request.chunks[0]


LAST = b"connection: close"


def scripts(good: Request) -> Iterator[Script]:
    """Each ends the connection by the client's word, or by an answer that the server closes it with."""
    body, bad = good.chunks[0], good.with_body(b"{")
    once, first = whole(good, LAST), whole(good)
    chunked = good.with_header(b"content-length").with_header(b"transfer-encoding", b"chunked")
    size = f"{len(body):x}".encode()
    yield (once,)
    yield (first, 1, once)
    yield (first + first + once,)
    yield (first + whole(bad) + first + whole(bad, LAST),)
    yield (first + b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n" + once,)
    yield (first[:50], first[50:] + once[:30], once[30:])
    yield tuple(once[at : at + 1] for at in range(len(once)))
    yield (head(good, LAST), body)
    yield (head(good, LAST), body[:10], body[10:20], body[20:])
    yield (head(good, b"expect: 100-continue", LAST), 1, body)
    yield (head(good, b"Expect: 100-Continue", LAST), 1, body)
    yield (head(good.with_header(b"content-type", b"text/html"), b"expect: 100-continue", LAST), 1, body)
    yield (head(good.with_header(b"content-length", b"70000"), b"expect: 100-continue", LAST), 1)
    yield (head(chunked, LAST), size + b"\r\n" + body + b"\r\n0\r\n\r\n")
    yield (head(chunked, LAST), b"".join(b"1\r\n%c\r\n" % each for each in body) + b"0\r\n\r\n")
    yield (head(chunked, b"trailer: x-sum", LAST), size + b"\r\n" + body + b"\r\n0\r\nx-sum: 1\r\n\r\n")
    yield (head(chunked, LAST), size + b"\r\n" + body + b"\r\n0\r\nidempotency-key: x\r\n\r\n")
    yield (head(chunked, LAST), b"zz\r\n" + body + b"\r\n0\r\n\r\n")
    yield (head(chunked, b"content-length: 5", LAST), size + b"\r\n" + body + b"\r\n0\r\n\r\n")
    yield (head(chunked, LAST), b"11170\r\n" + b"x" * 0x11170 + b"\r\n0\r\n\r\n")
    yield (whole(good, b"x: " + b"y" * 9_000, LAST),)
    yield (whole(good, b"x: " + b"y" * 70_000, LAST),)
    yield (whole(good, *[b"x-%d: y" % each for each in range(200)], LAST),)
    for length in (b"0", b"1", b"-1", b"+50", b"0x32", b"70000", b"9" * 30, b"50, 50", b""):
        yield (whole(good.with_header(b"content-length", length), LAST),)
    yield (whole(good, b"content-length: %d" % len(body), LAST),)
    yield (whole(good.with_body(b" " * 65_536), LAST),)
    yield (whole(good.with_body(b" " * 65_537), LAST),)
    yield (whole(good, version=b"1.0"),)
    yield (whole(good, b"connection: keep-alive", version=b"1.0"), 1, once)
    yield (whole(good, version=b"2.0"),)
    yield (once.replace(b"\r\n", b"\n"),)
    yield (b"\r\n\r\n" + once,)
    yield (once.replace(b"POST /", b"POST http://localhost/"),)
    yield (once.replace(b"POST /", b"post /"),)
    yield (once.replace(b"/payments HTTP", b"/payments? HTTP"),)
    yield (once.replace(b"/payments HTTP", b"/payments#a HTTP"),)
    yield (once.replace(b"/payments HTTP", b"/%70ayments HTTP"),)
    yield (once.replace(b"/payments HTTP", b"/pay ments HTTP"),)
    yield (once.replace(b"/payments HTTP", b"/payments\xff HTTP"),)
    yield (once.replace(b"content-type:", b"Content-TYPE:").replace(b"authorization:", b"AUTHORIZATION:"),)
    for wrong in (b"content-type : ", b"content-type:\r\n ", b"content-type: \x00", b"content-type\x00: ", b": "):
        yield (once.replace(b"content-type: ", wrong),)
    yield (whole(good, b"connection: upgrade, close", b"upgrade: websocket"),)
    yield (whole(good, b"upgrade: h2c", LAST),)


def given_up(good: Request) -> Iterator[Script]:
    """The client says no more before it has said everything, or before it has heard anything."""
    once = whole(good)
    for at in (0, 10, len(head(good)) - 2, len(head(good)), len(once) - 1):
        yield (once[:at],)
    yield (once, 1, once[:-5])
    yield (head(good.with_header(b"content-length", b"4096")) + b"{",)
    for rest in (b"\r\n", b"\x16\x03", b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n", once[:10] + b"\x00"):
        yield (once + rest,)
        yield (once + once + rest,)
    yield (b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n" + once + once[:-1],)
    yield (head(good, b"expect: 100-continue"), 1, good.chunks[0])
    yield (whole(good, LAST),)
    yield (whole(good, version=b"1.0"),)


async def must_agree(twins: Twins, scripts: Iterable[Script], *, hang_up: bool = False) -> list[bytes]:
    """What the plain app answered to each; raises when the door answered or asked for anything else."""
    answers, found = [], []
    async with serving(twins.door) as door, serving(twins.town.plain) as plain:
        for script in scripts:
            results = []
            for port in (door, plain):
                twins.played.asked.clear()
                async with asyncio.timeout(PATIENCE_S):
                    heard = told(await talk(port, script, hang_up=hang_up))
                results.append((heard, list(twins.played.asked)))
            answers.append(results[1][0])
            if results[0] != results[1]:
                found.append(f"{script!r:.500}\n  door:  {results[0]}\n  plain: {results[1]}")
    assert not found, "\n".join([*found[:5], f"{len(found)} of {len(answers)} differ"])
    return answers


@pytest.mark.parametrize("api", PATHS)
async def test_the_same_bytes_come_back(api: str) -> None:
    twins = Twins()
    with no_log():
        answers = await must_agree(twins, scripts(twins.good(api)))
    statuses = set(re.findall(rb"HTTP/1.1 (\d+)", b"".join(answers)))
    assert {b"100", b"201", b"400", b"404", b"413", b"415"} <= statuses
    assert twins.taken >= 10


@pytest.mark.parametrize("api", PATHS)
async def test_clients_that_hang_up_are_treated_alike(api: str) -> None:
    twins = Twins()
    with no_log():
        answers = await must_agree(twins, given_up(twins.good(api)), hang_up=True)
    assert any(answers)
    assert not all(answers)


@pytest.mark.parametrize("api", PATHS)
async def test_who_says_no_more_hears_what_was_asked_whole_and_then_the_connection_ends(api: str) -> None:
    twins = Twins()
    good = twins.good(api)
    once, body = whole(good), good.chunks[0]
    asked: dict[Script, int] = {
        (once,): 1,
        (head(good), body): 1,
        tuple(once[at : at + 40] for at in range(0, len(once), 40)): 1,
        (once + once,): 2,
        (once * 5,): 5,
        (once, 1, once): 2,
        (once + once[:10],): 1,
        (once + head(good),): 1,
        (once + once + head(good) + body[:-1],): 2,
        (head(good) + body[:-1],): 0,
    }
    with no_log():
        answers = await must_agree(twins, asked, hang_up=True)
    statuses = [re.findall(rb"HTTP/1.1 (\d+)", answer) for answer in answers]
    assert statuses == [[b"201"] * each for each in asked.values()]
    assert twins.taken >= 4


@pytest.mark.parametrize("api", PATHS)
async def test_a_client_that_stops_speaking_is_answered_in_time(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (wallet_api.app, merchant_api.app, infra.town):
        monkeypatch.setattr(module, "SECONDS", 0.05)
    twins = Twins()
    good = twins.good(api)
    with no_log():
        answers = await must_agree(twins, [(head(good, LAST),), (head(good, LAST), good.chunks[0][:9])])
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 503"] * 2
