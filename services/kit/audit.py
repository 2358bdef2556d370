"""The audit log: who did or looked at what, written in the deed's own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit import tables
from services.kit.chains import Chain
from services.kit.db import Tx

CONTENT = """
jsonb_build_array(e.id, e.actor_id, e.action, e.subject_id, (extract(epoch FROM e.happened_at) * 1000000)::bigint,
                  (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.detail)::text
"""
"""An entry with everything that it says; as a list in JSON, so that no two entries have one text."""

ENTRIES = Chain("audit", tables.AuditRow, tables.AuditSealRow, "entry_id", CONTENT)


@dataclass(frozen=True)
class AuditFilter:
    """Which entries: everything that is given must be so. `since` is inclusive, `until` is not.

    `after` is the id of the last entry that was shown; the newest come first.
    """

    actor_id: UUID | None = None
    subject_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: UUID | None = None
    limit: int = 100


@dataclass(frozen=True)
class AuditEntry:
    """One entry; `place` is where it stands in the hash chain, None until it is sealed."""

    id: UUID
    actor_id: UUID | None
    action: str
    subject_id: UUID | None
    detail: Mapping[str, object]
    happened_at: datetime
    recorded_at: datetime
    place: int | None


async def entries(tx: Tx, asked: AuditFilter) -> Sequence[AuditEntry]:
    """Entries of the log, newest first."""
    return [AuditEntry(*row) for row in await tables.find_audit(tx, asked)]


@dataclass(frozen=True)
class ReadLog:
    """Somebody reads the log, which is itself worth an entry."""

    auditor_id: UUID
    filter: AuditFilter


async def read_log(tx: Tx, command: ReadLog) -> Sequence[AuditEntry]:
    """Entries of the log, newest first, one more than asked for if there are; that it was read is written down."""
    asked = command.filter
    found = await entries(tx, asked)
    said = {name: value for name, value in vars(asked).items() if value is not None}
    await record(tx, command.auditor_id, "audit.read", asked.subject_id, asked=said)
    return found


async def record(tx: Tx, actor_id: UUID | None, action: str, subject_id: UUID | None = None, **detail: object) -> UUID:
    """Write one entry; `actor_id` is None for the platform's own jobs. Its id."""
    content: Mapping[str, object] = {name: _plain(value) for name, value in detail.items()}
    [entry_id] = await tables.write_audits(tx, [(actor_id, action, subject_id, content)])
    return entry_id


@dataclass(frozen=True)
class NewEntry:
    """An entry to be written; its detail holds plain values only."""

    actor_id: UUID | None
    action: str
    subject_id: UUID | None
    detail: Mapping[str, object]


async def record_all(tx: Tx, new: Sequence[NewEntry]) -> None:
    """Write several entries in one statement."""
    await tables.write_audits(tx, [(each.actor_id, each.action, each.subject_id, each.detail) for each in new])


def _plain(value: object) -> object:
    return value if isinstance(value, int | bool | list | dict | None) else str(value)
