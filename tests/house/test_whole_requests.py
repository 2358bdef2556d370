"""Requests recognised by their bytes: which they are, and that they and all others are answered as ever."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.http.door import Asked, Door
from infra.http.head import MOST_BYTES
from tests.house.fast_door import KEY, PATHS, PLACE, Request, Twins, no_log
from tests.house.test_fast_door_sockets import LAST, Script, head, must_agree, whole


class Recognised:
    """How many requests were taken by their bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken = 0
        read_whole = Door.read_whole

        def counted(door: Door, sent: bytes) -> Asked | None:
            asked = read_whole(door, sent)
            self.taken += asked is not None
            return asked

        monkeypatch.setattr(Door, "read_whole", counted)


@pytest.fixture
def recognised(monkeypatch: pytest.MonkeyPatch) -> Recognised:
    return Recognised(monkeypatch)


def with_line(good: Request, line: bytes) -> bytes:
    """The request with one more line behind its headers."""
    return head(good, line) + good.chunks[0]


def plain_ones(good: Request) -> Iterator[bytes]:
    """What is recognised: names in any case, values that nobody here reads, headers in any order."""
    once = whole(good)
    yield once
    yield whole(replace(good, headers=good.headers[::-1]))
    yield whole(replace(good, headers=tuple((name.title(), value) for name, value in good.headers)))
    yield whole(replace(good, headers=tuple((name.upper(), value) for name, value in good.headers)))
    yield whole(good.with_header(b"content-type", b"application/json; charset=utf-8"))
    yield whole(good.with_header(b"host")).replace(b'"%b"' % str(KEY).encode(), str(KEY).upper().encode())
    yield once.replace(str(PLACE).encode(), str(PLACE).upper().encode())
    for line in (
        b"accept: */*",
        b"x-1: a: b",
        b"x: y ",
        b"accept: */*\r\nx-accept: */*",
        b"cookie: a=1",
        b"te: trailers",
        b"-: -",
    ):
        yield with_line(good, line)
    yield with_line(good, b"x: " + b"y" * 9_000)


def odd_heads(good: Request) -> Iterator[bytes]:
    """What the parser shall judge, be it good or bad: one thing about the head is not in the plainest form."""
    once, size = whole(good), b"%d" % len(good.chunks[0])
    for line in (
        *(b"connection: keep-alive", b"Connection: close", b"proxy-connection: close", b"transfer-encoding: chunked"),
        *(b"transfer-encoding: identity", b"upgrade: h2c", b"Expect: 100-continue", b"expect: nothing", b"x_y: z"),
        *(b": x", b" x: y", b"x : y", b"x\t: y", b"x:y", b"x:\ty", b"x: ", b"x:", b"x", b"x: \ty", b"x:  y", b"x y: z"),
        *(b"x: y\r\n z", b"x: y\r\n\tz", b"x: a\x00b", b"x: a\x7f", b"x: caf\xe9", b"x\xe9: y", b"x: a\tb", b"x(y: z"),
        *(b"x: y\rz", b"x: y\nz: a", b"x: y\n", b"x: y\r", b"\x00: y", b"x: \x01", b'"x": y', b"x/y: z", b"x@y: z"),
        *(b"User-Agent: twin/1", b"x: 1\r\nX: 2", b"a: 1\r\nx: 2\r\na: 1"),
        *(b"content-length: " + size, b"Content-Length: 0", b"content-type: application/json", b"content-type: x"),
        *(b'IDEMPOTENCY-KEY: "%b"' % str(KEY).encode(), b"Authorization: Bearer x", b"authorization: Basic YTpi"),
    ):
        yield with_line(good, line)
    for length in (
        b"+5",
        b"05",
        b"0" + size,
        b" " + size,
        size + b" ",
        b"\t" + size,
        size + b"," + size,
        b"0x1",
        b"-1",
    ):
        yield whole(good.with_header(b"content-length", length))
    yield once.replace(b"content-length: ", b"content-length:")
    yield once.replace(b"content-length: ", b"content-length:\t")
    yield once.replace(b"content-length: ", b"content-length : ")
    yield once.replace(b"authorization: Bearer ", b"authorization:  Bearer ")
    yield once.replace(b"authorization: Bearer ", b"authorization: bearer ")
    yield once.replace(b"idempotency-key: ", b"idempotency-key:\r\n ")
    yield once.replace(b'"%b"' % str(KEY).encode(), b'"%b' % str(KEY).encode())
    yield once.replace(b'"%b"' % str(KEY).encode(), b'%b"' % str(KEY).encode())
    yield once.replace(b"application/json", b"Application/JSON")
    yield once.replace(b"application/json", b"application/json;charset=utf-8")
    yield with_line(good.with_header(b"user-agent"), b"Host: localhost:8000")
    bare = good.with_header(b"host").with_header(b"user-agent")
    for name in (b"content-length", b"content-type", b"authorization", b"idempotency-key"):
        yield whole(good.with_header(name))
        yield with_line(bare, name + b": " + dict(good.headers)[name])


