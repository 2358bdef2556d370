"""Tables of who may receive: merchants, payout accounts, stores, their staff."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant


class MerchantRow(Base):
    __tablename__ = "merchant"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        Index("ix_merchant_not_active", "id", postgresql_where="status <> 'active'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    invoice_number: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(Instant)


class PayoutAccountRow(Base):
    """Where a merchant's money goes; a change is a new row, the latest counts."""

    __tablename__ = "payout_account"
    __table_args__ = (Index("ix_payout_account_merchant_id", "merchant_id", "valid_from"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"))
    bank_code: Mapped[str] = mapped_column(Text)
    bank_kana: Mapped[str] = mapped_column(Text)
    branch_code: Mapped[str] = mapped_column(Text)
    branch_kana: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    holder_kana: Mapped[str] = mapped_column(Text)
    override_reason: Mapped[str | None] = mapped_column(Text)
    set_by: Mapped[UUID] = mapped_column()
    valid_from: Mapped[datetime] = mapped_column(Instant)


class StoreRow(Base):
    __tablename__ = "store"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        CheckConstraint("store_class IN ('large', 'small')", name="store_class"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    name_latin: Mapped[str] = mapped_column(Text)
    store_class: Mapped[str] = mapped_column(Text)
    mcc: Mapped[str] = mapped_column(Text)
    postal_code: Mapped[str] = mapped_column(Text)
    city_latin: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(Instant)


class MemberRow(Base):
    """Who works for a store: what an account may do there, and whose person that is if known."""

    __tablename__ = "store_member"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'manager', 'clerk')", name="role"),
        CheckConstraint("status IN ('active', 'disabled')", name="status"),
        Index("ix_store_member_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
    )
    store_id: Mapped[UUID] = mapped_column(ForeignKey("store.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Instant)
