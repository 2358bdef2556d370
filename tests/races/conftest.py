"""A pool wide enough that the database, not the pool, decides a race."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle

CROWD = 44


@pytest.fixture
async def crowd(database: DatabaseHandle) -> AsyncIterator[AsyncEngine]:
    """The test's own database, for some forty transactions at once with the patience of jobs."""
    engine = database.app_engine(pool_size=CROWD, limits=JOBS)
    yield engine
    await engine.dispose()
