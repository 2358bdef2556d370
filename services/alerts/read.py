"""Read alerts: what there is to look at, and how often the rules were right."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.alerts import tables
from services.alerts.alert import Alert, Show, Tally
from services.kit.db import Tx


@dataclass(frozen=True)
class AskAlerts:
    """Newest first, from the one after `after`; `rule` None is any."""

    show: Show = Show.OPEN
    rule: str | None = None
    after: UUID | None = None
    limit: int = 100


@dataclass(frozen=True)
class AlertsFound:
    alerts: Sequence[Alert]
    tallies: Sequence[Tally]


async def alerts(tx: Tx, asked: AskAlerts) -> AlertsFound:
    """The alerts that were asked for, and the tally of every rule that ever found something, by name."""
    found = await tables.find(tx, asked.show, asked.rule, asked.after, asked.limit)
    return AlertsFound(found, await tables.tallies(tx))
