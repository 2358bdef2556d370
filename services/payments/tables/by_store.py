"""A store's payments of a time, and what its deeds of a time come to."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from services.kit.db import Tx
from services.kit.ids import first_id_of
from services.payments.payment import DeedKind, Payment
from services.payments.tables.reading import PAYMENT, payment_of
from services.payments.tables.schema import LegRow, PaymentRow, ReturnedRow


async def payments_of_store(
    tx: Tx, store_id: UUID, since: datetime, until: datetime, after: UUID | None, limit: int
) -> list[tuple[Payment, int]]:
    """A store's payments of a time, newest first, each with the yen that went back of it.

    Ids begin with the deed's instant, so bounds of time are bounds of ids too, which an index knows of.
    """
    query = (
        select(*PAYMENT, func.coalesce(ReturnedRow.returned_yen, 0))
        .outerjoin(ReturnedRow, ReturnedRow.payment_id == PaymentRow.id)
        .where(PaymentRow.store_id == store_id, PaymentRow.effective_at >= since, PaymentRow.effective_at < until)
        .where(PaymentRow.id >= first_id_of(since), PaymentRow.id < first_id_of(until + timedelta(milliseconds=1)))
        .order_by(PaymentRow.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(PaymentRow.id < after)
    return [(payment_of(row[:-1]), row[-1]) for row in await tx.connection.execute(query)]


async def sum_store(tx: Tx, store_id: UUID, since: datetime, until: datetime) -> dict[DeedKind, tuple[int, int]]:
    """A store's deeds of a time: kind → (number of deeds, yen)."""
    query = (
        select(LegRow.kind, func.count(LegRow.deed_id.distinct()), func.sum(LegRow.amount_yen))
        .where(LegRow.store_id == store_id, LegRow.effective_at >= since, LegRow.effective_at < until)
        .group_by(LegRow.kind)
    )
    return {DeedKind(row[0]): (row[1], int(row[2])) for row in await tx.connection.execute(query)}
