"""Tables of what a resident holds: wallets, phones, lots, counters, purchases, grants, expiries."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant


class WalletRow(Base):
    """One wallet a person. This row is the lock under which everything of the wallet changes.

    One that was merged into another is closed for good, and says into which.
    """

    __tablename__ = "wallet"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'merged')", name="status"),
        CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name="merged"),
        CheckConstraint("merged_into_id <> id", name="two_wallets"),
        Index("ix_wallet_merged_into_id", "merged_into_id", postgresql_where="merged_into_id IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), unique=True)
    status: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("wallet.id"))


class DeviceRow(Base):
    """A phone's public key for one wallet; its pay codes are signed by the private half.

    Until `limited_until` a payment by its code is at most `limit_yen`, which is never below `NEVER_LIMITED_YEN`.
    """

    __tablename__ = "device"
    __table_args__ = (CheckConstraint("status IN ('active', 'blocked')", name="status"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    public_jwk: Mapped[dict[str, str]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(Instant)
    limited_until: Mapped[datetime | None] = mapped_column(Instant)
    limit_yen: Mapped[int | None] = mapped_column(BigInteger)


class BlockCodeRow(Base):
    """A printed code that blocks a wallet's phones. Its first signs find it; the rest is kept as argon2id.

    `tries` since `window_began_at` are counted here, so only who knows the first signs can use them up.
    """

    __tablename__ = "block_code"
    locator: Mapped[str] = mapped_column(Text, primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)


class LotRow(Base):
    """Points bought or granted together: one purse, one expiry, a paid and a premium part.

    It carries what spending needs of the terms it was issued under, so that paying reads no terms.
    `lapsed_at` is when expiry dealt with it, NULL until then. `moved_from_id` is the lot of a merged wallet whose
    place it has taken. No column that a payment changes is in an index, so that its update stays within the row's page.
    """

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("origin IN ('purchase', 'grant')", name="origin"),
        CheckConstraint("paid_yen BETWEEN 0 AND paid_issued_yen", name="paid"),
        CheckConstraint("premium_yen BETWEEN 0 AND premium_issued_yen", name="premium"),
        Index("ix_lot_wallet_id", "wallet_id"),
        Index("ix_lot_due", "expires_at", "id", postgresql_where="lapsed_at IS NULL"),
        Index("ix_lot_moved_from_id", "moved_from_id", unique=True, postgresql_where="moved_from_id IS NOT NULL"),
        {"postgresql_with": {"fillfactor": 80}},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"))
    programme_id: Mapped[UUID] = mapped_column()
    programme_version: Mapped[int] = mapped_column(Integer)
    purse: Mapped[str] = mapped_column(Text)
    store_classes: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    origin_id: Mapped[UUID] = mapped_column(index=True)
    paid_issued_yen: Mapped[int] = mapped_column(BigInteger)
    premium_issued_yen: Mapped[int] = mapped_column(BigInteger)
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    premium_yen: Mapped[int] = mapped_column(BigInteger)
    payment_limit_yen: Mapped[int] = mapped_column(BigInteger)
    day_limit_yen: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    usable_from: Mapped[datetime] = mapped_column(Instant)
    first_expires_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    lapsed_at: Mapped[datetime | None] = mapped_column(Instant)
    moved_from_id: Mapped[UUID | None] = mapped_column(ForeignKey("lot.id"))


class SpentTodayRow(Base):
    """What a wallet spent of a programme on a civil day, net of same-day cancels; never above the limit."""

    __tablename__ = "spent_today"
    __table_args__ = (
        CheckConstraint("spent_yen BETWEEN 0 AND limit_yen", name="limit"),
        {"postgresql_with": {"fillfactor": 85}},
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    spent_yen: Mapped[int] = mapped_column(BigInteger)
    limit_yen: Mapped[int] = mapped_column(BigInteger)


class BoughtRow(Base):
    """What a person's wallet bought and reserved of a programme, in yen; never above the cap."""

    __tablename__ = "bought"
    __table_args__ = (CheckConstraint("bought_yen BETWEEN 0 AND cap_yen", name="cap"),)
    wallet_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    bought_yen: Mapped[int] = mapped_column(BigInteger)
    cap_yen: Mapped[int] = mapped_column(BigInteger)


class PurchaseRow(Base):
    __tablename__ = "purchase"
    __table_args__ = (
        CheckConstraint("status IN ('reserved', 'paid', 'lapsed', 'late', 'returned', 'undone')", name="status"),
        CheckConstraint("received_yen > 0", name="received"),
        Index(
            "ix_purchase_open",
            "id",
            postgresql_where="status IN ('reserved', 'late') OR (status = 'undone' AND money_returned_at IS NULL)",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"), index=True)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    programme_version: Mapped[int] = mapped_column(Integer)
    units: Mapped[int] = mapped_column(Integer)
    price_yen: Mapped[int] = mapped_column(BigInteger)
    received_yen: Mapped[int | None] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    checkout_id: Mapped[str | None] = mapped_column(Text, unique=True)
    reserved_at: Mapped[datetime] = mapped_column(Instant)
    reserved_until: Mapped[datetime] = mapped_column(Instant)
    paid_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    money_returned_at: Mapped[datetime | None] = mapped_column(Instant)


class GrantRow(Base):
    __tablename__ = "wallet_grant"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(index=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"))
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"))
    purse: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    granted_by: Mapped[UUID] = mapped_column()
    granted_at: Mapped[datetime] = mapped_column(Instant)


class ExpiryRow(Base):
    """What one lot lost when its time was over; a revived lot may lose a second time."""

    __tablename__ = "expiry"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), index=True)
    wallet_id: Mapped[UUID] = mapped_column()
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    premium_yen: Mapped[int] = mapped_column(BigInteger)
    expired_at: Mapped[datetime] = mapped_column(Instant)
