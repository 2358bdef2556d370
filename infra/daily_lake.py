"""The lake of analytics takes in the day before: once a day, when the night is quiet."""

from collections.abc import Awaitable, Callable
from datetime import date

from services.kit.clock import TOKYO
from services.kit.db import Database

FROM_HOUR = 4
"""In Japan; after the nightly proof."""


class DailyLake:
    """Has the lake refreshed once a day, and once more after a restart; `refresh` raises when it could not be."""

    def __init__(self, database: Database, refresh: Callable[[], Awaitable[int]]) -> None:
        self._database = database
        self._refresh = refresh
        self._done_on: date | None = None

    async def refresh(self, told: Callable[[int], None] = lambda _: None) -> int:
        """1 if it was time; what fails is tried again at the next turn."""
        now = self._database.clock.now().astimezone(TOKYO)
        if now.hour < FROM_HOUR or self._done_on == now.date():
            return 0
        done = await self._refresh()
        self._done_on = now.date()
        told(done)
        return done
