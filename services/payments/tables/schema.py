"""Tables of payments and what is given back; written once, never altered (but one counter)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant


class PaymentRow(Base):
    """A payment. No foreign keys on the hot path: the deed read what it names under its lock."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("mode IN ('cpm', 'mpm', 'till', 'card')", name="mode"),
        CheckConstraint("amount_yen > 0", name="amount"),
        Index("ix_payment_store_id", "store_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    wallet_id: Mapped[UUID] = mapped_column()
    store_id: Mapped[UUID] = mapped_column()
    mode: Mapped[str] = mapped_column(Text)
    amount_yen: Mapped[int] = mapped_column(BigInteger)
    balance_after_yen: Mapped[int] = mapped_column(BigInteger)
    acted_by: Mapped[UUID] = mapped_column()
    effective_at: Mapped[datetime] = mapped_column(Instant)
    register_id: Mapped[UUID | None] = mapped_column()


class PaidLatelyRow(Base):
    """What a wallet paid by large payments in the hour that began then; never above what an hour may hold."""

    __tablename__ = "paid_lately"
    __table_args__ = (
        CheckConstraint("payments BETWEEN 1 AND most_payments AND paid_yen BETWEEN 1 AND most_yen", name="most"),
        Index("ix_paid_lately_began_at", "began_at", postgresql_using="brin"),
    )
    wallet_id: Mapped[UUID] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    payments: Mapped[int] = mapped_column(Integer)
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    most_payments: Mapped[int] = mapped_column(Integer)
    most_yen: Mapped[int] = mapped_column(BigInteger)


class CodeUseRow(Base):
    """A code that has paid: a resident's pay code or a register's code; the key makes it once."""

    __tablename__ = "code_use"
    code_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column()


class TillCodeRow(Base):
    """A register's code with the amount in it; where a wallet is asked, that one alone pays it."""

    __tablename__ = "till_code"
    __table_args__ = (
        CheckConstraint("amount_yen > 0", name="amount"),
        Index("ix_till_code_wallet_id", "wallet_id", "id", postgresql_where="wallet_id IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    store_id: Mapped[UUID] = mapped_column()
    amount_yen: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[UUID] = mapped_column()
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    register_id: Mapped[UUID | None] = mapped_column()
    wallet_id: Mapped[UUID | None] = mapped_column()


class ReturnRow(Base):
    """A cancel or a refund of a payment."""

    __tablename__ = "payment_return"
    __table_args__ = (
        CheckConstraint("kind IN ('cancel', 'refund')", name="kind"),
        CheckConstraint("amount_yen > 0", name="amount"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    amount_yen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    acted_by: Mapped[UUID] = mapped_column()
    effective_at: Mapped[datetime] = mapped_column(Instant)
    register_id: Mapped[UUID | None] = mapped_column()


class ReturnedRow(Base):
    """How much of a payment went back; made at its first return, never above what was paid."""

    __tablename__ = "payment_returned"
    __table_args__ = (CheckConstraint("returned_yen BETWEEN 0 AND paid_yen", name="returned"),)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    returned_yen: Mapped[int] = mapped_column(BigInteger)


class LegRow(Base):
    """One programme's part of a payment, cancel or refund: the unit of limits, fees and statements."""

    __tablename__ = "payment_leg"
    __table_args__ = (
        CheckConstraint("kind IN ('payment', 'cancel', 'refund')", name="kind"),
        CheckConstraint("amount_yen > 0", name="amount"),
        Index(
            "ix_payment_leg_effective_at",
            "effective_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on", "pages_per_range": 32},
        ),
        Index("ix_payment_leg_payment_id", "payment_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    deed_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(Text)
    payment_id: Mapped[UUID] = mapped_column()
    programme_id: Mapped[UUID] = mapped_column()
    store_id: Mapped[UUID] = mapped_column()
    amount_yen: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[datetime] = mapped_column(Instant)


class AllocationRow(Base):
    """Which lot a leg took from or gave back to, in the order of taking."""

    __tablename__ = "payment_allocation"
    __table_args__ = (
        CheckConstraint("paid_yen >= 0 AND premium_yen >= 0 AND paid_yen + premium_yen > 0", name="parts"),
    )
    leg_id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn: Mapped[int] = mapped_column(SmallInteger)
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    premium_yen: Mapped[int] = mapped_column(BigInteger)
