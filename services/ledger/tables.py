"""The ledger's tables and every statement on them; written once, never altered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    CheckConstraint,
    Executable,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.chains import Chain
from services.kit.db import Base, Tx
from services.kit.sets import any_of, by_columns, insert_later, rows_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.ledger.chart import CHART, OWNED, Account
from services.ledger.journal import Journal, JournalKind, Movement, Posting, WrittenJournal


def _one_of(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


class JournalRow(Base):
    __tablename__ = "ledger_journal"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_one_of([kind.value for kind in JournalKind])})", name="kind"),
        Index(
            "ix_ledger_journal_recorded_at",
            "recorded_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on", "pages_per_range": 32},
        ),
        Index("ix_ledger_journal_deed", "deed_id"),
        Index(
            "uq_ledger_journal_reverses_id",
            "reverses_id",
            unique=True,
            postgresql_where="reverses_id IS NOT NULL",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(Text)
    deed_id: Mapped[UUID] = mapped_column()
    reverses_id: Mapped[UUID | None] = mapped_column()
    effective_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant, server_default=func.clock_timestamp())


_LOOKED_UP: Final = [account.value for account in OWNED if account is not Account.STORE_PAYABLE]
"""Accounts whose lines are looked up by their owner. What a store is owed has many lines, and settlement takes legs."""


class PostingRow(Base):
    """One line of a journal. No foreign key: the trigger sees every journal's lines arrive whole."""

    __tablename__ = "ledger_posting"
    __table_args__ = (
        CheckConstraint("amount_yen <> 0", name="amount"),
        CheckConstraint(f"account IN ({_one_of([line.account.value for line in CHART])})", name="account"),
        CheckConstraint(
            f"(owner_id IS NOT NULL) = (account IN ({_one_of([account.value for account in OWNED])}))",
            name="owner",
        ),
        Index(
            "ix_ledger_posting_owner",
            "owner_id",
            "account",
            postgresql_where=f"account IN ({_one_of(_LOOKED_UP)})",
        ),
    )
    journal_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    account: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[UUID | None] = mapped_column()
    amount_yen: Mapped[int] = mapped_column(BigInteger)


class SealRow(Base):
    """The hash chain over journals, laid by one sealer behind the writers."""

    __tablename__ = "ledger_seal"
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    journal_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_journal.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


HEAD = ("id", "programme_id", "kind", "deed_id", "reverses_id")
LINE = ("journal_id", "line", "account", "owner_id", "amount_yen")


def _write_journals() -> Executable:
    head = rows_later(JournalRow.__tablename__, tuple(getattr(JournalRow, key) for key in HEAD))
    at = cast(bindparam("effective_at", type_=Instant), Instant)
    heads = insert(JournalRow).from_select([*HEAD, "effective_at"], select(*(head.c[key] for key in HEAD), at))
    return insert_later(PostingRow, LINE).add_cte(heads.cte("heads"))


_WRITE_JOURNALS = Statement(_write_journals)


async def insert_journals(tx: Tx, journals: Sequence[tuple[UUID, Journal]]) -> None:
    """Write journals with all their postings in one statement."""
    heads = [
        (journal_id, journal.programme_id, journal.kind, journal.deed_id, journal.reverses_id)
        for journal_id, journal in journals
    ]
    lines = [
        (journal_id, line, posting.account, posting.owner_id, posting.amount_yen)
        for journal_id, journal in journals
        for line, posting in enumerate(journal.postings, start=1)
    ]
    values = by_columns(JournalRow.__tablename__, HEAD, heads) | by_columns(PostingRow.__tablename__, LINE, lines)
    await _WRITE_JOURNALS.rows(tx, values | {"effective_at": tx.now})


async def read_journals(tx: Tx, deed_id: UUID) -> list[WrittenJournal]:
    """The journals of a deed, in the order of their ids."""
    query = (
        select(JournalRow, PostingRow)
        .join(PostingRow, PostingRow.journal_id == JournalRow.id)
        .where(JournalRow.deed_id == deed_id)
        .order_by(JournalRow.id, PostingRow.line)
    )
    heads: dict[UUID, JournalRow] = {}
    lines: dict[UUID, list[Posting]] = {}
    columns = (*JournalRow.__table__.columns, *PostingRow.__table__.columns)
    for row in await tx.connection.execute(query.with_only_columns(*columns)):
        journal_id = row[0]
        heads.setdefault(journal_id, row)  # type: ignore[arg-type]
        lines.setdefault(journal_id, []).append(Posting(Account(row.account), row.amount_yen, row.owner_id))
    return [
        WrittenJournal(
            journal_id,
            Journal(
                head.programme_id,
                JournalKind(head.kind),
                head.deed_id,
                tuple(lines[journal_id]),
                head.reverses_id,
            ),
        )
        for journal_id, head in heads.items()
    ]


