"""PostgreSQL is down when the server starts: it listens, asks everybody to come back, and recovers by itself."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from infra.benchmarks.processes import serving
from infra.database.provision import Unreachable, require_reachable
from infra.settings import PROJECT, Settings
from tests.faults.conftest import Place
from tests.faults.test_killed_database import kill_database, must_be_ours
from tests.http_town import CITY, MERCHANT, WALLET

PATIENCE_S = 60
PLACES = [
    ("GET", f"{WALLET}/programmes"),
    ("POST", f"{WALLET}/sign-in/codes"),
    ("GET", f"{MERCHANT}/stores"),
    ("GET", f"{CITY}/proof"),
    ("GET", f"{WALLET}/openapi.json"),
    ("GET", "/nowhere"),
]


async def must_say_busy(client: httpx.AsyncClient) -> None:
    """Whatever is asked: nothing is guessed while the time is unknown."""
    for method, path in PLACES:
        answer = await client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


async def must_recover(client: httpx.AsyncClient) -> None:
    """Until it serves, every answer is the same 503; then it does what it is for."""
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await client.get(f"{WALLET}/programmes")).status_code == 503:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert answer.status_code == 200
    asked = await client.post(f"{WALLET}/sign-in/codes", json={"phone": "090-9999-0001"})
    assert asked.status_code == 202, asked.text
    assert (await client.get(f"{CITY}/proof")).status_code == 401


async def test_a_worker_that_starts_without_a_database_waits_for_it(place: Place) -> None:
    await kill_database(place, await must_be_ours(place))
    async with serving(place.handle, place.data) as starting:
        served = await starting.ready()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", trust_env=False) as client:
            await must_say_busy(client)
            await place.postgres.start()
            await must_recover(client)


@asynccontextmanager
async def up(place: Place, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`tanabata up` on a database of one's own."""
    environ = dict(os.environ) | {
        "DATABASE_URL": place.handle.app_url,
        "MIGRATOR_DATABASE_URL": place.handle.migrator_url,
        "TANABATA_SCHEMA": place.handle.schema,
        "TANABATA_DATA": str(place.data),
        "PORT": str(port),
        "HOST": "127.0.0.1",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.cli", "up", cwd=PROJECT, env=environ, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()


async def listening(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await client.get("/")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_the_whole_server_starts_without_a_database_and_stops_when_told(place: Place) -> None:
    await kill_database(place, await must_be_ours(place))
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        async with up(place, port) as process:
            await listening(client)
            await must_say_busy(client)
            await place.postgres.start()
            await must_recover(client)
        assert process.returncode == 0
        await kill_database(place, await must_be_ours(place))
        async with up(place, port) as process:
            await listening(client)
            await must_say_busy(client)
        assert process.returncode == 0, "it stops while it waits, too"


async def test_a_wrong_password_is_not_waited_for(place: Place) -> None:
    """A person must put it right; the start says so at once."""
    user, _, rest = place.handle.app_url.partition("://")[2].partition("@")
    wrong = f"postgresql://{user.partition(':')[0]}-nobody:wrong@{rest}"
    try:
        await require_reachable(Settings.from_env({"DATABASE_URL": wrong, "TANABATA_DATA": str(place.data)}))
    except Unreachable as error:
        assert not error.is_away
        assert "wrong" not in str(error)
    else:
        raise AssertionError("nobody let us in")
