"""A process's clock, held to the database's: checked when it starts, corrected while it runs."""

import asyncio
import logging
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.connect import ClockSkew, require_same_clock
from services.kit.clock import OffsetClock

CLOCK_SECONDS = 60.0

log = logging.getLogger(__name__)


async def offset_of(engine: AsyncEngine) -> timedelta:
    """The database's clock minus this machine's. Raises ClockSkew above two seconds."""
    async with engine.connect() as connection:
        return await require_same_clock(connection)


async def keep_time(engine: AsyncEngine, clock: OffsetClock) -> None:
    """Correct the clock by the database's, each minute; a failure keeps the last correction."""
    while True:
        await asyncio.sleep(CLOCK_SECONDS)
        try:
            clock.offset = await offset_of(engine)
        except ClockSkew as skew:
            clock.offset = skew.offset
            log.warning("%s", skew)
        except Exception:
            log.exception("the database's clock could not be read")
