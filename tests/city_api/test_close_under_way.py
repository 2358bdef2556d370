"""A close that rests keeps others from the books: an officer is told what goes on, another job says so and goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest

from infra import worker
from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from infra.rests import Rests
from services.identity.people import Role
from services.settlement.close import RETRY_SECONDS, Close
from tests.http_town import HttpTown, done, problem
from tests.settlement.office import FIRST, Office, count_rows
from tests.town import CODE

PATIENCE_S = 60.0
"""Only stops a hang."""


@pytest.fixture
async def town(database: DatabaseHandle) -> AsyncIterator[HttpTown]:
    """A town that waits for no lock longer than it must."""
    engine = database.app_engine(limits=replace(JOBS, lock_ms=100))
    yield HttpTown(engine)
    await engine.dispose()


async def test_who_closes_while_a_close_rests_is_told_so_and_finds_it_done_afterwards(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    resting, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        resting.set()
        await go_on.wait()

    monkeypatch.setattr(worker, "Rests", partial(Rests, sleep=sleep))
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay_store(who, shop, 500)
    Office(town).morning_after(FIRST)
    await town.pay_store(who, shop, 70)  # somebody pays, so the job's close rests
    before = await count_rows(town.database.engine)
    officer, key = await town.as_staff(Role.OFFICER), town.new_key()
    path, body = f"/programmes/{CODE}/closes", {"closing_date": FIRST.isoformat()}
    async with asyncio.timeout(PATIENCE_S):
        closing = asyncio.create_task(worker.close_at_leisure(town.database, Close(CODE, FIRST, None)))
        await resting.wait()
        answer = await officer.command(path, body, key=key)
        assert problem(answer, 409, "close_under_way")["programme"] == CODE
        assert answer.headers["retry-after"] == str(RETRY_SECONDS)
        with caplog.at_level(logging.INFO, "infra.worker"):
            assert await worker.close_periods(town.database) == 0
        assert [record.levelno for record in caplog.records if record.name == "infra.worker"] == [logging.INFO]
        assert (await count_rows(town.database.engine))["settlement_close"] == before["settlement_close"]
        go_on.set()
        books = await closing
        assert UUID(done(await officer.command(path, body, key=key), 201)["id"]) == books.id
    assert (await count_rows(town.database.engine))["settlement_close"] == before["settlement_close"] + 1
    await town.must_prove()
