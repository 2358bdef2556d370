"""Tables of who cares for whom, of consent, codes and deeds; and every statement on them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Text,
    and_,
    case,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from services.identity.clauses import AccountId, Instant, is_self
from services.kit import tables
from services.kit.db import Base, Tx
from services.kit.sets import any_of, insert_later, insert_rows
from services.kit.statements import Statement
from services.wallets.care import Care, CareKind, Consent, Names, Side


class CareRow(Base):
    """One person cares for another; once between two at a time. Only its end is ever written later."""

    __tablename__ = "care"
    __table_args__ = (
        CheckConstraint("kind IN ('consent', 'parent', 'guardian')", name="kind"),
        CheckConstraint("ended_as IN ('carer', 'cared_for', 'office', 'time')", name="ended_as"),
        CheckConstraint("(ended_at IS NULL) = (ended_as IS NULL)", name="ended"),
        CheckConstraint("carer_id <> cared_for_id", name="two_persons"),
        CheckConstraint("kind <> 'parent' OR ends_at IS NOT NULL", name="childhood_ends"),
        Index("ix_care_open", "cared_for_id", "carer_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_care_carer_id", "carer_id", postgresql_where="ended_at IS NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    carer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    cared_for_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"))
    carer_name: Mapped[str] = mapped_column(Text)
    cared_for_name: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(tables.Instant)
    ends_at: Mapped[datetime | None] = mapped_column(tables.Instant)
    ended_at: Mapped[datetime | None] = mapped_column(tables.Instant)
    ended_as: Mapped[str | None] = mapped_column(Text)


class CareConsentRow(Base):
    """What a care rests on: written once. Either an account consented, or an officer saw what proves it."""

    __tablename__ = "care_consent"
    __table_args__ = (
        CheckConstraint("(given_by IS NULL) = (evidence IS NOT NULL)", name="how"),
        CheckConstraint("(evidence IS NULL) = (recorded_by IS NULL)", name="recorded"),
        CheckConstraint("(evidence IS NULL) = (change_id IS NULL)", name="approved"),
    )
    care_id: Mapped[UUID] = mapped_column(ForeignKey("care.id"), primary_key=True)
    given_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    words: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("proposed_change.id"))
    given_at: Mapped[datetime] = mapped_column(tables.Instant)


class CareCodeRow(Base):
    """A code by which a person lets somebody care for them; kept as an HMAC, once and for minutes."""

    __tablename__ = "care_code"
    __table_args__ = (Index("ix_care_code_open", "cared_for_id", postgresql_where="ended_at IS NULL"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    cared_for_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    given_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    words: Mapped[str] = mapped_column(Text)
    carer_name: Mapped[str] = mapped_column(Text)
    ends_at: Mapped[datetime | None] = mapped_column(tables.Instant)
    expires_at: Mapped[datetime] = mapped_column(tables.Instant)
    ended_at: Mapped[datetime | None] = mapped_column(tables.Instant)


class CareTriesRow(Base):
    """Codes that an account typed since a window began; counted before anything is looked up."""

    __tablename__ = "care_tries"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    window_began_at: Mapped[datetime] = mapped_column(tables.Instant)
    tries: Mapped[int] = mapped_column(Integer)


class CareDeedRow(Base):
    """A purchase or payment that a carer made: written once, in the deed's own transaction."""

    __tablename__ = "care_deed"
    deed_id: Mapped[UUID] = mapped_column(primary_key=True)
    care_id: Mapped[UUID] = mapped_column(ForeignKey("care.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


@dataclass(frozen=True)
class GivenCode:
    """A code's offer: who is to be cared for, by whom they call how, until when."""

    cared_for_id: UUID
    given_by: UUID
    words: str
    carer_name: str = field(repr=False)
    ends_at: datetime | None


_CARE = (
    CareRow.id,
    CareRow.kind,
    CareRow.carer_id,
    CareRow.cared_for_id,
    CareRow.wallet_id,
    CareRow.carer_name,
    CareRow.cared_for_name,
    CareRow.began_at,
    CareRow.ends_at,
)


def lasts(at: Instant) -> ColumnElement[bool]:
    """True of a row of `care` that counts at an instant."""
    return and_(CareRow.ended_at.is_(None), or_(CareRow.ends_at.is_(None), CareRow.ends_at > at))


def carer_cares(account_id: AccountId, person_id: Any, at: Instant) -> ColumnElement[bool]:
    """True of the row of `care` by which the account, as the carer themselves, acts for the person at an instant."""
    return and_(CareRow.cared_for_id == person_id, lasts(at), is_self(account_id, CareRow.carer_id))


async def insert_care(tx: Tx, care: Care, consent: Consent) -> None:
    row = {column.key: getattr(care, column.key, None) for column in _CARE} | {
        "kind": care.kind.value,
        "carer_name": care.names.carer,
        "cared_for_name": care.names.cared_for,
    }
    await tx.connection.execute(insert_rows(CareRow, [row]))
    said = vars(consent) | {"care_id": care.id, "given_at": tx.now}
    await tx.connection.execute(insert_rows(CareConsentRow, [said]))


async def close_lapsed(tx: Tx, person_ids: Collection[UUID]) -> None:
    """Write down the end of care whose last day is over, so that it can begin anew."""
    theirs = or_(CareRow.carer_id == any_of(person_ids), CareRow.cared_for_id == any_of(person_ids))
    over = (theirs, CareRow.ended_at.is_(None), CareRow.ends_at <= tx.now)
    ended = {"ended_at": CareRow.ends_at, "ended_as": Side.TIME.value}
    await tx.connection.execute(update(CareRow).where(*over).values(ended))


async def find_lapsed(tx: Tx, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """(care, wallet) of those whose last day is over and whose end is not written down yet, the oldest first."""
    over = (CareRow.ended_at.is_(None), CareRow.ends_at <= tx.now)
    query = select(CareRow.id, CareRow.wallet_id).where(*over).order_by(CareRow.ends_at, CareRow.id).limit(limit)
    return [(row[0], row[1]) for row in await tx.connection.execute(query)]


async def end_lapsed(tx: Tx, care_id: UUID) -> Care | None:
    """Write down the end of one whose last day is over; None where somebody else has."""
    over = (CareRow.id == care_id, CareRow.ended_at.is_(None), CareRow.ends_at <= tx.now)
    ended = {"ended_at": CareRow.ends_at, "ended_as": Side.TIME.value}
    row = (await tx.connection.execute(update(CareRow).where(*over).values(ended).returning(*_CARE))).one_or_none()
    return _care(row) if row else None


async def cares_of(tx: Tx, person_ids: Collection[UUID]) -> Sequence[Care]:
    """What counts now with any of these persons on either side, oldest first."""
    theirs = or_(CareRow.carer_id == any_of(person_ids), CareRow.cared_for_id == any_of(person_ids))
    query = select(*_CARE).where(theirs, lasts(tx.now)).order_by(CareRow.id)
    return [_care(row) for row in await tx.connection.execute(query)]


async def find_care(tx: Tx, care_id: UUID) -> Care | None:
    """One that counts now."""
    row = (await tx.connection.execute(select(*_CARE).where(CareRow.id == care_id, lasts(tx.now)))).one_or_none()
    return _care(row) if row else None


async def end_care(tx: Tx, care_id: UUID, ended_as: Side) -> bool:
    """False when it had ended."""
    statement = update(CareRow).where(CareRow.id == care_id, lasts(tx.now))
    ended = statement.values(ended_at=tx.now, ended_as=ended_as.value).returning(CareRow.id)
    return (await tx.connection.execute(ended)).first() is not None


async def give_code(tx: Tx, code_id: UUID, mac: bytes, given: GivenCode, expires_at: datetime) -> bool:
    """A code in place of the person's earlier one; False for one that there was."""
    living = (CareCodeRow.cared_for_id == given.cared_for_id, CareCodeRow.ended_at.is_(None))
    await tx.connection.execute(update(CareCodeRow).where(*living).values(ended_at=tx.now))
    row = vars(given) | {"id": code_id, "mac": mac, "expires_at": expires_at}
    statement = upsert(CareCodeRow).values(row).on_conflict_do_nothing().returning(CareCodeRow.id)
    return (await tx.connection.execute(statement)).first() is not None


async def use_code(tx: Tx, mac: bytes) -> GivenCode | None:
    """Use a living code up; None where there is none."""
    its = (CareCodeRow.mac == mac, CareCodeRow.ended_at.is_(None), CareCodeRow.expires_at > tx.now)
    columns = (CareCodeRow.cared_for_id, CareCodeRow.given_by, CareCodeRow.words, CareCodeRow.carer_name)
    statement = update(CareCodeRow).where(*its).values(ended_at=tx.now).returning(*columns, CareCodeRow.ends_at)
    row = (await tx.connection.execute(statement)).one_or_none()
    return GivenCode(*row) if row else None


async def take_try(tx: Tx, account_id: UUID, window: timedelta, most: int) -> bool:
    """Count one more try; False when the window holds `most` already. One statement on one row."""
    over = CareTriesRow.window_began_at <= tx.now - window
    statement = (
        upsert(CareTriesRow)
        .values(account_id=account_id, window_began_at=tx.now, tries=1)
        .on_conflict_do_update(
            index_elements=[CareTriesRow.account_id],
            set_={
                "window_began_at": case((over, tx.now), else_=CareTriesRow.window_began_at),
                "tries": case((over, 1), else_=CareTriesRow.tries + 1),
            },
            where=or_(over, CareTriesRow.tries < most),
        )
        .returning(CareTriesRow.tries)
    )
    return (await tx.connection.execute(statement)).one_or_none() is not None


async def window_of(tx: Tx, account_id: UUID) -> datetime:
    """When the account's tries began to be counted."""
    query = select(CareTriesRow.window_began_at).where(CareTriesRow.account_id == account_id)
    began: datetime = (await tx.connection.execute(query)).scalar_one()
    return began


_DEED = ("deed_id", "care_id", "account_id")
_INSERT_DEEDS = Statement(lambda: insert_later(CareDeedRow, _DEED))


async def insert_deeds(tx: Tx, deeds: Sequence[tuple[UUID, UUID, UUID]]) -> None:
    """(deed, care, carer's account) of what carers did, any number in one statement."""
    columns = zip(_DEED, zip(*deeds, strict=True), strict=True)
    await _INSERT_DEEDS.rows(tx, {f"{CareDeedRow.__tablename__}_{key}": list(values) for key, values in columns})


async def carers_of_deeds(tx: Tx, deed_ids: Collection[UUID]) -> dict[UUID, str]:
    """What the cared-for person calls the carer who did it, for those of the deeds that a carer did."""
    query = select(CareDeedRow.deed_id, CareRow.carer_name).join(CareRow, CareRow.id == CareDeedRow.care_id)
    rows = await tx.connection.execute(query.where(CareDeedRow.deed_id == any_of(deed_ids)))
    return {row[0]: row[1] for row in rows}


def _care(row: Row[*tuple[Any, ...]]) -> Care:
    care_id, kind, carer_id, cared_for_id, wallet_id, carer, cared_for, began_at, ends_at = row
    names = Names(carer, cared_for)
    return Care(care_id, CareKind(kind), carer_id, cared_for_id, wallet_id, names, began_at, ends_at)
