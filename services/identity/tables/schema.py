"""Tables of who is asking: persons, accounts, roles, sessions, one-time codes, tried passwords.

A person is not an account: an account may act for several persons (a guardian), and a
person's wallet, phones and cards hang on the person, replaceable one by one.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant


class PersonRow(Base):
    """A person; `same_as_id` is who they were found to be, if there were two rows of one."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("same_as_id <> id", name="same_as"),
        Index("ix_person_same_as_id", "same_as_id", postgresql_where="same_as_id IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    registered_at: Mapped[datetime] = mapped_column(Instant)
    same_as_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))


class AccountRow(Base):
    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('resident', 'merchant', 'city')", name="kind"),
        CheckConstraint("status IN ('active', 'disabled')", name="status"),
        CheckConstraint("(phone IS NULL) <> (email IS NULL)", name="one_address"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text, unique=True)
    email: Mapped[str | None] = mapped_column(Text, unique=True)
    password_hash: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(Instant)
    opened_by: Mapped[UUID | None] = mapped_column()
    password_changed_at: Mapped[datetime | None] = mapped_column(Instant)


class ActsForRow(Base):
    """Which persons an account acts for; one's own, or as a guardian."""

    __tablename__ = "account_acts_for"
    __table_args__ = (CheckConstraint("relation IN ('self', 'guardian')", name="relation"),)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    relation: Mapped[str] = mapped_column(Text)


class RoleRow(Base):
    """Roles of city accounts, until they are taken away."""

    __tablename__ = "account_role"
    __table_args__ = (
        CheckConstraint("role IN ('officer', 'approver', 'auditor', 'analyst', 'call_centre')", name="role"),
    )
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)


class StaffPersonRow(Base):
    """Who is behind an account of the city's staff; `person_id` where they are a resident whose wallet is known."""

    __tablename__ = "staff_person"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    staff_number: Mapped[str] = mapped_column(Text, index=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    named_at: Mapped[datetime] = mapped_column(Instant)


class SessionRow(Base):
    """A sign-in, until it ends. The refresh token's halves are kept as SHA-256; see `session.py`."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("carrier IN ('bearer', 'cookie')", name="carrier"),
        CheckConstraint("length(client) <= 200", name="client"),
        CheckConstraint("expires_at <= latest_at", name="life"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
        Index("ix_session_at_register", "register_id", postgresql_where="register_id IS NOT NULL AND ended_at IS NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    carrier: Mapped[str] = mapped_column(Text)
    client: Mapped[str] = mapped_column(Text)
    family_hash: Mapped[bytes] = mapped_column(LargeBinary)
    turn_hash: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    refreshed_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    latest_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_as: Mapped[str | None] = mapped_column(Text)
    limited_until: Mapped[datetime | None] = mapped_column(Instant)
    limit_yen: Mapped[int | None] = mapped_column(BigInteger)
    owes_secret: Mapped[bool] = mapped_column(Boolean, server_default=false())
    secret_tries: Mapped[int] = mapped_column(Integer, server_default="0")
    register_id: Mapped[UUID | None] = mapped_column()


class SignInCodeRow(Base):
    """A one-time code, kept as an HMAC; it belongs to one attempt and works once."""

    __tablename__ = "sign_in_code"
    __table_args__ = (CheckConstraint("tries_left >= 0", name="tries_left"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(Text, index=True)
    code_mac: Mapped[bytes] = mapped_column(LargeBinary)
    sent_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    tries_left: Mapped[int] = mapped_column(Integer)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class PasswordTriesRow(Base):
    """Passwords tried for one address since a window began; counted whether it exists or not."""

    __tablename__ = "password_tries"
    email: Mapped[str] = mapped_column(Text, primary_key=True)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)


class PasswordSpreadRow(Base):
    """Tries of passwords of one bucket, over all addresses, since a window began; see `passwords.spread_bucket`."""

    __tablename__ = "password_spread"
    __table_args__ = (CheckConstraint("bucket BETWEEN 0 AND 65535", name="bucket"),)
    bucket: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)


class SecondFactorRow(Base):
    """An account's authenticator app; `sealed_secret` is NULL once the office has taken it away.

    No step of time up to `last_step` counts any more; see `totp.py`.
    """

    __tablename__ = "second_factor"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)
    enrolled_at: Mapped[datetime] = mapped_column(Instant)


class RecoveryCodeRow(Base):
    """A recovery code, kept as an HMAC; void once it was used, or others were made."""

    __tablename__ = "recovery_code"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInAttemptRow(Base):
    """A right password that waits for its second factor; `sealed_secret` is one that is being enrolled."""

    __tablename__ = "sign_in_attempt"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    began_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class PasskeyRow(Base):
    """A key in somebody's authenticator; once it has ended its signatures are worth nothing."""

    __tablename__ = "passkey"
    __table_args__ = (
        CheckConstraint("sign_count >= 0", name="sign_count"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_as: Mapped[str | None] = mapped_column(Text)


class PasskeyChallengeRow(Base):
    """What an authenticator has to sign, once: for a registration, a sign-in, or an attempt's second factor."""

    __tablename__ = "passkey_challenge"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    bound_to: Mapped[UUID | None] = mapped_column()
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
