"""The table of what stores take by the hour, and every statement on it. Counted behind the payments, from their legs.

Law: an hour is counted anew from the legs themselves and never comes to less, so counting it twice, or two at once,
is counting it once.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Index, Integer, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.clock import end_of, start_of
from services.kit.db import Base, Tx
from services.kit.sets import any_of
from services.kit.tables import Instant
from services.merchants import clauses
from services.payments.store_velocity import PAST_DAYS, PastDay, Span, StoreLimits, Window
from services.payments.tables.schema import LegRow
from services.payments.velocity import Most


class StoreHourRow(Base):
    """What a store took and gave back in the hour that began then; hours without either have no row."""

    __tablename__ = "store_hour"
    __table_args__ = (
        CheckConstraint("payments >= 0 AND paid_yen >= 0 AND returns >= 0 AND returned_yen >= 0", name="counts"),
        Index("ix_store_hour_began_at", "began_at"),
    )
    store_id: Mapped[UUID] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    payments: Mapped[int] = mapped_column(Integer)
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    returns: Mapped[int] = mapped_column(Integer)
    returned_yen: Mapped[int] = mapped_column(BigInteger)


_COUNTS = ("payments", "paid_yen", "returns", "returned_yen")
_COLUMNS = tuple(getattr(StoreHourRow, name) for name in _COUNTS)
_SUMS = tuple(func.sum(column).label(column.key) for column in _COLUMNS)


async def last_hour(tx: Tx) -> datetime | None:
    """When the latest hour that was counted began."""
    found: datetime | None = (await tx.connection.execute(select(func.max(StoreHourRow.began_at)))).scalar_one()
    return found


async def first_leg(tx: Tx, since: datetime) -> datetime | None:
    """The first payment, cancel or refund since then."""
    query = select(func.min(LegRow.effective_at)).where(LegRow.effective_at >= since)
    found: datetime | None = (await tx.connection.execute(query)).scalar_one()
    return found


async def count_hours(tx: Tx, since: datetime, until: datetime) -> None:
    """Count every store's hours from what it took and gave back since then, up to before `until`."""
    is_paid = LegRow.kind == "payment"
    hour = func.date_trunc("hour", LegRow.effective_at, "UTC").label("began_at")
    # Several programmes in one payment are several legs of one deed.
    counted = (
        select(
            LegRow.store_id,
            hour,
            func.count(LegRow.deed_id.distinct()).filter(is_paid),
            func.coalesce(func.sum(LegRow.amount_yen).filter(is_paid), 0),
            func.count(LegRow.deed_id.distinct()).filter(~is_paid),
            func.coalesce(func.sum(LegRow.amount_yen).filter(~is_paid), 0),
        )
        .where(LegRow.effective_at >= since, LegRow.effective_at < until)
        .group_by(LegRow.store_id, hour)
        # In one order, so that two who count at once wait for each other and not in a ring.
        .order_by(LegRow.store_id, hour)
    )
    statement = upsert(StoreHourRow).from_select(["store_id", "began_at", *_COUNTS], counted)
    more = {name: func.greatest(getattr(StoreHourRow, name), getattr(statement.excluded, name)) for name in _COUNTS}
    grown = or_(*(getattr(statement.excluded, name) > getattr(StoreHourRow, name) for name in _COUNTS))
    await tx.connection.execute(
        statement.on_conflict_do_update(index_elements=["store_id", "began_at"], set_=more, where=grown)
    )


async def busy_windows(tx: Tx, day: date, since: datetime, limits: StoreLimits) -> list[tuple[str, Window]]:
    """The hours of a day since then, and the day, in which a store reached a floor; with the store's code."""
    within = (StoreHourRow.began_at >= start_of(day), StoreHourRow.began_at < end_of(day))
    hours = (
        select(clauses.store_code, StoreHourRow.store_id, StoreHourRow.began_at, *_COLUMNS)
        .join(StoreHourRow, StoreHourRow.store_id == clauses.store_id)
        .where(
            *within,
            StoreHourRow.began_at >= since,
            _reached(StoreHourRow.payments, StoreHourRow.paid_yen, limits.an_hour.floor),
        )
        .order_by(StoreHourRow.began_at, clauses.store_code)
    )
    days = (
        select(clauses.store_code, StoreHourRow.store_id, bindparam("day", start_of(day), type_=Instant), *_SUMS)
        .join(StoreHourRow, StoreHourRow.store_id == clauses.store_id)
        .where(*within)
        .group_by(clauses.store_code, StoreHourRow.store_id)
        .having(
            or_(
                _reached(func.sum(StoreHourRow.payments), func.sum(StoreHourRow.paid_yen), limits.a_day.floor),
                func.sum(StoreHourRow.returns) >= limits.returns.least,
            )
        )
        .order_by(clauses.store_code)
    )
    found = []
    for span, query in ((Span.HOUR, hours), (Span.DAY, days)):
        for code, store_id, began_at, *counts in await tx.connection.execute(query):
            found.append((code, Window(store_id, span, began_at, *map(int, counts))))
    return found


async def past_days(tx: Tx, store_ids: Collection[UUID], day: date) -> Sequence[PastDay]:
    """What these stores took and gave back on each of the days before this one on which they were paid."""
    civil_day = func.date_trunc("day", StoreHourRow.began_at, "Asia/Tokyo")
    busiest = (func.max(StoreHourRow.payments), func.max(StoreHourRow.paid_yen))
    query = (
        select(StoreHourRow.store_id, *(_SUMS[place] for place in (0, 1, 3)), *busiest)
        .where(
            StoreHourRow.store_id == any_of(store_ids),
            StoreHourRow.began_at >= start_of(day - timedelta(days=PAST_DAYS)),
            StoreHourRow.began_at < start_of(day),
        )
        .group_by(StoreHourRow.store_id, civil_day)
        .having(func.sum(StoreHourRow.payments) > 0)
    )
    return [PastDay(row[0], *map(int, row[1:])) for row in await tx.connection.execute(query)]


async def forget_hours(tx: Tx) -> int:
    """Remove what says nothing of what is usual any more; the database's own clock bounds what the program may say."""
    asked = select(func.forget_store_hours(bindparam("at", tx.now, type_=Instant)))
    return int((await tx.connection.execute(asked)).scalar_one())


def _reached(payments: Any, yen: Any, floor: Most) -> ColumnElement[bool]:
    return or_(payments >= floor.payments, yen >= floor.yen)
