"""What an app asks for all day reads its own rows, found by an index, and none of its neighbours'.

PostgreSQL tells of each reading how many rows it looked at and threw away. In a small table that costs nothing, so
that no other test would notice; in a city of a million payments one such list costs as much as a hundred payments.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from services.kit.db import Tx
from services.payments.read import somebody_pays
from services.wallets.lost_phone import BlockPhones, block_phones
from tests.http_town import HttpTown, done
from tests.town import NOON, OFFICER, Town

OTHERS = 40
"""Neighbours whose rows must not be read; more than anything of one's own here."""

Asked = tuple[str, tuple[Any, ...]]


@asynccontextmanager
async def asked_of(engine: AsyncEngine) -> AsyncIterator[list[Asked]]:
    """The statements that SQLAlchemy sends meanwhile, with their values."""
    found: list[Asked] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.append((statement, tuple(values)))

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", hear)


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def thrown_away(engine: AsyncEngine, asked: list[Asked]) -> dict[str, int]:
    """Of each table that these statements read: how many rows were looked at for nothing. They change nothing."""
    found: dict[str, int] = {}
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        again = driver.transaction()
        await again.start()
        for statement, values in asked:
            if not statement.lstrip().startswith(("SELECT", "WITH", "UPDATE")):
                continue
            [(told,)] = await driver.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
            for node in nodes(told[0]["Plan"]):
                if "Relation Name" in node:
                    removed = node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
                    found[node["Relation Name"]] = found.get(node["Relation Name"], 0) + int(removed)
        await again.rollback()
    return found


async def test_a_wallets_lists_read_no_other_wallets_rows(engine: AsyncEngine) -> None:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    for each in (who, *[await town.resident() for _ in range(OTHERS)]):
        await town.buy(each)
    await town.pay_store(who, shop, 100)
    app = town.as_resident(who)
    for path in ("history", "purchases"):
        async with asked_of(engine) as asked:
            done(await app.get(f"/wallets/{who.wallet.id}/{path}"))
        read = await thrown_away(engine, asked)
        assert read.keys() & {"lot", "purchase"}, path
        assert sum(read.values()) < OTHERS / 2, (path, read)


async def test_who_blocks_a_wallets_phones_reads_no_other_peoples(engine: AsyncEngine) -> None:
    town = Town(engine)
    who, *_ = [await town.resident() for _ in range(1 + OTHERS)]
    async with asked_of(engine) as asked:
        blocked = await town.do(block_phones, BlockPhones(OFFICER, who.wallet.number, "birthday", "lost"))
    assert blocked.phones == 1
    read = await thrown_away(engine, asked)
    assert "device" in read
    assert sum(read.values()) < OTHERS / 2, read


async def test_a_stores_payments_of_a_day_read_no_other_days(engine: AsyncEngine) -> None:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    for _ in range(OTHERS):
        await town.pay_store(who, shop, 1)
    town.wait(days=1)
    receipt = await town.pay_store(who, shop, 100)
    till = town.as_clerk(shop)
    async with asked_of(engine) as asked:
        listed = done(await till.get(f"/stores/{shop.id}/payments"))
    assert [each["number"] for each in listed["payments"]] == [receipt.number]
    assert (await thrown_away(engine, asked))["payment"] == 0
    yesterday = done(await till.get(f"/stores/{shop.id}/payments", params={"day": NOON.date().isoformat()}))
    assert len(yesterday["payments"]) == OTHERS


async def test_whether_somebody_pays_is_read_off_the_newest_payment(database: DatabaseHandle) -> None:
    """A job's connection may read whole tables, and would read all of this one whenever nobody has paid lately."""
    engine = database.app_engine(limits=JOBS)
    try:
        town = Town(engine)
        await town.programme()
        who, shop = await town.resident(), await town.shop()
        await town.buy(who)
        for _ in range(OTHERS):
            await town.pay_store(who, shop, 1)
        town.wait(days=1)

        async def asks(tx: Tx, _: None) -> bool:
            return await somebody_pays(tx)

        async with asked_of(engine) as asked:
            assert not await town.do(asks, None)
        assert (await thrown_away(engine, asked))["payment"] == 0
    finally:
        await engine.dispose()
