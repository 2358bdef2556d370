"""The town that a newcomer finds is a lawful one, and is built once."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.scenarios.demonstration import seed
from services.identity.passwords import CHEAPEST
from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.ids import SeededEntropy
from services.proof.prove import prove

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


async def test_the_demonstration_town_is_built_once_and_proves_clean(engine: AsyncEngine) -> None:
    clock, entropy = SetClock(NOW), SeededEntropy(1)
    assert await seed(engine, clock, entropy, b"k" * 32, password_cost=CHEAPEST)
    assert not await seed(engine, clock, entropy, b"k" * 32, password_cost=CHEAPEST)
    async with Database(engine, clock, entropy).begin() as tx:
        proof = await prove(tx)
    assert [check.name for check in proof.checks if not check.ok] == []
