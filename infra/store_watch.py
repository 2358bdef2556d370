"""Stores are watched behind the payments: what they took is counted, day by day, and what stands out is kept."""

from collections.abc import Callable
from datetime import datetime

from services.alerts.watch_stores import watch_stores
from services.kit.clock import civil_date, end_of
from services.kit.db import Database
from services.payments.count_stores import CountDay, begin_of_count, counted_anew_from, forget_hours
from services.payments.store_velocity import StoreLimits


class StoreWatch:
    """Counts from where it left off; at its first run from where the table ends, whoever counted until then."""

    def __init__(self, database: Database, limits: StoreLimits) -> None:
        self._database = database
        self._limits = limits
        self._since: datetime | None = None

    async def watch(self, told: Callable[[int], None] = lambda _: None) -> int:
        """How many alerts are new, or told anew; a day is one transaction, and one that fails is counted next time."""
        now = self._database.clock.now()
        since = self._since or await self._database.transact(begin_of_count, None)
        total = 0
        while since is not None and since <= now:
            day = civil_date(since)
            raised = await self._database.transact(watch_stores, CountDay(day, since, self._limits))
            told(raised)
            total += raised
            since = end_of(day)
        self._since = counted_anew_from(now)
        return total

    async def forget(self, told: Callable[[int], None] = lambda _: None) -> int:
        """Hours that say nothing of what is usual any more; how many."""
        done = await self._database.transact(forget_hours, None)
        told(done)
        return done
