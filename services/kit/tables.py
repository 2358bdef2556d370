"""Tables of the kit: finished deeds and the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Text, and_, func, insert, literal, outerjoin, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base, Tx

Instant = DateTime(timezone=True)


class DeedRow(Base):
    """A finished deed under the acting account's own id: the same id answers the same."""

    __tablename__ = "deed"
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[Any] = mapped_column(JSONB)
    finished_at: Mapped[datetime] = mapped_column(Instant)


class AuditRow(Base):
    """Who did or looked at what; append-only."""

    __tablename__ = "audit_entry"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID | None] = mapped_column()
    action: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    detail: Mapped[Any] = mapped_column(JSONB)
    happened_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=func.clock_timestamp())


async def claim_deed(tx: Tx, account_id: UUID, key: UUID) -> tuple[bool, bytes | None, Any]:
    """Whether this transaction now holds the deed's id, and what the id already stands for.

    The advisory lock only makes a concurrent duplicate answer at once; the primary key
    is what makes a second one impossible.
    """
    holds = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{account_id}:{key}", 0))
    always = select(literal(1)).subquery()
    mine = and_(DeedRow.account_id == account_id, DeedRow.key == key)
    query = select(holds, DeedRow.fingerprint, DeedRow.result).select_from(outerjoin(always, DeedRow, mine))
    row = (await tx.connection.execute(query)).one()
    return row[0], row[1], row[2]


async def find_deed(tx: Tx, account_id: UUID, key: UUID) -> Any | None:
    query = select(DeedRow.result).where(DeedRow.account_id == account_id, DeedRow.key == key)
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def finish_deed(tx: Tx, account_id: UUID, key: UUID, fingerprint: bytes, result: object) -> None:
    row = {
        "account_id": account_id,
        "key": key,
        "fingerprint": fingerprint,
        "result": result,
        "finished_at": tx.now,
    }
    await tx.connection.execute(insert(DeedRow).values(row))


async def write_audit(
    tx: Tx, actor_id: UUID | None, action: str, subject_id: UUID | None, detail: Mapping[str, object]
) -> None:
    row = {
        "id": tx.new_id(),
        "actor_id": actor_id,
        "action": action,
        "subject_id": subject_id,
        "detail": dict(detail),
        "happened_at": tx.now,
    }
    await tx.connection.execute(insert(AuditRow).values(row))
