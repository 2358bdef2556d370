"""What a client says before a request is whole, around it and after it: how much, how long, and what it is told."""

import json
import re

import pytest

from infra.http.bounded import HEAD_S, MOST_HEAD_BYTES
from infra.http.security import standard_headers
from infra.web_server import IDLE_S
from tests.house.fast_door import PATHS, Request, Twins, no_log
from tests.house.test_fast_door_sockets import LAST, Script, head, must_agree, whole
from tests.house.test_lane_idle import Slow

PIECE = b"y" * 50_000
NOISE = b"\x16\x03\x01\x00\xa5"


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)]


def must_end_with_a_problem(answer: bytes, status: int) -> None:
    """It is a whole one, with the headers of every answer, and the connection ends with it."""
    start, content = answer[answer.rindex(b"HTTP/1.1 ") :].split(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in start.split(b"\r\n")[1:])
    told = json.loads(content)
    assert (told["status"], told["code"]) == (status, "malformed_request")
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"connection"] == b"close"
    standard = {name.lower().encode(): value.encode() for name, value in standard_headers(secure=False).items()}
    assert standard.items() <= headers.items()


def chunked(good: Request) -> Request:
    return good.with_header(b"content-length").with_header(b"transfer-encoding", b"chunked")


def too_long(good: Request) -> list[Script]:
    """Heads, trailers and what is neither, longer than the limit, in one piece and in several."""
    many = b"".join(b"x-%d: y\r\n" % each for each in range(3_000))
    open_head = head(good)[:-2]
    return [
        (open_head + b"x: ", PIECE, PIECE),
        (open_head + b"x: " + PIECE + PIECE + b"\r\n\r\n",),
        (open_head, many, many, many),
        (open_head + many * 3 + b"\r\n",),
        (b"POST /", PIECE, PIECE),
        (b"POST /" + PIECE + PIECE + b" HTTP/1.1\r\n\r\n",),
        (b"\r\n" * 25_000, b"\r\n" * 25_000),
        (head(chunked(good)), b"1;", PIECE, PIECE),
        (head(chunked(good)), b"0\r\nx: ", PIECE, PIECE),
        (head(chunked(good)), b"0\r\n", many, many, many),
    ]


@pytest.mark.parametrize("api", PATHS)
async def test_what_comes_before_a_request_is_whole_has_a_greatest_length(api: str) -> None:
    twins = Twins()
    good = twins.good(api)
    with no_log():
        for answer in await must_agree(twins, too_long(good)):
            assert statuses(answer) == [431], answer
            must_end_with_a_problem(answer, 431)
        assert twins.taken == 0
        just = b"x: " + b"y" * (MOST_HEAD_BYTES - 2_000)
        for answer in await must_agree(twins, [(whole(good, just), 1, whole(good, LAST))] * 2):
            assert statuses(answer) == [201, 201]


async def test_a_long_head_is_refused_in_whatever_reads_it_comes() -> None:
    """Also in one, with its end."""
    for size in (MOST_HEAD_BYTES, 4 * MOST_HEAD_BYTES):
        slow = Slow()
        with no_log():
            slow.lane.data_received(slow.once.replace(b"\r\n\r\n", b"\r\nx: " + b"y" * size + b"\r\n\r\n"))
        must_end_with_a_problem(slow.wire.heard, 431)
        assert slow.wire.is_closing()


@pytest.mark.parametrize("api", PATHS)
async def test_many_small_bodies_are_no_long_head(api: str) -> None:
    """The limit is each request's own, and that of a body is another."""
    twins = Twins()
    good = twins.good(api)
    spaced = good.with_body(good.chunks[0] + b" " * 9_000)
    byte = b"".join(b"1;%b\r\n%c\r\n" % (b"e" * 900, each) for each in good.chunks[0])
    scripts: list[Script] = [
        (*(each for times in range(1, 10) for each in (whole(spaced), times)), whole(good, LAST)),
        (whole(spaced) * 9 + whole(good, LAST),),
        (*(each for times in range(1, 30) for each in (whole(good), times, b"\r\n" * 2_000)), whole(good, LAST)),
        (head(chunked(good), LAST) + byte + b"0\r\n\r\n",),
    ]
    for answer in await must_agree(twins, scripts):
        assert set(statuses(answer)) == {201}


@pytest.mark.parametrize("api", PATHS)
async def test_noise_behind_a_payment_is_refused_behind_its_answer(api: str) -> None:
    """Or a payment that was made is told to have been malformed."""
    twins = Twins()
    good = twins.good(api)
    once, bad = whole(good), whole(good.with_body(b"{"))
    broken = head(chunked(good)) + b"zz\r\n"
    ways: dict[Script, list[int]] = {
        (once + NOISE,): [201, 400],
        (once, NOISE): [201, 400],
        (once + once + NOISE,): [201, 201, 400],
        (once + bad + once + NOISE + once,): [201, 400, 201, 400],
        (once + broken,): [201, 400],
        (once + once + broken + once,): [201, 201, 400],
        (once + b"x",): [201, 400],
        (once, 1, NOISE): [201, 400],
        (NOISE + once,): [400],
        (broken + once,): [400],
        (head(chunked(good)), b"zz\r\n", once): [400],
    }
    with no_log():
        for script, told in ways.items():
            [answer] = await must_agree(twins, [script])
            assert statuses(answer) == told, script
            must_end_with_a_problem(answer, 400)
            assert len(twins.played.asked) == told.count(201)


@pytest.mark.parametrize("api", PATHS)
async def test_a_trailer_is_no_header(api: str) -> None:
    twins = Twins()
    good = chunked(twins.good(api))
    body = b"%x\r\n%b\r\n0\r\n" % (len(good.chunks[0]), good.chunks[0])
    for name, value in twins.good(api).headers:
        if name == b"content-length":
            continue  # the parser itself takes no such trailer
        trailer = name + b": " + value + b"\r\n\r\n"
        instead = good.with_header(name) if name == b"authorization" else good
        started = head(instead, LAST)
        with no_log():
            for answer in await must_agree(twins, [(started, body, trailer), (started + body + trailer,)]):
                assert statuses(answer) == [401 if instead is not good else 201], trailer


async def test_a_head_has_a_last_moment_however_slowly_it_comes() -> None:
    slow = Slow(by_hand=True)
    slow.clock.go(IDLE_S - 1)
    for at in range(9):
        slow.lane.data_received(slow.once[at : at + 1])
        slow.clock.go(HEAD_S / 9 - 0.01)
        assert not slow.wire.is_closing()
    slow.lane.data_received(slow.once[9:10])
    slow.clock.go(0.1)
    assert slow.wire.is_closing()
    assert not slow.clock.timers


@pytest.mark.parametrize("said", [b"", b"\r\n"])
async def test_a_connection_that_never_asks_is_closed_like_one_that_asks_no_more(said: bytes) -> None:
    slow = Slow(by_hand=True)
    for _ in range(9):
        if said:
            slow.lane.data_received(said)
        slow.clock.go(IDLE_S / 9 - 0.01)
        assert not slow.wire.is_closing()
    slow.clock.go(0.1)
    assert slow.wire.is_closing()


async def test_who_is_gone_is_not_waited_for() -> None:
    slow = Slow(by_hand=True)
    assert slow.clock.timers
    slow.lane.connection_lost(ConnectionResetError())
    assert not slow.clock.timers
