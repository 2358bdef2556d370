"""Tables of the kit: finished deeds, the audit log, its seals, and what was anchored of the hash chains."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Executable,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    outerjoin,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base, Tx
from services.kit.ids import first_id_of
from services.kit.sets import rows_later, values_later
from services.kit.statements import Statement

Instant = DateTime(timezone=True)

STATEMENT_LIMIT_S = 3.0
"""What a serving connection allows a statement anyway; nearer deadlines are told to the database."""


class DeedRow(Base):
    """A finished deed under the acting account's own id: the same id answers the same."""

    __tablename__ = "deed"
    key: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    result: Mapped[Any] = mapped_column(JSONB)
    finished_at: Mapped[datetime] = mapped_column(Instant)


class AuditRow(Base):
    """Who did or looked at what; append-only."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_actor", "actor_id", "id"),
        Index("ix_audit_entry_subject", "subject_id", "id"),
        Index("ix_audit_entry_action", "action", "id"),
        Index(
            "ix_audit_entry_recorded_at",
            "recorded_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on", "pages_per_range": 32},
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID | None] = mapped_column()
    action: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None] = mapped_column()
    detail: Mapped[Any] = mapped_column(JSONB)
    happened_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=func.clock_timestamp())


class AuditSealRow(Base):
    """The hash chain over the audit log, laid by one sealer behind the writers."""

    __tablename__ = "audit_seal"
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("audit_entry.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AnchorRow(Base):
    """What was anchored outside the database; a line that is missing there is missed here."""

    __tablename__ = "chain_anchor"
    signature: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    line: Mapped[int] = mapped_column(BigInteger)
    chain: Mapped[str] = mapped_column(Text)
    entries: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    anchored_at: Mapped[datetime] = mapped_column(Instant)


class ChangeRow(Base):
    """A change that one officer proposes and another approves; its content is never altered."""

    __tablename__ = "proposed_change"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'approved', 'withdrawn')", name="status"),
        CheckConstraint(
            "(status = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)", name="decided"
        ),
        CheckConstraint("status <> 'approved' OR decided_by <> proposed_by", name="second_officer"),
        Index("ix_proposed_change_open", "subject_id", postgresql_where="status = 'open'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID] = mapped_column()
    content: Mapped[Any] = mapped_column(JSONB)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    proposed_by: Mapped[UUID] = mapped_column()
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[UUID | None] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


async def claim_deed(tx: Tx, account_id: UUID, key: UUID) -> tuple[bool, bytes | None, Any]:
    """Whether this transaction now holds the deed's id, and what the id already stands for.

    The advisory lock only makes a concurrent duplicate answer at once; the primary key
    is what makes a second one impossible.
    """
    values = {"account_id": account_id, "deed_key": key, "name": f"{account_id}:{key}"}
    [(holds, fingerprint, result)] = await _CLAIM_DEED.rows(tx, values)
    return holds, fingerprint, None if result is None else msgspec.json.decode(result)


def _claim_deed() -> Executable:
    holds = func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text()), 0))
    always = select(literal(1)).subquery()
    mine = and_(
        DeedRow.account_id == bindparam("account_id", type_=Uuid()), DeedRow.key == bindparam("deed_key", type_=Uuid())
    )
    found = select(holds, DeedRow.fingerprint, cast(DeedRow.result, Text))
    return found.select_from(outerjoin(always, DeedRow, mine))


_CLAIM_DEED = Statement(_claim_deed)


async def find_deed(tx: Tx, account_id: UUID, key: UUID) -> Any | None:
    query = select(DeedRow.result).where(DeedRow.account_id == account_id, DeedRow.key == key)
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def limit_statements(tx: Tx, left_s: float) -> None:
    """Carry a deed's deadline to the database, where it comes before the connection's own limit."""
    if left_s < STATEMENT_LIMIT_S:
        milliseconds = max(1, int(left_s * 1_000))
        await tx.connection.execute(select(func.set_config("statement_timeout", str(milliseconds), True)))


def _find_deeds() -> Executable:
    asked = rows_later("asked", (DeedRow.account_id, DeedRow.key))
    mine = and_(DeedRow.account_id == asked.c.account_id, DeedRow.key == asked.c.key)
    return select(DeedRow.account_id, DeedRow.key, DeedRow.fingerprint, cast(DeedRow.result, Text)).join(asked, mine)


_FIND_DEEDS = Statement(_find_deeds)


async def find_deeds(tx: Tx, names: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[bytes, str]]:
    """What ids stand for, by (account, id): the fingerprint and the result as JSON; unknown ids are left out."""
    values = {"asked_account_id": [name[0] for name in names], "asked_key": [name[1] for name in names]}
    return {(row[0], row[1]): (row[2], row[3]) for row in await _FIND_DEEDS.rows(tx, values)}


Stands = Callable[[Any, Any, Any], ColumnElement[bool]]
"""A condition over columns or places for values: a session's id, its account's id, an instant."""


def deeds_under(stands: Stands) -> Statement:
    """The statement of `find_deeds_under`: what ids stand for, and whether the session holds that asks."""

    def build() -> Executable:
        asked = values_later("asked", account_id=Uuid(), key=Uuid(), session_id=Uuid())
        at = cast(bindparam("at", type_=Instant), Instant)
        mine = and_(DeedRow.account_id == asked.c.account_id, DeedRow.key == asked.c.key)
        holds = or_(asked.c.session_id.is_(None), stands(asked.c.session_id, asked.c.account_id, at))
        found = (asked.c.account_id, asked.c.key, holds, DeedRow.fingerprint, cast(DeedRow.result, Text))
        return select(*found).select_from(asked.outerjoin(DeedRow, mine))

    return Statement(build)


async def find_deeds_under(
    tx: Tx, statement: Statement, asked: Sequence[tuple[UUID, UUID, UUID | None]]
) -> tuple[dict[tuple[UUID, UUID], tuple[bytes, str]], set[tuple[UUID, UUID]]]:
    """As `find_deeds`, asked by account, id and session; and the names of those whose session holds or is not asked."""
    values = {f"asked_{key}": column for key, column in zip(_UNDER, map(list, zip(*asked, strict=True)), strict=True)}
    rows = await statement.rows(tx, values | {"at": tx.now})
    known = {(row[0], row[1]): (row[3], row[4]) for row in rows if row[3] is not None}
    return known, {(row[0], row[1]) for row in rows if row[2]}


_UNDER = ("account_id", "key", "session_id")


def _finish_deeds() -> Executable:
    done = values_later("done", account_id=Uuid(), key=Uuid(), fingerprint=LargeBinary(), result=Text())
    at = cast(bindparam("finished_at", type_=Instant), Instant)
    # In the order of their ids, so that two processes that write the same ones never wait in a ring.
    rows = select(done.c.account_id, done.c.key, done.c.fingerprint, cast(done.c.result, JSONB), at)
    columns = ["account_id", "key", "fingerprint", "result", "finished_at"]
    return pg_insert(DeedRow).from_select(columns, rows.order_by(done.c.account_id, done.c.key))


_FINISH_DEEDS = Statement(_finish_deeds)


async def finish_deeds(tx: Tx, done: Sequence[tuple[UUID, UUID, bytes, str]]) -> None:
    """Write finished deeds: account, id, fingerprint and the result as JSON."""
    accounts, keys, fingerprints, results = zip(*done, strict=True)
    values = {
        "done_account_id": accounts,
        "done_key": keys,
        "done_fingerprint": fingerprints,
        "done_result": results,
        "finished_at": tx.now,
    }
    await _FINISH_DEEDS.rows(tx, values)


async def finish_deed(tx: Tx, account_id: UUID, key: UUID, fingerprint: bytes, result: object) -> None:
    await finish_deeds(tx, [(account_id, key, fingerprint, msgspec.json.encode(result).decode())])


class AuditAsked(Protocol):
    """What entries are asked for, as `services.kit.audit.AuditFilter` has it."""

    @property
    def actor_id(self) -> UUID | None: ...
    @property
    def subject_id(self) -> UUID | None: ...
    @property
    def action(self) -> str | None: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def after(self) -> UUID | None: ...
    @property
    def limit(self) -> int: ...


async def find_audit(tx: Tx, asked: AuditAsked) -> Sequence[Sequence[Any]]:
    """Entries, newest first. Ids begin with the deed's instant, so bounds of time are bounds of ids too."""
    columns = [*AuditRow.__table__.columns, AuditSealRow.position]
    query = select(*columns).outerjoin(AuditSealRow, AuditSealRow.entry_id == AuditRow.id)
    equal = {AuditRow.actor_id: asked.actor_id, AuditRow.subject_id: asked.subject_id, AuditRow.action: asked.action}
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if asked.since is not None:
        query = query.where(AuditRow.happened_at >= asked.since, AuditRow.id >= first_id_of(asked.since))
    if asked.until is not None:
        later = asked.until + timedelta(milliseconds=1)
        query = query.where(AuditRow.happened_at < asked.until, AuditRow.id < first_id_of(later))
    if asked.after is not None:
        query = query.where(AuditRow.id < asked.after)
    rows = await tx.connection.execute(query.order_by(AuditRow.id.desc()).limit(asked.limit))
    return [tuple(row) for row in rows]


async def write_audits(
    tx: Tx, entries: Sequence[tuple[UUID | None, str, UUID | None, Mapping[str, object]]]
) -> list[UUID]:
    """Several entries (actor, action, subject, detail), at least one, in one statement; their ids."""
    actors, actions, subjects, details = zip(*entries, strict=True)
    ids = tx.new_ids(len(entries))
    values: dict[str, list[Any]] = {
        "new_id": list(ids),
        "new_actor_id": list(actors),
        "new_action": list(actions),
        "new_subject_id": list(subjects),
        "new_detail": [msgspec.json.encode(each).decode() for each in details],
        "new_happened_at": [tx.now] * len(entries),
    }
    await _WRITE_AUDITS.rows(tx, values)
    return ids


def _write_audits() -> Executable:
    kinds: dict[str, Any] = {"id": Uuid(), "actor_id": Uuid(), "action": Text(), "subject_id": Uuid()}
    new = values_later("new", **kinds, detail=Text(), happened_at=Instant)
    rows = select(*(new.c[name] for name in kinds), cast(new.c.detail, JSONB), new.c.happened_at)
    return insert(AuditRow).from_select([*kinds, "detail", "happened_at"], rows)


_WRITE_AUDITS = Statement(_write_audits)