def odd_lines(good: Request) -> Iterator[bytes]:
    """As `odd_heads`, about the first line and the ends of all lines."""
    once, place = whole(good), str(PLACE).encode()
    yield whole(good, version=b"1.0")
    yield whole(good, version=b"1.2")
    yield once.replace(b"\r\n", b"\n")
    yield once.replace(b"\r\n", b"\n", 1)
    yield once.replace(b"\r\n\r\n", b"\n\n")
    yield once.replace(b"\r\n\r\n", b"\r\n\n")
    yield once.replace(b"\r\n", b"\r", 1)
    for line in (b"\r\n", b"\n", b"\r", b" ", b"\x00"):
        yield line + once
    for before, after in (
        *((b"POST /", b"post /"), (b"POST /", b"POST  /"), (b"POST /", b"POST\t/"), (b"POST /", b"PUT /")),
        *((b"POST /", b"POST http://localhost/"), (b"POST /", b"POST //"), (b"POST /", b"POST "), (b"/api/", b"/API/")),
        *((b"/v1/", b"/v1//"), (b"/v1/", b"/v1%2F"), (b"/v1/", b"/./v1/"), (b"/payments HTTP", b"/payments/ HTTP")),
        *((b"/payments HTTP", b"/payments%20 HTTP"), (b"/payments HTTP", b"/payments  HTTP"), (b" HTTP/", b" http/")),
        *(
            (b"/payments HTTP", b"/payments?a=1 HTTP"),
            (b"/payments HTTP", b"/payments#a HTTP"),
            (b"HTTP/1.1", b"HTTP/1.1 "),
        ),
        *((place, place.replace(b"-", b"")), (place, place.replace(b"-", b"_")), (place, b"%30" + place[1:])),
        *((place, b"{" + place + b"}"), (place, place[:-1]), (place, place + b"0"), (place, b"")),
    ):
        yield once.replace(before, after, 1)


@pytest.mark.parametrize("api", PATHS)
async def test_plain_requests_are_recognised_and_answered_alike(api: str, recognised: Recognised) -> None:
    twins = Twins()
    ones = list(plain_ones(twins.good(api)))
    answers = await must_agree(twins, [(one, 1, whole(twins.good(api), LAST)) for one in ones])
    assert all(answer.count(b"HTTP/1.1 201") == 2 for answer in answers)
    assert recognised.taken == len(ones)


@pytest.mark.parametrize("api", PATHS)
async def test_what_is_not_in_the_plainest_form_is_the_parsers(api: str, recognised: Recognised) -> None:
    twins = Twins()
    good = twins.good(api)
    last = whole(good, LAST)
    scripts: list[Script] = [(odd, 1, last) for odd in [*odd_heads(good), *odd_lines(good)]]
    with no_log():
        answers = await must_agree(twins, scripts)
    assert {answer[9:12] for answer in answers} >= {b"100", b"201", b"400", b"401", b"404", b"415", b"422"}
    assert recognised.taken == 0


@pytest.mark.parametrize("api", PATHS)
async def test_a_body_is_as_long_as_it_says_and_nothing_is_behind_it(api: str, recognised: Recognised) -> None:
    twins = Twins()
    good = twins.good(api)
    once, last = whole(good), whole(good, LAST)
    wrong: list[Script] = [
        (once[:-1],),
        (once + b"x", 1),
        (once + b"\r\n", 1),
        (once + b" ", 1),
        (once + once, 2),
        (once + once[:40], 1),
        (head(good),),
        (whole(good.with_body(b"")), 1),
        (whole(good.with_body(b"{}")), 1),
        (whole(good.with_body(b" " * 9_999)), 1),
        (head(good, b"x: " + b"y" * MOST_BYTES) + good.chunks[0], 1),
        (last,),
        (b"GET / HTTP/1.1\r\nx: y\r\n", once, 1),
        (b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(once), 1, once, last, 2),
    ]
    with no_log():
        await must_agree(twins, wrong, hang_up=True)
    assert recognised.taken == 0
    right: list[tuple[Script, int]] = [
        ((once, 1, once[:-1], once[-1:], 2, last), 1),
        ((once, 1, b"\r\n", once, 2, b"GET / HTTP/1.1\r\n\r\n", 3, once, 4, last), 3),
        ((once[:9], once[9:], 1, once, 2, last), 1),
        ((b"PO", b"ST" + once[4:], 1, once, 2, last), 1),
        ((once + once, 2, once, 3, last), 1),
        ((once + b"PO", 1, b"ST" + once[4:], 2, once, 3, last), 1),
        ((whole(good, b"connection: keep-alive"), 1, once, 2, last), 1),
        ((whole(good.with_body(b"{}")), 1, once, 2, last), 1),
        ((whole(good, b"connection: upgrade", b"upgrade: websocket"), 1, once, 2, last), 0),
    ]
    with no_log():
        await must_agree(twins, [script for script, _ in right])
    assert recognised.taken == sum(taken for _, taken in right)
