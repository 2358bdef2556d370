"""The platform's own jobs: what is due gets done once, and one failing job never stops another."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra import worker
from infra.apart import InsightFailed
from infra.daily_lake import DailyLake
from infra.worker import Job, Told, jobs, run_forever, run_once
from services.kit.clock import TOKYO
from services.kit.db import Tx
from services.settlement.books import ClosedBooks
from services.settlement.close import Close
from services.settlement.close import close as real_close
from services.settlement.read import closes_of
from services.settlement.tables.claims import Rest
from tests.http_town import HttpTown, done
from tests.settlement.office import counting
from tests.town import CODE, NOON


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    made = HttpTown(engine)
    await made.programme()
    return made


async def run(town: HttpTown) -> dict[str, int | None]:
    return await run_once(jobs(town.database, town.built.checkout))


async def test_nothing_due_nothing_done(town: HttpTown) -> None:
    assert await run(town) == {
        "expire points": 0,
        "settle checkouts": 0,
        "close periods": 0,
        "forget declines": 0,
        "forget what is over": 0,
        "watch stores": 0,
        "forget store hours": 0,
        "seal journals": 0,
        "prove": 1,
        "seal audit log": 4,  # a programme proposed, and approved; a proof begun, and the books proven
    }


async def test_what_is_due_is_done_once(town: HttpTown) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 1_000)
    town.go_to(NOON + timedelta(days=30))
    reserved = await town.as_resident(who).command(
        f"/wallets/{who.wallet.id}/purchases", {"programme": CODE, "units": 1}
    )
    checkout_id = str(done(reserved, 201)["checkout_url"]).rsplit("/", 1)[1]
    await town.built.checkout.pay(checkout_id, notify=False)
    first = await run(town)
    assert (first["settle checkouts"], first["close periods"]) == (1, 2)
    assert first["seal journals"] == 4  # a purchase, a payment, the second purchase, one store's close
    assert [each.statements for each in await town.do(closes_of, CODE)] == [0, 1]
    assert await run(town) == dict.fromkeys(first, 0)
    town.go_to(NOON.replace(month=10, day=1))
    assert (await run(town))["expire points"] == 4
    assert await town.points(who) == 0
    await town.must_prove()


async def test_one_programme_that_cannot_be_closed_stops_no_other(
    town: HttpTown, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await town.programme(code="moonlight")
    tried: list[str] = []

    async def close(tx: Tx, command: Close, rest: Rest) -> ClosedBooks:
        tried.append(command.programme_code)
        if command.programme_code == CODE:
            raise AssertionError("books that do not add up")
        return await real_close(tx, command, rest)

    monkeypatch.setattr(worker, "close", close)
    town.go_to(NOON + timedelta(days=30))
    assert await worker.close_periods(town.database) == 2
    assert tried.count(CODE) == 1
    assert len(await town.do(closes_of, "moonlight")) == 2
    assert "books that do not add up" in caplog.text


async def test_an_ended_programme_is_searched_for_deeds_once_an_hour(town: HttpTown, engine: AsyncEngine) -> None:
    closer = worker.Closer(town.database)
    town.go_to(NOON.replace(month=11))
    assert await closer.close() == 13  # the whole calendar to the final close
    seen = []
    for minutes in (0, 1, 58, 1, 1, 59):
        town.wait(minutes=minutes)
        async with counting(engine) as sent:
            assert await closer.close() == 0
        seen.append(sum("payment_leg" in statement for statement in sent))
    assert seen == [0, 0, 0, 1, 0, 1]


async def test_a_close_says_what_it_has_done(town: HttpTown, caplog: pytest.LogCaptureFixture) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 2_000)
    town.go_to(NOON + timedelta(days=11))
    heard: list[int] = []
    with caplog.at_level("INFO", logger="infra.worker"):
        assert await worker.close_periods(town.database, heard.append) == 1
    assert heard == [1]
    assert caplog.messages == [f"closed {CODE} on 2026-04-15: 1 statements, 1890 yen to be paid on 2026-04-22"]


async def test_one_run_tells_of_each_job_as_it_goes(town: HttpTown) -> None:
    for _ in range(3):
        await town.grant(await town.resident(), 100)
    town.go_to(NOON.replace(month=10, day=1, hour=0))
    told: list[tuple[str, int]] = []
    done = await run_once(
        jobs(town.database, town.built.checkout), lambda job: lambda more: told.append((job.name, more))
    )
    sums = {name: sum(more for job, more in told if job == name) for name in done}
    assert sums == done
    assert done["expire points"] == 3


async def test_a_failing_job_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []

    async def fail(_: Told) -> int:
        ran.append("fails")
        raise RuntimeError("out of paper")

    async def work(_: Told) -> int:
        ran.append("works")
        return 1

    every = (Job("fails", 0, fail), Job("works", 0, work))
    assert await run_once(every) == {"fails": None, "works": 1}
    assert "'fails' failed" in caplog.text
    forever = asyncio.create_task(run_forever(every))
    while ran.count("works") < 3 or ran.count("fails") < 3:  # noqa: ASYNC110 - it waits for turns only
        await asyncio.sleep(0)
    forever.cancel()
    with pytest.raises(asyncio.CancelledError):
        await forever


async def test_rules_look_once_a_day_at_a_lake_that_was_refreshed_and_alone_are_tried_again(town: HttpTown) -> None:
    town.go_to(NOON.replace(hour=4))
    done: list[str] = []

    async def refresh() -> int:
        done.append("refresh")
        return 1

    async def look() -> int:
        done.append("look")
        if done.count("look") == 1:
            raise RuntimeError("busy")
        return 1

    daily = DailyLake(town.database, refresh, look)
    with pytest.raises(RuntimeError):
        await daily.refresh()
    assert await daily.refresh() == 1
    assert await daily.refresh() == 0
    town.wait(days=1)
    assert await daily.refresh() == 2
    assert done == ["refresh", "look", "look", "refresh", "look"]


async def test_the_lake_is_refreshed_once_a_day_when_the_night_is_quiet(town: HttpTown) -> None:
    town.go_to(NOON.replace(hour=3))
    times: list[int] = []

    async def refresh() -> int:
        times.append(town.clock.now().astimezone(TOKYO).hour)
        if len(times) == 1:
            raise RuntimeError("busy")
        return 1

    daily = DailyLake(town.database, refresh)
    assert await daily.refresh() == 0
    town.wait(hours=1)
    with pytest.raises(RuntimeError):
        await daily.refresh()
    assert await daily.refresh() == 1, "what failed is tried again"
    assert await daily.refresh() == 0
    town.wait(days=1)
    assert await daily.refresh() == 1
    assert times == [4, 4, 4]


async def test_a_process_of_analytics_that_failed_is_told_in_its_words_without_our_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refresh(_: Told) -> int:
        raise InsightFailed("refresh", 1, "The database went away.\n")

    assert await run_once((Job("refresh the lake", 300, refresh),)) == {"refresh the lake": None}
    [told] = caplog.records
    assert not told.exc_info
    why = "`insight refresh` ended with 1: The database went away."
    assert told.getMessage() == f"the job 'refresh the lake' failed; it will be tried again. {why}"
