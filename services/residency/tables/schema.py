"""Tables of who lives where: the city's register as it was handed over, letters, proofs, doubles, districts.

Personal data stand in `registry_entry`, `residency` and `residency_claim`, and nowhere else; a 個人番号 has no
column anywhere.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base
from services.kit.tables import Instant

_POSTAL = "postal_code ~ '^[0-9]{7}$'"


class RegistryListRow(Base):
    """A register as the city handed it over; the one that was approved last is the register."""

    __tablename__ = "registry_list"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    lines: Mapped[int] = mapped_column(Integer)
    proposed_by: Mapped[UUID] = mapped_column()
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    approved_at: Mapped[datetime | None] = mapped_column(Instant)


class RegistryEntryRow(Base):
    """A line of a register; never altered."""

    __tablename__ = "registry_entry"
    __table_args__ = (
        CheckConstraint(_POSTAL, name="postal_code"),
        CheckConstraint("length(reference) BETWEEN 1 AND 20 AND reference !~ '^[0-9]{12}$'", name="reference"),
        Index("ix_registry_entry_name", "list_id", "born_on", "name_key"),
    )
    list_id: Mapped[UUID] = mapped_column(ForeignKey("registry_list.id"), primary_key=True)
    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    kana: Mapped[str] = mapped_column(Text)
    kana_key: Mapped[str] = mapped_column(Text)
    born_on: Mapped[date] = mapped_column(Date)
    postal_code: Mapped[str] = mapped_column(Text)


class RegistryLetterRow(Base):
    """The last letter to an entry: how many it had, the MAC of the code, and the wrong codes tried at it."""

    __tablename__ = "registry_letter"
    __table_args__ = (CheckConstraint("issue >= 1 AND tries >= 0", name="counts"),)
    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    issue: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    issued_by: Mapped[UUID] = mapped_column()
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)


class LetterUseRow(Base):
    """A letter whose code has served as a secret for a new phone; written once."""

    __tablename__ = "letter_use"
    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    issue: Mapped[int] = mapped_column(Integer, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    used_at: Mapped[datetime] = mapped_column(Instant)


class ResidencyTriesRow(Base):
    """Proofs that an account tried since a window began; counted before anything is compared."""

    __tablename__ = "residency_tries"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)


class ResidencyRow(Base):
    """What a person proved: name, birth date, postal code; how, when, by which account's doing."""

    __tablename__ = "residency"
    __table_args__ = (
        CheckConstraint("how IN ('registry', 'counter', 'oidc', 'merged')", name="how"),
        CheckConstraint(_POSTAL, name="postal_code"),
        CheckConstraint("(how = 'registry') <= (reference IS NOT NULL)", name="reference"),
        CheckConstraint("(how = 'oidc') <= (subject IS NOT NULL)", name="subject"),
        Index("ix_residency_identity", "born_on", "name_key"),
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    how: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    kana: Mapped[str | None] = mapped_column(Text)
    born_on: Mapped[date] = mapped_column(Date)
    postal_code: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text, unique=True)
    subject: Mapped[str | None] = mapped_column(Text, unique=True)
    proven_at: Mapped[datetime] = mapped_column(Instant)
    proven_by: Mapped[UUID] = mapped_column()


class ResidencyClaimRow(Base):
    """A proof of what another person has proven already, until an officer decides what it is."""

    __tablename__ = "residency_claim"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'same_person', 'another_person')", name="status"),
        CheckConstraint(
            "(status = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)", name="decided"
        ),
        CheckConstraint("person_id <> held_by", name="two_persons"),
        Index("ix_residency_claim_open", "person_id", "held_by", unique=True, postgresql_where="status = 'open'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    held_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    proof: Mapped[Any] = mapped_column(JSONB)
    found_at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[UUID | None] = mapped_column()
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


class PostalDistrictRow(Base):
    """Which district a postal code lies in, as the city draws them; a code that is no longer listed is unused."""

    __tablename__ = "postal_district"
    __table_args__ = (CheckConstraint(_POSTAL, name="postal_code"),)
    postal_code: Mapped[str] = mapped_column(Text, primary_key=True)
    district: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[datetime] = mapped_column(Instant)


class ServiceAttemptRow(Base):
    """A way to the government's sign-in service and back; what it sent out follows from its id and a key."""

    __tablename__ = "residency_attempt"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
