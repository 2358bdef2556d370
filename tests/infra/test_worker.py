"""The platform's own jobs: what is due gets done once, and one failing job never stops another."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.worker import Job, jobs, run_forever, run_once
from services.settlement.read import closes_of
from tests.http_town import HttpTown, done
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
        "seal journals": 0,
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


async def test_a_failing_job_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []

    async def fail() -> int:
        ran.append("fails")
        raise RuntimeError("out of paper")

    async def work() -> int:
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
