"""The server put together as `tanabata up` does it: it serves, keeps time, and forgets nothing on a restart."""

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from infra import server, timekeeping
from infra.database.connect import ClockSkew
from infra.database.provision import DatabaseHandle
from infra.http.door import Door
from infra.keys import KeyUnsafe
from infra.settings import Settings
from services.kit.clock import OffsetClock
from tests.http_town import WALLET, done, problem


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"TANABATA_DATA": str(tmp_path), "PORT": "8099"})


@asynccontextmanager
async def running(handle: DatabaseHandle, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = await server.create_app(handle, settings)
    assert isinstance(app, Door)
    async with app.plain.router.lifespan_context(app.plain):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client:
            yield client


async def sign_in(client: httpx.AsyncClient) -> str:
    asked = done(await client.post(f"{WALLET}/sign-in/codes", json={"phone": "090-1234-5678"}), 202)
    outbox = (await client.get("/outbox")).text
    code = re.search(r"\D(\d{6})\D", outbox.split("+819012345678")[1])
    assert code
    body = {"attempt_id": asked["attempt_id"], "code": code[1]}
    return str(done(await client.post(f"{WALLET}/sign-in", json=body))["access_token"])


async def test_every_api_is_where_it_should_be(database: DatabaseHandle, settings: Settings) -> None:
    async with running(database, settings) as client:
        for name in ("wallet", "merchant", "city"):
            document = done(await client.get(f"/api/{name}/v1/openapi.json"))
            assert document["info"]["title"] == f"Tanabata {name} API"
            assert {"url": f"/api/{name}/v1"} in document["servers"]
            problem(await client.get(f"/api/{name}/v1/nowhere"), 404, "not_found")
        problem(await client.get("/api/wallet/v2/wallets"), 404, "not_found")
        problem(await client.get("/docs"), 404, "not_found")
        assert "/api/wallet/v1" in (await client.get("/")).text


async def test_the_list_of_banks_is_read_before_anybody_asks(
    database: DatabaseHandle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bool] = []
    monkeypatch.setattr(server, "load_banks", lambda: read.append(True))
    async with running(database, settings):
        assert read


async def test_a_restart_keeps_keys_and_people_signed_in(database: DatabaseHandle, settings: Settings) -> None:
    async with running(database, settings) as client:
        token = await sign_in(client)
    async with running(database, settings) as client:
        headers = {"authorization": f"Bearer {token}"}
        assert done(await client.get(f"{WALLET}/wallets", headers=headers))["wallets"]


async def test_the_sandbox_keeps_its_state_to_itself(database: DatabaseHandle, settings: Settings) -> None:
    async with running(database, settings):
        files = list(settings.data_dir.glob("sandbox-checkout*"))
        assert files
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_what_is_not_this_machine_has_no_outbox(database: DatabaseHandle, settings: Settings) -> None:
    public = replace(settings, public_url="https://tanabata.example.jp")
    async with running(database, public) as client:
        for path in ("/", "/outbox", "/sandbox/checkout/x", "/api/wallet/v1/openapi.json"):
            problem(await client.get(path), 404, "not_found")


async def test_an_unsafe_key_stops_the_start(database: DatabaseHandle, settings: Settings) -> None:
    async with running(database, settings):
        pass
    (settings.data_dir / "keys" / "code-hmac.key").chmod(0o644)
    with pytest.raises(KeyUnsafe):
        await server.create_app(database, settings)


async def test_a_clock_that_is_off_stops_the_start(
    database: DatabaseHandle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def skewed(_connection: object) -> timedelta:
        raise ClockSkew(timedelta(seconds=3))

    monkeypatch.setattr(timekeeping, "require_same_clock", skewed)
    with pytest.raises(ClockSkew):
        await server.create_app(database, settings)


async def test_the_clock_is_corrected_while_serving(
    database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[timedelta | Exception] = [OSError("gone"), ClockSkew(timedelta(seconds=5)), timedelta(seconds=1)]
    clock, engine = OffsetClock(), database.app_engine()
    seen: list[timedelta] = []

    async def measured(_connection: object) -> timedelta:
        seen.append(clock.offset)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(timekeeping, "require_same_clock", measured)
    monkeypatch.setattr(timekeeping, "CLOCK_SECONDS", 0.0)
    keeping = asyncio.create_task(timekeeping.keep_time(engine, clock))
    while clock.offset != timedelta(seconds=1):  # noqa: ASYNC110 - it has nothing to wait for but turns
        await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await engine.dispose()
    assert seen[:3] == [timedelta(0), timedelta(0), timedelta(seconds=5)]
    assert "could not be read" in caplog.text


async def test_another_city_does_not_take_our_tokens(
    database: DatabaseHandle, settings: Settings, tmp_path: Path
) -> None:
    async with running(database, settings) as client:
        token = await sign_in(client)
    elsewhere = replace(settings, data_dir=tmp_path / "elsewhere")
    async with running(database, elsewhere) as client:
        headers = {"authorization": f"Bearer {token}"}
        problem(await client.get(f"{WALLET}/wallets/{UUID(int=1)}", headers=headers), 401, "token_invalid")


LINE_BREAKS = [
    "/api/wallet/v1/wallets/%0A/history",
    "/api/city/v1/%0A",
    "/api/merchant/v1/stores%0A",
]


async def test_a_line_break_in_a_path_is_a_problem_like_any_other(
    database: DatabaseHandle, settings: Settings, subtests: pytest.Subtests
) -> None:
    async with running(database, settings) as client:
        for path in LINE_BREAKS:
            for method in ("GET", "POST"):
                with subtests.test(path=path, method=method):
                    answer = await client.request(method, path)
                    problem(answer, 404, "not_found")
                    assert answer.headers["x-content-type-options"] == "nosniff"
                    assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
