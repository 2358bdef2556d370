"""The server process is killed under load: every payment happened wholly or not at all, and its id says which."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from infra.benchmarks.processes import Served, serving
from tests.faults.conftest import Place
from tests.faults.paying import PATIENCE_S, Crowd, errands, faults, open_ledger, until

CLIENTS = 24


def kill_server(served: Served) -> None:
    """`kill -9` of a server that we started."""
    assert b"infra.benchmarks.serve" in Path(f"/proc/{served.pid}/cmdline").read_bytes()
    os.kill(served.pid, signal.SIGKILL)


async def must_do_each_once(place: Place, payments: int, kills: int) -> None:
    """At equal shares of the payments the server is killed, and the unanswered are sent to the next one."""
    wanted = errands(place.people, place.data, payments, seed=kills)
    ledger = await open_ledger(place.handle)
    async with asyncio.timeout(PATIENCE_S * kills), AsyncExitStack() as stack:

        async def start() -> Served:
            return await (await stack.enter_async_context(serving(place.handle, place.data))).ready()

        served = await start()
        crowd = Crowd(served.port, CLIENTS)
        running = asyncio.create_task(crowd.run(wanted))
        stack.callback(running.cancel)
        for kill in range(kills):
            share = payments * (kill + 1) // (kills + 1)
            await until(running, lambda share=share: crowd.acknowledged >= share)  # type: ignore[misc]
            missed = crowd.lost
            crowd.hold()
            kill_server(served)
            await until(running, lambda: crowd.all_held)
            assert crowd.lost >= missed + CLIENTS, "nobody noticed that the server was gone"
            served = await start()
            crowd.port = served.port
            crowd.go_on()
        await running
    assert not crowd.problems, crowd.problems[:5]
    assert all(errand.acknowledged for errand in wanted)
    assert await faults(place.handle, ledger, place.people, wanted) == []


async def test_a_server_killed_under_load_does_each_payment_once(place: Place) -> None:
    await must_do_each_once(place, payments=1_200, kills=2)


@pytest.mark.long
async def test_a_server_killed_many_times_does_each_payment_once(place: Place) -> None:
    await must_do_each_once(place, payments=20_000, kills=20)