async def sum_account(
    tx: Tx, account: Account, owner_id: UUID | None, programme_id: UUID | None, at: datetime | None
) -> int:
    """The balance of one account in yen, debit above zero; as of `at` inclusive, or of all that is written."""
    query = (
        select(func.coalesce(func.sum(PostingRow.amount_yen), 0))
        .join(JournalRow, JournalRow.id == PostingRow.journal_id)
        .where(PostingRow.account == account.value)
    )
    if owner_id is not None:
        query = query.where(PostingRow.owner_id == owner_id)
    if programme_id is not None:
        query = query.where(JournalRow.programme_id == programme_id)
    if at is not None:
        query = query.where(JournalRow.effective_at <= at)
    return int((await tx.connection.execute(query)).scalar_one())


async def sum_by_account(tx: Tx, programme_id: UUID, at: datetime | None) -> list[tuple[str, int, int]]:
    """For each account of a programme: its name, total debits and total credits in yen (both >= 0)."""
    debit = func.sum(func.greatest(PostingRow.amount_yen, 0))
    credit = func.sum(func.greatest(-PostingRow.amount_yen, 0))
    query = (
        select(PostingRow.account, debit, credit)
        .join(JournalRow, JournalRow.id == PostingRow.journal_id)
        .where(JournalRow.programme_id == programme_id)
        .group_by(PostingRow.account)
    )
    if at is not None:
        query = query.where(JournalRow.effective_at <= at)
    return [(row[0], int(row[1]), int(row[2])) for row in await tx.connection.execute(query)]


_OF_LOTS: Final[BindParameter[list[str]]] = bindparam(
    "of_lots", [Account.WALLET_PAID.value, Account.WALLET_PREMIUM.value], expanding=True, literal_execute=True
)
"""Written out, or no plan could know that the index of lots' accounts holds them all."""


async def sum_movements(
    tx: Tx, owner_ids: Sequence[UUID], limit: int, before: Movement | None = None
) -> list[Movement]:
    """What each deed did to the accounts of a set of lots, newest first; `change_yen` is a gain above zero.

    What went from one of them to another changed nothing for their owner and is left out.

    `before` is the last of a page: what comes after it is told.
    """
    change = func.sum(-PostingRow.amount_yen)
    query = (
        select(JournalRow.deed_id, JournalRow.kind, JournalRow.effective_at, change)
        .join(PostingRow, PostingRow.journal_id == JournalRow.id)
        .where(PostingRow.owner_id == any_of(owner_ids), PostingRow.account.in_(_OF_LOTS))
        .where(JournalRow.kind != JournalKind.MERGE.value)
        .group_by(JournalRow.deed_id, JournalRow.kind, JournalRow.effective_at)
        .order_by(JournalRow.effective_at.desc(), JournalRow.deed_id.desc(), JournalRow.kind)
        .limit(limit)
    )
    if before is not None:
        same_instant, same_deed = JournalRow.effective_at == before.effective_at, JournalRow.deed_id == before.deed_id
        query = query.where(
            or_(
                JournalRow.effective_at < before.effective_at,
                and_(same_instant, JournalRow.deed_id < before.deed_id),
                and_(same_instant, same_deed, JournalRow.kind > before.kind.value),
            )
        )
    rows = await tx.connection.execute(query)
    return [Movement(row[0], JournalKind(row[1]), row[2], int(row[3])) for row in rows]


CONTENT = """
concat_ws('|', e.id, e.programme_id, e.kind, e.deed_id, coalesce(e.reverses_id::text, '-'),
          (extract(epoch FROM e.effective_at) * 1000000)::bigint,
          (SELECT string_agg(concat_ws(':', p.line, p.account, coalesce(p.owner_id::text, '-'), p.amount_yen),
                             ',' ORDER BY p.line)
             FROM ledger_posting p WHERE p.journal_id = e.id))
"""
"""A journal with everything that it says."""

CHAIN = Chain("ledger", JournalRow, SealRow, "journal_id", CONTENT)


async def sum_flows(tx: Tx, programme_id: UUID) -> list[tuple[str, str, int]]:
    """What each kind of journal moved on each account of a programme: (kind, account, yen, debit above zero)."""
    query = (
        select(JournalRow.kind, PostingRow.account, func.sum(PostingRow.amount_yen))
        .join(PostingRow, PostingRow.journal_id == JournalRow.id)
        .where(JournalRow.programme_id == programme_id)
        .group_by(JournalRow.kind, PostingRow.account)
    )
    return [(row[0], row[1], int(row[2])) for row in await tx.connection.execute(query)]
