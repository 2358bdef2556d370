"""What was written since an instant: the part of the books that an incremental proof asks about.

Rows that are written once carry ids made from their deed's instant (UUIDv7), so what is new is a
range of their keys. Rows that live on (lots, purchases, counters) are new when PostgreSQL wrote
their present version after a transaction that is known to be old: no deed can forget to say so.
What is promised, and what is not: `docs/algorithms/proof.md`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Final
from uuid import UUID

from services.kit.clock import civil_date, start_of

MARGIN: Final = timedelta(minutes=15)
"""How long a deed may take from its instant to its commit, at most.

A deed carries the instant at which it began, and an earlier proof saw it only if it had
committed by then. No statement of a job may take longer than ten minutes, and of a request
three seconds; half as much again leaves room for the rest of a job's transaction.
"""

SEALED_WITHIN: Final = timedelta(hours=1)
"""The longest tail of journals without a seal that the law of the tail allows."""

KNOWN_OLD: Final = """
SELECT writer::text FROM (SELECT xmin AS writer FROM ledger_journal WHERE id < $1 ORDER BY id DESC LIMIT 100) AS known
 ORDER BY age(writer) DESC LIMIT 1
"""
"""The oldest transaction of the last hundred journals before an id: one forged record hides nothing."""


@dataclass(frozen=True)
class Since:
    """The instant since which everything is to be proven, and the newest transaction known to be older, if any."""

    instant: datetime
    old_transaction: str | None

    def narrow(self, scope: str) -> str:
        """A WITH clause whose `$new`, `$altered` and so on say what is new.

        `$new` and `$new_or_unsealed` are the first ids, `$altered` is a condition on a row's version,
        `$day` is the first civil day in Japan of which counters are new, `$new_on_day` its first id.
        """
        new_from = self.instant - MARGIN
        day = civil_date(new_from)
        return Template(scope).substitute(
            new=_uuid(first_id(new_from)),
            new_or_unsealed=_uuid(first_id(new_from - SEALED_WITHIN)),
            altered=f"age(xmin) < age(xid '{self.old_transaction}')" if self.old_transaction else "true",
            day=f"date '{day.isoformat()}'",
            new_on_day=_uuid(first_id(start_of(day))),
        )


def certainly_old(instant: datetime) -> UUID:
    """Journals below this id had their transaction before any began that was still open at `instant`."""
    return first_id(instant - 2 * MARGIN)


def first_id(instant: datetime) -> UUID:
    """The smallest UUIDv7 of an instant, to the millisecond (RFC 9562 section 5.7)."""
    return UUID(int=(instant - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1) << 80)


def _uuid(value: UUID) -> str:
    return f"uuid '{value}'"
