"""Count what stores take and give back, and say which came to more than they may without being told of.

Law: whatever was paid is counted once, however often this runs, and is not missed when it did not run for days. A
payment commits within minutes of its instant (every transaction has its time limits), so an hour is counted anew until
another whole hour has gone by.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.kit.clock import end_of, start_of
from services.kit.db import Tx
from services.payments.store_velocity import PAST_DAYS, UNKNOWN, PastDay, Rush, Span, StoreLimits, returns_of, rush_of
from services.payments.store_velocity import usual_of as usual
from services.payments.tables import at_stores
from services.payments.velocity import HOUR, hour_of


@dataclass(frozen=True)
class CountDay:
    """A civil day, or the part of it since then."""

    day: date
    since: datetime
    limits: StoreLimits


@dataclass(frozen=True)
class StoreRush:
    """A rush, and whose it is: the store's code."""

    store_code: str
    rush: Rush


def counted_anew_from(last: datetime) -> datetime:
    """From which hour on everything is counted again, when `last` was the last instant or hour that was looked at."""
    return hour_of(last) - HOUR


async def begin_of_count(tx: Tx, _: None) -> datetime | None:
    """From when on there may be something to count; None where nothing was paid since anything would be told.

    Where nothing has been counted yet, that is as far back as it takes to know what is usual.
    """
    last = await at_stores.last_hour(tx)
    if last is not None:
        return counted_anew_from(last)
    first = await at_stores.first_leg(tx, tx.now - timedelta(days=PAST_DAYS))
    return None if first is None else hour_of(first)


async def count_day(tx: Tx, command: CountDay) -> list[StoreRush]:
    """Count the day's hours since `command.since`, and judge these and the day by what was usual before."""
    day, limits = command.day, command.limits
    since = max(command.since, start_of(day))
    await at_stores.count_hours(tx, since, end_of(day))
    windows = await at_stores.busy_windows(tx, day, since, limits)
    if not windows:
        return []
    past: dict[UUID, list[PastDay]] = defaultdict(list)
    for each in await at_stores.past_days(tx, {window.store_id for _, window in windows}, day):
        past[each.store_id].append(each)
    own = {store_id: usual(days) for store_id, days in past.items()}
    found = []
    for code, window in windows:
        said = own.get(window.store_id, UNKNOWN)
        rushes = [rush_of(limits, window, said)]
        if window.span is Span.DAY:
            rushes.append(returns_of(limits, window, said))
        found += [StoreRush(code, rush) for rush in rushes if rush is not None]
    return found


async def forget_hours(tx: Tx, _: None) -> int:
    """Remove the hours that say nothing of what is usual any more; how many."""
    return await at_stores.forget_hours(tx)
