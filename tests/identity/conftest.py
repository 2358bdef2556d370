"""A city's database at noon of 7 July, with a clock that the tests set and seeded entropy."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.ids import SeededEntropy


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC))


@pytest.fixture
def city(engine: AsyncEngine, clock: SetClock) -> Database:
    return Database(engine, clock, SeededEntropy(1))
