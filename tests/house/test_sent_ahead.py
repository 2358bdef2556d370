"""Requests that are sent ahead of their answers: a little of them is looked at, all of them are answered."""

import asyncio

import pytest

from infra.http.bounded import PIECE_BYTES
from infra.http.lane import Lane
from tests.house.fast_door import PATHS, Twins, no_log
from tests.house.test_bounded import NOISE, chunked, statuses
from tests.house.test_fast_door_sockets import LAST, PATIENCE_S, Script, head, must_agree, whole
from tests.house.test_lane_idle import Slow

SHORTEST = b"GET /x HTTP/1.1\r\n\r\n"
AT_A_TIME = PIECE_BYTES // len(SHORTEST) + 1


def reads(lane: Lane) -> bool:
    return not lane.flow.read_paused


async def test_of_what_is_sent_ahead_a_little_is_looked_at_and_no_more_is_read() -> None:
    """A quarter of a megabyte is 14,000 requests, of which the server made 25 MB; and with each answer it read on."""
    slow, many = Slow(), 3 * AT_A_TIME
    lane = slow.lane
    lane.data_received(slow.once)
    for _ in range(2):  # what was on its way when reading was paused may still come
        lane.data_received(SHORTEST * many)
    assert 0 < len(lane.pipeline) <= AT_A_TIME
    assert not reads(lane)
    slow.go_on.set()
    async with asyncio.timeout(PATIENCE_S):
        while slow.wire.heard.count(b"HTTP/1.1 404") < 2 * many:
            assert len(lane.pipeline) <= AT_A_TIME
            assert not reads(lane) or not lane.kept
            await asyncio.sleep(0)
    assert (len(lane.pipeline), lane.kept, reads(lane)) == (0, b"", True)
    lane.data_received(slow.once)
    await slow.answered(2)


@pytest.mark.parametrize("hang_up", [False, True], ids=["and listens", "and says no more"])
@pytest.mark.parametrize("api", PATHS)
async def test_whatever_was_sent_ahead_is_answered_in_its_order(api: str, hang_up: bool) -> None:
    """Wherever the pieces end: in a head, in a body, between two requests."""
    twins = Twins()
    good = twins.good(api)
    once, bad, large = whole(good), whole(good.with_body(b"{")), whole(good.with_body(good.chunks[0] + b" " * 9_000))
    byte = b"".join(b"1\r\n%c\r\n" % each for each in good.chunks[0])
    in_bytes = head(chunked(good)) + byte + b"0\r\n\r\n"
    mixed = once + bad + SHORTEST * 3 + large + in_bytes
    told = [201, 400, 404, 404, 404, 201, 201]
    ways: dict[Script, list[int]] = {
        (once * 30 + whole(good, LAST),): [201] * 31,
        (mixed * 3 + whole(good, LAST),): [*told * 3, 201],
        (SHORTEST * 250 + once + SHORTEST * 50 + whole(good, LAST),): [*[404] * 250, 201, *[404] * 50, 201],
        (mixed + once[:99], once[99:] + mixed, mixed + whole(good, LAST)): [*told, 201, *told, *told, 201],
        (mixed * 2 + NOISE,): [*told * 2, 400],
    }
    with no_log():
        for script, expected in ways.items():
            [answer] = await must_agree(twins, [script], hang_up=hang_up)
            assert statuses(answer) == expected
