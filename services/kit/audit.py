"""The audit log: who did or looked at what, written in the deed's own transaction."""

from collections.abc import Mapping
from uuid import UUID

from services.kit import tables
from services.kit.db import Tx


async def record(tx: Tx, actor_id: UUID | None, action: str, subject_id: UUID | None = None, **detail: object) -> None:
    """Write one entry; `actor_id` is None for the platform's own jobs."""
    content: Mapping[str, object] = {name: _plain(value) for name, value in detail.items()}
    await tables.write_audit(tx, actor_id, action, subject_id, content)


def _plain(value: object) -> object:
    return value if isinstance(value, int | bool | list | dict | None) else str(value)
