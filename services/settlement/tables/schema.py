"""Tables of what stores are owed and paid: closes, statements, claims, payouts, bank files, money in."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant


class CloseRow(Base):
    """One close of one programme's books for its stores; a closing day is closed once.

    What it could not see was recorded at `late_since` or later; NULL where nobody can say (docs/decisions/0025).
    """

    __tablename__ = "settlement_close"
    __table_args__ = (UniqueConstraint("programme_id", "closing_date"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    closing_date: Mapped[date] = mapped_column(Date)
    cutoff_at: Mapped[datetime] = mapped_column(Instant)
    transfer_date: Mapped[date] = mapped_column(Date)
    final: Mapped[bool] = mapped_column(Boolean)
    closed_at: Mapped[datetime] = mapped_column(Instant)
    late_since: Mapped[datetime | None] = mapped_column(Instant)


class StatementRow(Base):
    """What one store is told of one close, to the yen."""

    __tablename__ = "statement"
    __table_args__ = (
        UniqueConstraint("close_id", "store_id"),
        Index("ix_statement_programme_id", "programme_id", "store_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    close_id: Mapped[UUID] = mapped_column(ForeignKey("settlement_close.id"))
    programme_id: Mapped[UUID] = mapped_column()
    store_id: Mapped[UUID] = mapped_column(index=True)
    merchant_id: Mapped[UUID] = mapped_column()
    payments: Mapped[int] = mapped_column(Integer)
    gross_yen: Mapped[int] = mapped_column(BigInteger)
    cancelled_yen: Mapped[int] = mapped_column(BigInteger)
    refunded_yen: Mapped[int] = mapped_column(BigInteger)
    fee_bp: Mapped[int] = mapped_column(Integer)
    tax_bp: Mapped[int] = mapped_column(Integer)
    fee_yen: Mapped[int] = mapped_column(BigInteger)
    fee_tax_yen: Mapped[int] = mapped_column(BigInteger)
    net_yen: Mapped[int] = mapped_column(BigInteger)
    carried_in_yen: Mapped[int] = mapped_column(BigInteger)
    receivable_in_yen: Mapped[int] = mapped_column(BigInteger)
    payout_yen: Mapped[int] = mapped_column(BigInteger)
    carried_out_yen: Mapped[int] = mapped_column(BigInteger)
    receivable_out_yen: Mapped[int] = mapped_column(BigInteger)


class ClaimRow(Base):
    """A leg that a statement has taken in; the key makes it once."""

    __tablename__ = "statement_claim"
    leg_id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(index=True)


class BankFileRow(Base):
    """A bank file, its bytes fixed when proposed, approved by a second officer.

    A withdrawn file is void and no longer approved; the audit log says who had approved it.
    """

    __tablename__ = "bank_file"
    __table_args__ = (
        CheckConstraint("approved_by <> proposed_by", name="second_officer"),
        CheckConstraint("status IN ('proposed', 'approved', 'sent', 'paid', 'void')", name="status"),
        CheckConstraint(
            "(approved_by IS NOT NULL) = (status IN ('approved', 'sent', 'paid'))"
            " AND (approved_at IS NOT NULL) = (approved_by IS NOT NULL)"
            " AND (sent_at IS NOT NULL) = (status IN ('sent', 'paid'))"
            " AND (paid_at IS NOT NULL) = (status = 'paid')",
            name="steps",
        ),
        CheckConstraint("withdrawn_by <> withdrawal_asked_by", name="two_withdraw"),
        CheckConstraint(
            "(withdrawal_asked_at IS NOT NULL) = (withdrawal_asked_by IS NOT NULL)"
            " AND (withdrawn_at IS NOT NULL) = (withdrawn_by IS NOT NULL)"
            " AND (withdrawal_asked_by IS NULL OR status <> 'proposed')"
            " AND (withdrawn_by IS NOT NULL) = (withdrawal_asked_by IS NOT NULL AND status = 'void')",
            name="withdrawal",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    paying_account: Mapped[str] = mapped_column(Text)
    transfer_date: Mapped[date] = mapped_column(Date)
    status: Mapped[str] = mapped_column(Text)
    transfers: Mapped[int] = mapped_column(Integer)
    total_yen: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    proposed_by: Mapped[UUID] = mapped_column()
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    approved_by: Mapped[UUID | None] = mapped_column()
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    paid_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawal_asked_by: Mapped[UUID | None] = mapped_column()
    withdrawal_asked_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_by: Mapped[UUID | None] = mapped_column()
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class TransferRow(Base):
    """One line of a bank file: the payouts of one payee account together."""

    __tablename__ = "bank_transfer"
    __table_args__ = (
        CheckConstraint("amount_yen > 0", name="amount"),
        UniqueConstraint("bank_file_id", "line"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_file_id: Mapped[UUID] = mapped_column(ForeignKey("bank_file.id"))
    line: Mapped[int] = mapped_column(Integer)
    payout_account_id: Mapped[UUID] = mapped_column(ForeignKey("payout_account.id"))
    amount_yen: Mapped[int] = mapped_column(BigInteger)


class PayoutRow(Base):
    """A statement's money on its way: in one bank file only, unless that file was voided or withdrawn."""

    __tablename__ = "payout"
    __table_args__ = (Index("uq_payout_live", "statement_id", unique=True, postgresql_where="voided_at IS NULL"),)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("statement.id"), primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("bank_transfer.id"), primary_key=True, index=True)
    voided_at: Mapped[datetime | None] = mapped_column(Instant)


class MoneyInRow(Base):
    """Money that reached the programme's bank account: from the sales channel or a funder."""

    __tablename__ = "money_in"
    __table_args__ = (
        CheckConstraint("amount_yen > 0", name="amount"),
        CheckConstraint("source IN ('channel', 'funder', 'grant_budget')", name="source"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    source: Mapped[str] = mapped_column(Text)
    amount_yen: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[UUID] = mapped_column()
    received_at: Mapped[datetime] = mapped_column(Instant)
