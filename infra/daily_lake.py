"""The lake of analytics takes in the day before and the rules look at it: once a day, when the night is quiet."""

from collections.abc import Awaitable, Callable
from datetime import date

from services.kit.clock import TOKYO
from services.kit.db import Database

FROM_HOUR = 4
"""In Japan; after the nightly proof."""


class DailyLake:
    """Has the lake refreshed once a day, and once more after a restart, and then looked at for misuse.

    `refresh` and `look` raise when it could not be; then only what is left is tried again.
    """

    def __init__(
        self,
        database: Database,
        refresh: Callable[[], Awaitable[int]],
        look: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._database = database
        self._steps = (refresh,) if look is None else (refresh, look)
        self._done_on: date | None = None
        self._done = 0

    async def refresh(self, told: Callable[[int], None] = lambda _: None) -> int:
        """How much was done if it was time; what fails is tried again at the next turn."""
        now = self._database.clock.now().astimezone(TOKYO)
        if now.hour < FROM_HOUR:
            return 0
        if self._done_on != now.date():
            self._done_on, self._done = now.date(), 0
        total = 0
        for step in self._steps[self._done :]:
            done = await step()
            self._done += 1
            total += done
            told(done)
        return total
