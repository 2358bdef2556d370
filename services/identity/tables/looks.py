"""Tables of who looked at whom last, and of the alarms about it; and every statement on them.

Why somebody looked stands in the audit log; here is only what has to be counted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Row, Text, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from services.identity.bulk_reading import LookAlarm, Span
from services.kit import turns
from services.kit.db import Base, Tx
from services.kit.sets import insert_rows
from services.kit.tables import Instant


class PersonLookRow(Base):
    """When an account of the city's last looked at a person; `subject_id` is nobody's where nobody was found."""

    __tablename__ = "person_look"
    __table_args__ = (Index("ix_person_look_looker", "looker_id", "looked_at"),)
    looker_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    looked_at: Mapped[datetime] = mapped_column(Instant)


class LookAlarmRow(Base):
    """An account looked at more people than is usual; one open alarm of a kind at most."""

    __tablename__ = "look_alarm"
    __table_args__ = (
        CheckConstraint("span IN ('hour', 'day')", name="span"),
        CheckConstraint("people > allowed", name="people"),
        CheckConstraint(
            "(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (note IS NULL)", name="closed"
        ),
        Index("ix_look_alarm_open", "looker_id", "span", unique=True, postgresql_where="closed_at IS NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    looker_id: Mapped[UUID] = mapped_column()
    span: Mapped[str] = mapped_column(Text)
    people: Mapped[int] = mapped_column(Integer)
    allowed: Mapped[int] = mapped_column(Integer)
    raised_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by: Mapped[UUID | None] = mapped_column()
    note: Mapped[str | None] = mapped_column(Text)


_ALARM = tuple(getattr(LookAlarmRow, name) for name in LookAlarm.__dataclass_fields__)


async def take_turn(tx: Tx, looker_id: UUID) -> None:
    """Looks of one account are counted one after the other, until this transaction ends."""
    await turns.take_turn(tx, f"look:{looker_id}")


async def people_since(tx: Tx, looker_id: UUID, since: Sequence[datetime]) -> tuple[int, ...]:
    """How many different people the account has looked at after each of the instants."""
    counts = [func.count().filter(PersonLookRow.looked_at > each) for each in since]
    query = select(*counts).where(PersonLookRow.looker_id == looker_id, PersonLookRow.looked_at > min(since))
    return tuple((await tx.connection.execute(query)).one())


async def note_looks(tx: Tx, looker_id: UUID, subject_ids: Sequence[UUID]) -> None:
    rows = [{"looker_id": looker_id, "subject_id": each, "looked_at": tx.now} for each in set(subject_ids)]
    added = upsert(PersonLookRow).values(rows)
    later = func.greatest(PersonLookRow.looked_at, added.excluded.looked_at)
    its = [PersonLookRow.looker_id, PersonLookRow.subject_id]
    await tx.connection.execute(added.on_conflict_do_update(index_elements=its, set_={"looked_at": later}))


async def nth_oldest(tx: Tx, looker_id: UUID, span: timedelta, place: int, but: Sequence[UUID]) -> datetime | None:
    """When the account last looked at the person who is at `place` (from 1) among those of the span, oldest first."""
    its = (PersonLookRow.looker_id == looker_id, PersonLookRow.looked_at > tx.now - span)
    query = select(PersonLookRow.looked_at).where(*its, PersonLookRow.subject_id.not_in(but))
    query = query.order_by(PersonLookRow.looked_at).offset(place - 1).limit(1)
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def raise_alarm(tx: Tx, looker_id: UUID, span: Span, people: int, allowed: int) -> UUID | None:
    """The id of a new alarm; None where one is open, whose count grows then."""
    grown = update(LookAlarmRow).where(
        LookAlarmRow.looker_id == looker_id, LookAlarmRow.span == span.value, LookAlarmRow.closed_at.is_(None)
    )
    grown = grown.values(people=func.greatest(LookAlarmRow.people, people)).returning(LookAlarmRow.id)
    if (await tx.connection.execute(grown)).first() is not None:
        return None
    alarm_id = tx.new_id()
    row = {"id": alarm_id, "looker_id": looker_id, "span": span.value, "people": people, "allowed": allowed}
    await tx.connection.execute(insert_rows(LookAlarmRow, [row | {"raised_at": tx.now}]))
    return alarm_id


async def find_alarms(tx: Tx, *, is_open: bool | None, after: UUID | None, limit: int) -> Sequence[LookAlarm]:
    """Alarms in the order in which they were raised."""
    query = select(*_ALARM).order_by(LookAlarmRow.id).limit(limit)
    if is_open is not None:
        query = query.where(LookAlarmRow.closed_at.is_(None) if is_open else LookAlarmRow.closed_at.is_not(None))
    if after is not None:
        query = query.where(LookAlarmRow.id > after)
    return [_alarm(row) for row in await tx.connection.execute(query)]


async def lock_alarm(tx: Tx, alarm_id: UUID) -> LookAlarm | None:
    row = (await tx.connection.execute(select(*_ALARM).where(LookAlarmRow.id == alarm_id).with_for_update())).first()
    return None if row is None else _alarm(row)


async def close_alarm(tx: Tx, alarm_id: UUID, account_id: UUID, note: str) -> None:
    values = {"closed_at": tx.now, "closed_by": account_id, "note": note}
    await tx.connection.execute(update(LookAlarmRow).where(LookAlarmRow.id == alarm_id).values(values))


def _alarm(row: Row[Any]) -> LookAlarm:
    return LookAlarm(**(dict(row._mapping) | {"span": Span(row.span)}))
