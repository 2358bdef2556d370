"""Tables of alerts and of what came of looking at them, and every statement on them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    Row,
    Text,
    UniqueConstraint,
    case,
    exists,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from services.alerts.alert import MOST_NAMED, Alert, Finding, Known, Review, Show, Tally, Verdict
from services.kit.db import Base, Tx
from services.kit.sets import insert_rows
from services.kit.tables import Instant


class AlertRow(Base):
    """What a rule found about a store or a person; people are numbers of the lake."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("score_permille BETWEEN 0 AND 1000", name="score"),
        CheckConstraint("payments >= 0 AND round > 0 AND first_day <= last_day", name="sane"),
        CheckConstraint(f"cardinality(residents) <= {MOST_NAMED}", name="named"),
        UniqueConstraint("key", "round", name="uq_alert_key"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    round: Mapped[int] = mapped_column(Integer)
    rule: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    score_permille: Mapped[int] = mapped_column(Integer)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    residents: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    payments: Mapped[int] = mapped_column(Integer)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    found_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class AlertReviewRow(Base):
    """What an officer found; written once. `payments` is on how many the alert rested then."""

    __tablename__ = "alert_review"
    __table_args__ = (
        CheckConstraint("verdict IN ('misuse', 'harmless', 'unclear')", name="verdict"),
        CheckConstraint("length(note) BETWEEN 1 AND 500", name="note"),
        Index("ix_alert_review_alert", "alert_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"))
    verdict: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    payments: Mapped[int] = mapped_column(Integer)
    reviewer_id: Mapped[UUID] = mapped_column()
    reviewed_at: Mapped[datetime] = mapped_column(Instant)


_LAST = (
    select(AlertReviewRow)
    .where(AlertReviewRow.alert_id == AlertRow.id)
    .order_by(AlertReviewRow.id.desc())
    .limit(1)
    .lateral("last")
)
_ALERT = (
    AlertRow.id,
    AlertRow.rule,
    AlertRow.subject,
    AlertRow.round,
    AlertRow.score_permille,
    AlertRow.parameters,
    AlertRow.residents,
    AlertRow.payments,
    AlertRow.first_day,
    AlertRow.last_day,
    AlertRow.found_at,
    AlertRow.seen_at,
)
_REVIEW = (_LAST.c.id.label("review_id"), _LAST.c.verdict, _LAST.c.note, _LAST.c.reviewer_id, _LAST.c.reviewed_at)
_RENEWED = ("score_permille", "parameters", "residents", "payments", "first_day", "last_day")


async def latest(tx: Tx, keys: Sequence[str]) -> dict[str, Known]:
    """The latest alert of each of these keys that there is, by key."""
    query = (
        select(AlertRow.key, AlertRow.round, _LAST.c.payments)
        .join(_LAST, true(), isouter=True)
        .where(AlertRow.key == func.any(literal(list(keys), ARRAY(Text()))))
        .ext(distinct_on(AlertRow.key))
        .order_by(AlertRow.key, AlertRow.round.desc())
    )
    return {row.key: Known(row.key, row.round, row.payments) for row in await tx.connection.execute(query)}


async def keep(tx: Tx, found: Sequence[tuple[Finding, int]], first_day: date, last_day: date) -> None:
    """Insert these findings as the given rounds; one that is open already is seen again, and never says less."""
    rows = [
        {
            "id": tx.new_id(),
            "key": each.key,
            "round": placed,
            "rule": each.rule,
            "subject": each.subject,
            "score_permille": each.score_permille,
            "parameters": dict(each.parameters),
            "residents": list(each.residents)[:MOST_NAMED],
            "payments": each.payments,
            "first_day": first_day,
            "last_day": last_day,
            "found_at": tx.now,
            "seen_at": tx.now,
        }
        # In the order of their keys, so that two runs at once wait for each other and not in a ring.
        for each, placed in sorted(found, key=lambda pair: pair[0].key)
    ]
    if not rows:
        return
    statement = upsert(AlertRow)
    new = statement.excluded
    says_as_much = new.payments >= AlertRow.payments
    changes: dict[str, Any] = {
        name: case((says_as_much, getattr(new, name)), else_=getattr(AlertRow, name)) for name in _RENEWED
    }
    renewed = statement.on_conflict_do_update(
        index_elements=["key", "round"],
        set_=changes | {"seen_at": new.seen_at},
        where=~exists().where(AlertReviewRow.alert_id == AlertRow.id),
    )
    await tx.connection.execute(renewed, rows)


async def lock(tx: Tx, alert_id: UUID) -> int | None:
    """Hold an alert until this transaction ends; on how many payments it rests. None where there is none."""
    query = select(AlertRow.payments).where(AlertRow.id == alert_id).with_for_update()
    found: int | None = (await tx.connection.execute(query)).scalar_one_or_none()
    return found


async def insert_review(tx: Tx, alert_id: UUID, review: Review, payments: int) -> None:
    row = vars(review) | {"verdict": review.verdict.value, "alert_id": alert_id, "payments": payments}
    await tx.connection.execute(insert_rows(AlertReviewRow, [row]))


async def wallet_of(tx: Tx, alert_id: UUID, resident: int) -> UUID | None:
    """The wallet behind a number that this alert names; None where it names no such number."""
    query = select(func.wallet_of_alert(alert_id, resident))
    found: UUID | None = (await tx.connection.execute(query)).scalar_one()
    return found


async def find(tx: Tx, show: Show, rule: str | None, after: UUID | None, limit: int) -> list[Alert]:
    """Alerts, newest first, each with its latest review."""
    query = select(*_ALERT, *_REVIEW).join(_LAST, true(), isouter=True)
    if show is not Show.ALL:
        query = query.where(_LAST.c.id.is_(None) if show is Show.OPEN else _LAST.c.id.is_not(None))
    if rule is not None:
        query = query.where(AlertRow.rule == rule)
    if after is not None:
        query = query.where(AlertRow.id < after)
    return [_alert(row) for row in await tx.connection.execute(query.order_by(AlertRow.id.desc()).limit(limit))]


async def tallies(tx: Tx) -> list[Tally]:
    """Of every rule that ever found something: how many alerts are open, and the latest reviews of the others."""
    counts = [func.count().filter(_LAST.c.verdict == verdict.value) for verdict in Verdict]
    query = (
        select(AlertRow.rule, func.count().filter(_LAST.c.id.is_(None)), *counts)
        .join(_LAST, true(), isouter=True)
        .group_by(AlertRow.rule)
        .order_by(AlertRow.rule)
    )
    return [Tally(*tuple(row)) for row in await tx.connection.execute(query)]


def _alert(row: Row[*tuple[Any, ...]]) -> Alert:
    review = None
    if row.review_id is not None:
        review = Review(row.review_id, Verdict(row.verdict), row.note, row.reviewer_id, row.reviewed_at)
    return Alert(**{column.key: getattr(row, column.key) for column in _ALERT}, review=review)
