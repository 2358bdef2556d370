"""Tables of registers, of clerks' PINs, and of the PINs that were tried."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant


class RegisterRow(Base):
    """A register of a store, until it is revoked."""

    __tablename__ = "register"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("store.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    enrolled_by: Mapped[UUID] = mapped_column()
    enrolled_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class ClerkPinRow(Base):
    """Somebody's PIN at a store, or the invitation to choose one; neither, once it was taken away."""

    __tablename__ = "clerk_pin"
    __table_args__ = (
        CheckConstraint("invitation_id IS NULL OR pin_hash IS NULL", name="state"),
        CheckConstraint("(invitation_id IS NULL) = (invitation_until IS NULL)", name="invitation"),
        CheckConstraint("(pin_hash IS NULL) = (set_at IS NULL)", name="pin"),
    )
    store_id: Mapped[UUID] = mapped_column(ForeignKey("store.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    invited_by: Mapped[UUID] = mapped_column()
    invitation_id: Mapped[UUID | None] = mapped_column()
    invitation_until: Mapped[datetime | None] = mapped_column(Instant)
    pin_hash: Mapped[str | None] = mapped_column(Text)
    set_at: Mapped[datetime | None] = mapped_column(Instant)


class RegisterTriesRow(Base):
    """PINs and invitations tried for one clerk at one register since a window began; see `pin.pair_of`."""

    __tablename__ = "register_tries"
    __table_args__ = (CheckConstraint("span IN ('short', 'day')", name="span"),)
    pair: Mapped[UUID] = mapped_column(primary_key=True)
    span: Mapped[str] = mapped_column(Text, primary_key=True)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)
