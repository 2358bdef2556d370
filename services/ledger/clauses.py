"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from services.ledger.journal import JournalKind
from services.ledger.tables import JournalRow


def deeds_recorded_late(
    programme_id: UUID, kinds: Collection[JournalKind], recorded_since: datetime, before: datetime
) -> Select[Any]:
    """Deeds of a programme with an instant before `before` whose journals were recorded at `recorded_since` or later.

    One column: deed_id.
    """
    return select(JournalRow.deed_id).where(
        JournalRow.recorded_at >= recorded_since,
        JournalRow.programme_id == programme_id,
        JournalRow.effective_at < before,
        JournalRow.kind.in_([kind.value for kind in kinds]),
    )
