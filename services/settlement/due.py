"""Which closings are due: what the worker closes next, programme by programme, in order.

Up to a programme's final closing every day of its calendar is closed, sales or none. Later a
close is due only where deeds have come since: points that a refund revived and that were
spent, or a deed that committed after its day was closed.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.campaigns import read as campaigns
from services.kit.db import Tx
from services.settlement.calendar import cutoff_instant
from services.settlement.closings import due_dates, later_date
from services.settlement.tables import closes

BATCH = 100


@dataclass(frozen=True)
class DueClosing:
    """A day that is over and not closed."""

    programme_id: UUID
    programme_code: str
    closing_date: date


async def closings_due(tx: Tx, limit: int = BATCH, *, ended: bool = True) -> tuple[DueClosing, ...]:
    """Up to `limit` due closings, oldest day first; each programme's own in the order to close them.

    Without `ended` programmes after their final close are left out: whether anything came since is
    a search through all that they ever sold.
    """
    programmes = await campaigns.every_published(tx)
    last = await closes.last_closing_dates(tx, [programme.id for programme in programmes])
    due: list[DueClosing] = []
    perhaps: list[DueClosing] = []
    for programme in programmes:
        before = last.get(programme.id)
        days = due_dates(programme.terms, before, tx.now)
        due += [DueClosing(programme.id, programme.code, day) for day in days]
        later = later_date(programme.terms, before, tx.now) if ended else None
        if later is not None:
            perhaps.append(DueClosing(programme.id, programme.code, later))
    due += await _with_deeds(tx, perhaps)
    return tuple(sorted(due, key=lambda each: (each.closing_date, each.programme_code))[:limit])


async def _with_deeds(tx: Tx, perhaps: list[DueClosing]) -> list[DueClosing]:
    """Those whose close would claim something."""
    if not perhaps:
        return []
    oldest = await closes.oldest_unclaimed(tx, [each.programme_id for each in perhaps], tx.now)
    return [each for each in perhaps if oldest.get(each.programme_id, tx.now) < cutoff_instant(each.closing_date)]
