"""The staged town as a template database, and its clones."""

from collections.abc import AsyncIterator
from secrets import token_hex

import pytest_asyncio

from infra.database.migrate import create_database, drop_database
from infra.database.provision import DatabaseHandle
from tests.access.ground import Ground, elsewhere
from tests.access.stage import build


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground(database_server: DatabaseHandle, template_database: str) -> AsyncIterator[Ground]:
    """Set once a worker; nobody is connected to it while it is cloned."""
    name = f"tanabata_stage_{token_hex(4)}"
    await create_database(database_server.migrator_url, name, template_database)
    handle = elsewhere(database_server, name)
    engine = handle.app_engine()
    try:
        stage = await build(engine)
    finally:
        await engine.dispose()
    ground = Ground(database_server, name, stage)
    yield ground
    await ground.close()
    await drop_database(database_server.migrator_url, name)
