"""The audit log: who did or looked at what, written in the deed's own transaction."""

from collections.abc import Mapping
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


async def record(tx: Tx, actor_id: UUID | None, action: str, subject_id: UUID | None = None, **detail: object) -> None:
    """Write one entry; `actor_id` is None for the platform's own jobs."""
    content: Mapping[str, object] = {name: _plain(value) for name, value in detail.items()}
    await tables.write_audit(tx, actor_id, action, subject_id, content)


def _plain(value: object) -> object:
    return value if isinstance(value, int | bool | list | dict | None) else str(value)
