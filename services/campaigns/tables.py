"""Tables of what a city promises: programmes, their versions, approvals and stock."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Executable,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from services.campaigns.programme import Programme, Proposal, Stock
from services.campaigns.terms import Terms
from services.kit.db import Base, Tx
from services.kit.sets import by_columns, values_later
from services.kit.statements import Statement
from services.kit.tables import Instant


class ProgrammeRow(Base):
    __tablename__ = "programme"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    published_version: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)


class VersionRow(Base):
    """Terms as proposed; never altered. Approval is a row of its own."""

    __tablename__ = "programme_version"
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    terms: Mapped[Any] = mapped_column(JSONB)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[UUID] = mapped_column()
    proposed_at: Mapped[datetime] = mapped_column(Instant)


class ApprovalRow(Base):
    """A second officer's yes to exactly these terms."""

    __tablename__ = "programme_approval"
    __table_args__ = (CheckConstraint("approved_by <> proposed_by", name="second_officer"),)
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    proposed_by: Mapped[UUID] = mapped_column()
    approved_by: Mapped[UUID] = mapped_column()
    approved_at: Mapped[datetime] = mapped_column(Instant)


class StockRow(Base):
    """What is left to sell and to grant; the CHECKs make overselling impossible."""

    __tablename__ = "programme_stock"
    __table_args__ = (
        CheckConstraint("reserved_units >= 0 AND sold_units >= 0", name="not_negative"),
        CheckConstraint("reserved_units + sold_units <= total_units", name="units"),
        CheckConstraint("granted_points BETWEEN 0 AND grant_budget_points", name="grants"),
    )
    programme_id: Mapped[UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    total_units: Mapped[int] = mapped_column(BigInteger)
    reserved_units: Mapped[int] = mapped_column(BigInteger)
    sold_units: Mapped[int] = mapped_column(BigInteger)
    grant_budget_points: Mapped[int] = mapped_column(BigInteger)
    granted_points: Mapped[int] = mapped_column(BigInteger)


_TERMS = msgspec.json.Decoder(Terms)


def _programme(row: Sequence[Any]) -> Programme:
    programme_id, code, published_version, version, terms = row
    return Programme(programme_id, code, version, version == published_version, _TERMS.decode(terms))


def _versions() -> Select[*tuple[Any, ...]]:
    return select(
        ProgrammeRow.id,
        ProgrammeRow.code,
        ProgrammeRow.published_version,
        VersionRow.version,
        cast(VersionRow.terms, Text),
    ).join(VersionRow, VersionRow.programme_id == ProgrammeRow.id)


async def insert_programme(tx: Tx, programme_id: UUID, code: str) -> bool:
    """False if the code is taken."""
    row = {"id": programme_id, "code": code, "created_at": tx.now}
    statement = insert(ProgrammeRow).values(row).on_conflict_do_nothing(index_elements=["code"])
    return (await tx.connection.execute(statement.returning(ProgrammeRow.id))).one_or_none() is not None


async def find_programme_id(tx: Tx, code: str) -> UUID | None:
    query = select(ProgrammeRow.id).where(ProgrammeRow.code == code)
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def lock_programme(tx: Tx, code: str) -> UUID | None:
    query = select(ProgrammeRow.id).where(ProgrammeRow.code == code).with_for_update()
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def insert_version(tx: Tx, programme_id: UUID, proposal: Proposal) -> None:
    row = {
        "programme_id": programme_id,
        "version": proposal.version,
        "terms": msgspec.to_builtins(proposal.terms),
        "fingerprint": bytes.fromhex(proposal.fingerprint),
        "reason": proposal.reason,
        "proposed_by": proposal.proposed_by,
        "proposed_at": tx.now,
    }
    await tx.connection.execute(insert(VersionRow).values(row))


async def last_version(tx: Tx, programme_id: UUID) -> tuple[Proposal, bool] | None:
    """The newest version, and whether it is approved."""
    approved = (
        select(ApprovalRow.version)
        .where(ApprovalRow.programme_id == VersionRow.programme_id, ApprovalRow.version == VersionRow.version)
        .exists()
    )
    columns = (VersionRow.version, VersionRow.terms, VersionRow.fingerprint, VersionRow.reason, VersionRow.proposed_by)
    query = (
        select(*columns, approved.label("approved"))
        .where(VersionRow.programme_id == programme_id)
        .order_by(VersionRow.version.desc())
        .limit(1)
    )
    row = (await tx.connection.execute(query)).one_or_none()
    if row is None:
        return None
    terms = msgspec.convert(row.terms, Terms)
    return Proposal(row.version, terms, row.fingerprint.hex(), row.reason, row.proposed_by), row.approved


async def insert_approval(tx: Tx, programme_id: UUID, proposal: Proposal, approved_by: UUID) -> None:
    row = {
        "programme_id": programme_id,
        "version": proposal.version,
        "proposed_by": proposal.proposed_by,
        "approved_by": approved_by,
        "approved_at": tx.now,
    }
    await tx.connection.execute(insert(ApprovalRow).values(row))
    publish = update(ProgrammeRow).where(ProgrammeRow.id == programme_id).values(published_version=proposal.version)
    await tx.connection.execute(publish)


async def set_stock(tx: Tx, programme_id: UUID, total_units: int, grant_budget_points: int) -> None:
    """Open or correct what may be sold and granted. A CHECK refuses less than is gone already."""
    row = {
        "programme_id": programme_id,
        "total_units": total_units,
        "reserved_units": 0,
        "sold_units": 0,
        "grant_budget_points": grant_budget_points,
        "granted_points": 0,
    }
    new = {"total_units": total_units, "grant_budget_points": grant_budget_points}
    statement = insert(StockRow).values(row).on_conflict_do_update(index_elements=["programme_id"], set_=new)
    await tx.connection.execute(statement)


async def move_stock(tx: Tx, programme_id: UUID, *, reserve: int, sell: int) -> bool:
    """Add to the reserved and the sold units; False, and nothing moves, if the stock does not hold it."""
    return bool(await _MOVE_STOCK.rows(tx, {"of_programme": programme_id, "reserve": reserve, "sell": sell}))


def _move_stock() -> Executable:
    reserve, sell = (cast(bindparam(name, type_=BigInteger()), BigInteger) for name in ("reserve", "sell"))
    its = StockRow.programme_id == bindparam("of_programme", type_=Uuid())
    fits = StockRow.reserved_units + StockRow.sold_units + reserve + sell <= StockRow.total_units
    moved = {"reserved_units": StockRow.reserved_units + reserve, "sold_units": StockRow.sold_units + sell}
    return update(StockRow).where(its, fits).values(moved).returning(StockRow.programme_id)


_MOVE_STOCK = Statement(_move_stock)


async def take_grant_budget(tx: Tx, programme_id: UUID, points: int) -> int | None:
    """Take `points` from the budget for grants; None if done, else what is left of it."""
    statement = (
        update(StockRow)
        .where(
            StockRow.programme_id == programme_id,
            StockRow.granted_points + points <= StockRow.grant_budget_points,
        )
        .values(granted_points=StockRow.granted_points + points)
        .returning(StockRow.programme_id)
    )
    if (await tx.connection.execute(statement)).one_or_none() is not None:
        return None
    left = select(StockRow.grant_budget_points - StockRow.granted_points).where(StockRow.programme_id == programme_id)
    return int((await tx.connection.execute(left)).scalar_one())


async def find_published(tx: Tx, *, code: str | None = None, programme_id: UUID | None = None) -> Programme | None:
    statement, wanted = (_OF_CODE, code) if code is not None else (_OF_ID, programme_id)
    rows = await statement.rows(tx, {"wanted": wanted})
    return _programme(rows[0]) if rows else None


def _published() -> Select[*tuple[Any, ...]]:
    return _versions().where(VersionRow.version == ProgrammeRow.published_version)


_OF_CODE = Statement(lambda: _published().where(ProgrammeRow.code == bindparam("wanted", type_=Text())))
_OF_ID = Statement(lambda: _published().where(ProgrammeRow.id == bindparam("wanted", type_=Uuid())))


async def find_versions(tx: Tx, wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], Programme]:
    found = [_programme(row) for row in await _VERSIONS.rows(tx, by_columns("wanted", _VERSION, list(wanted)))]
    return {(programme.id, programme.version): programme for programme in found}


