"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from services.kit.sets import any_of
from services.payments.tables.schema import LegRow


def legs_before(programme_ids: Collection[UUID], instant: datetime) -> Select[*tuple[Any, ...]]:
    """The legs of some programmes with an instant strictly before `instant`.

    Columns: id, programme_id, store_id, kind ('payment', 'cancel' or 'refund'), amount_yen,
    always above zero, and effective_at. Only what is committed is seen, and nothing is locked.
    """
    return select(
        LegRow.id, LegRow.programme_id, LegRow.store_id, LegRow.kind, LegRow.amount_yen, LegRow.effective_at
    ).where(
        LegRow.programme_id == any_of(programme_ids),
        LegRow.effective_at < instant,
    )
