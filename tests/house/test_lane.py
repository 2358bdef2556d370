"""The short way at the wire: who takes it, and that its answers are the plain app's, byte for byte."""

import asyncio
import socket
from typing import Any

import pytest

import infra.town
import merchant_api.app
import wallet_api.app
from infra.http.door import Door
from infra.web_server import web_server
from services.kit.deeds import Deed, DeedIdReused, Done
from services.kit.errors import Busy
from services.payments.order import Order
from services.payments.payment import AmountInvalid, PayCodeUsed
from tests.house.fast_door import KEY, PATHS, RECEIPTS, Twins, no_log
from tests.house.test_fast_door_sockets import LAST, Script, must_agree, serving, talk, told, whole


class Counted:
    """How many deeds were begun at the wire."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        begin = Door.begin

        def counted(door: Door, *given: object) -> None:
            self.begun += 1
            begin(door, *given)  # type: ignore[arg-type]

        monkeypatch.setattr(Door, "begin", counted)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


@pytest.mark.parametrize("api", PATHS)
async def test_only_a_whole_request_on_an_idle_connection_takes_it(api: str, counted: Counted) -> None:
    twins = Twins()
    good = twins.good(api)
    first, last = whole(good), whole(good, LAST)
    bad = whole(good.with_body(b"{}"))
    ways: list[tuple[Script, int]] = [
        ((first, 1, last), 1),
        ((first, 1, first, 2, first, 3, last), 3),
        ((first[:-1], first[-1:], 1, last), 0),
        ((first + first + last,), 1),  # the second comes while the first is under way
        ((first + first, 2, first, 3, last), 2),
        ((bad, 1, first, 2, last), 1),
        ((bad + first, 2, last), 0),
        ((last,), 0),
    ]
    for script, begun in ways:
        counted.begun = 0
        await must_agree(twins, [script])
        assert counted.begun == begun, script


@pytest.mark.parametrize("api", PATHS)
async def test_every_outcome_is_told_in_the_same_bytes(api: str, counted: Counted) -> None:
    twins = Twins()
    good = twins.good(api)
    outcomes: list[Done[Any] | Exception] = [
        Done(RECEIPTS[api], replayed=True),
        Done(object(), replayed=False),
        PayCodeUsed(),
        AmountInvalid(most_yen=1),
        Busy(retry_after_seconds=1),
        DeedIdReused(key=str(KEY)),
        RuntimeError("within"),
        TimeoutError(),
    ]
    with no_log():
        for outcome in outcomes:
            twins.played.outcome = outcome
            [answer] = await must_agree(twins, [(whole(good), 1, whole(good, LAST))])
            assert b"within" not in answer
    assert counted.begun == len(outcomes)


@pytest.mark.parametrize("api", PATHS)
async def test_what_stands_against_a_deed_at_once_is_told(api: str, counted: Counted) -> None:
    twins = Twins()
    twins.played.outcome = refusal = Busy(retry_after_seconds=1)

    def refused(deed: Deed, order: Order) -> asyncio.Future[Done[Any]]:
        twins.played.asked.append((deed, order))
        raise refusal

    twins.town.context.payments.begin = refused  # type: ignore[method-assign]
    await must_agree(twins, [(whole(twins.good(api)), 1, whole(twins.good(api), LAST))])
    assert counted.begun == 1


@pytest.mark.parametrize("api", PATHS)
async def test_a_deed_that_takes_too_long_is_answered_in_time(
    api: str, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    for module in (wallet_api.app, merchant_api.app, infra.town):
        monkeypatch.setattr(module, "SECONDS", 0.05)
    twins = Twins()
    twins.played.hangs = True
    with no_log():
        [answer] = await must_agree(twins, [(whole(twins.good(api)), 1)], hang_up=True)
    assert answer.startswith(b"HTTP/1.1 503")
    assert counted.begun == 1
    assert not twins.door._deadlines.waiting


async def test_a_client_that_is_gone_is_not_missed(counted: Counted) -> None:
    twins = Twins()
    go_on = asyncio.Event()

    async def slowly(deed: Deed, order: Order) -> Done[Any]:
        await go_on.wait()
        return Done(RECEIPTS["wallet"], replayed=False)

    twins.played.perform = slowly  # type: ignore[method-assign]
    async with serving(twins.door) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(whole(twins.good("wallet")))
        while not counted.begun:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.001)
        writer.transport.abort()
        await asyncio.sleep(0.01)
        go_on.set()
        heard = await talk(port, (whole(twins.good("wallet"), LAST),), hang_up=False)
    assert heard.startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize("plain", [False, True])
async def test_a_server_that_stops_answers_what_is_under_way(plain: bool, counted: Counted) -> None:
    twins = Twins()
    go_on = asyncio.Event()
    begun = asyncio.Event()

    async def slowly(deed: Deed, order: Order) -> Done[Any]:
        begun.set()
        await go_on.wait()
        return Done(RECEIPTS["wallet"], replayed=False)

    twins.played.perform = slowly  # type: ignore[method-assign]
    twins.town.context.payments.perform = slowly  # type: ignore[method-assign]
    server = web_server(twins.town.plain if plain else twins.door)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.001)
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
        writer.write(whole(twins.good("wallet")))
        await begun.wait()
        server.should_exit = True
        await asyncio.sleep(0.3)
        go_on.set()
        heard = told(await reader.read())
        await task
        writer.close()
    assert heard.startswith(b"HTTP/1.1 201")
    assert b"\r\nconnection: close\r\n\r\n" in heard
    assert counted.begun == (not plain)