_VERSION = ("programme_id", "version")


def _wanted_versions() -> Executable:
    wanted = values_later("wanted", programme_id=Uuid(), version=Integer())
    return _versions().join(
        wanted, and_(wanted.c.programme_id == VersionRow.programme_id, wanted.c.version == VersionRow.version)
    )


_VERSIONS = Statement(_wanted_versions)


async def list_programmes(tx: Tx, *, published: bool, limit: int | None) -> list[Programme]:
    """Each programme with its published version, or with its newest; `None` is no limit."""
    newest = select(func.max(VersionRow.version)).where(VersionRow.programme_id == ProgrammeRow.id)
    newest = newest.correlate(ProgrammeRow)
    wanted = ProgrammeRow.published_version if published else newest.scalar_subquery()
    query = _versions().where(VersionRow.version == wanted).order_by(ProgrammeRow.created_at, ProgrammeRow.id)
    return [_programme(row) for row in await tx.connection.execute(query.limit(limit))]


async def read_stock(tx: Tx, programme_id: UUID) -> Stock | None:
    row = (await tx.connection.execute(select(StockRow.__table__).where(StockRow.programme_id == programme_id))).first()
    if row is None:
        return None
    return Stock(row.total_units, row.reserved_units, row.sold_units, row.grant_budget_points, row.granted_points)


async def list_versions(tx: Tx, code: str) -> list[dict[str, Any]]:
    """Every version of a programme with its approval, the newest first, by the names of `history.Version`."""
    query = (
        select(
            ProgrammeRow.code,
            VersionRow.version,
            (VersionRow.version == func.coalesce(ProgrammeRow.published_version, 0)).label("in_force"),
            VersionRow.fingerprint,
            VersionRow.reason,
            VersionRow.proposed_by,
            VersionRow.proposed_at,
            ApprovalRow.approved_by,
            ApprovalRow.approved_at,
            VersionRow.terms,
        )
        .join(VersionRow, VersionRow.programme_id == ProgrammeRow.id)
        .outerjoin(
            ApprovalRow,
            and_(ApprovalRow.programme_id == VersionRow.programme_id, ApprovalRow.version == VersionRow.version),
        )
        .where(ProgrammeRow.code == code)
        .order_by(VersionRow.version.desc())
    )
    return [
        dict(row) | {"fingerprint": row["fingerprint"].hex(), "terms": msgspec.convert(row["terms"], Terms)}
        for row in (await tx.connection.execute(query)).mappings()
    ]
