"""One town for all trials of the auditor: every corruption happens in a transaction that is rolled back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex

import pytest
from sqlalchemy import text

from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from services.kit.db import Tx
from services.kit.ids import SeededEntropy
from tests.proof.world import build


@pytest.fixture(scope="session")
def town_database(database_server: DatabaseHandle, template_database: str) -> Iterator[DatabaseHandle]:
    name = f"tanabata_town_{token_hex(4)}"
    handle = replace(
        database_server,
        app_url=named(database_server.app_url, name),
        migrator_url=named(database_server.migrator_url, name),
    )

    async def settle() -> None:
        await create_database(database_server.migrator_url, name, template_database)
        engine = handle.migrator_engine()
        async with engine.begin() as connection:
            await build().write(connection)
        await engine.dispose()

    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(asyncio.run, settle()).result()
        yield handle
        elsewhere.submit(asyncio.run, drop_database(database_server.migrator_url, name)).result()


@pytest.fixture
async def intruder(town_database: DatabaseHandle) -> AsyncIterator[Tx]:
    """A transaction of somebody who can do everything and meets no trigger; nothing of it remains."""
    engine = town_database.migrator_engine()
    async with engine.connect() as connection, connection.begin() as transaction:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield Tx(connection, datetime(2026, 7, 1, tzinfo=UTC), SeededEntropy(1))
        await transaction.rollback()
    await engine.dispose()
