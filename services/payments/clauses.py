"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, union_all

from services.kit.sets import any_of
from services.payments.tables.schema import LegRow, ReturnRow

_LEG = (LegRow.id, LegRow.programme_id, LegRow.store_id, LegRow.kind, LegRow.amount_yen, LegRow.effective_at)


def legs_before(programme_ids: Collection[UUID], instant: datetime) -> Select[*tuple[Any, ...]]:
    """The legs of some programmes with an instant strictly before `instant`.

    Columns: id, programme_id, store_id, kind ('payment', 'cancel' or 'refund'), amount_yen,
    always above zero, and effective_at. Only what is committed is seen, and nothing is locked.
    """
    return select(*_LEG).where(LegRow.programme_id == any_of(programme_ids), LegRow.effective_at < instant)


def legs_between(programme_id: UUID, first: datetime | None, instant: datetime) -> Select[*tuple[Any, ...]]:
    """The legs of a programme from an instant, or from the beginning, strictly before another; columns as above."""
    query = legs_before([programme_id], instant)
    return query if first is None else query.where(LegRow.effective_at >= first)


def legs_of_deeds(deeds: Select[Any]) -> Select[*tuple[Any, ...]]:
    """The legs of some payments, cancels and refunds, of all their programmes; columns as above."""
    deed = deeds.subquery("deed")
    paid = select(deed.c.deed_id.label("deed_id"), deed.c.deed_id.label("payment_id"))
    returned = select(ReturnRow.id, ReturnRow.payment_id).join(deed, deed.c.deed_id == ReturnRow.id)
    place = union_all(paid, returned).subquery("place")
    return select(*_LEG).join(place, (LegRow.payment_id == place.c.payment_id) & (LegRow.deed_id == place.c.deed_id))
