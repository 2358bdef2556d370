"""Statements on the city's register, its letters and districts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Integer, Select, and_, case, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.db import Tx
from services.kit.sets import as_rows, insert_rows
from services.residency.lists import District, Registered
from services.residency.names import kana_key, name_key
from services.residency.tables.schema import (
    PostalDistrictRow,
    RegistryEntryRow,
    RegistryLetterRow,
    RegistryListRow,
    ResidencyTriesRow,
)

_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class StoredList:
    id: UUID
    sha256: bytes
    lines: int


@dataclass(frozen=True)
class Entry:
    """A line of the register that somebody may have a letter to. `mac` is None where none was sent."""

    reference: str
    postal_code: str = field(repr=False)
    name: str = field(repr=False)
    kana: str = field(repr=False)
    born_on: date = field(repr=False)
    mac: bytes | None = field(repr=False)
    is_besieged: bool
    """Whether so many wrong codes were tried at it that only an account's first try counts."""


async def insert_list(tx: Tx, found: StoredList, officer_id: UUID, residents: Sequence[Registered]) -> None:
    row = {"id": found.id, "sha256": found.sha256, "lines": found.lines}
    await tx.connection.execute(
        insert_rows(RegistryListRow, [row | {"proposed_by": officer_id, "proposed_at": tx.now}])
    )
    for start in range(0, len(residents), _ROWS_AT_ONCE):
        rows = [
            vars(each) | {"list_id": found.id, "name_key": name_key(each.name), "kana_key": kana_key(each.kana)}
            for each in residents[start : start + _ROWS_AT_ONCE]
        ]
        await tx.connection.execute(insert_rows(RegistryEntryRow, rows))


async def find_list(tx: Tx, list_id: UUID) -> StoredList | None:
    query = select(RegistryListRow.id, RegistryListRow.sha256, RegistryListRow.lines)
    row = (await tx.connection.execute(query.where(RegistryListRow.id == list_id))).one_or_none()
    return StoredList(row[0], bytes(row[1]), row[2]) if row else None


async def approve_list(tx: Tx, list_id: UUID) -> None:
    """From now on this list is the register."""
    await tx.connection.execute(update(RegistryListRow).where(RegistryListRow.id == list_id).values(approved_at=tx.now))


def _register() -> Select[UUID]:
    """The list that was approved last."""
    approved = select(RegistryListRow.id).where(RegistryListRow.approved_at.is_not(None))
    return approved.order_by(RegistryListRow.approved_at.desc(), RegistryListRow.id.desc()).limit(1)


async def differences(tx: Tx, list_id: UUID) -> tuple[int, int, int]:
    """How many entries a list adds to the register, changes in it and leaves out of it."""
    now = select(RegistryEntryRow).where(RegistryEntryRow.list_id == _register().scalar_subquery()).subquery()
    new = select(RegistryEntryRow).where(RegistryEntryRow.list_id == list_id).subquery()
    both = new.outerjoin(now, now.c.reference == new.c.reference, full=True)
    told = or_(*(new.c[name] != now.c[name] for name in ("name", "kana", "born_on", "postal_code")))
    query = select(
        func.count().filter(now.c.reference.is_(None)),
        func.count().filter(told),
        func.count().filter(new.c.reference.is_(None)),
    ).select_from(both)
    row = (await tx.connection.execute(query)).one()
    return row[0], row[1], row[2]


async def entries_named(tx: Tx, name: str, born_on: date, window: timedelta, most: int) -> Sequence[Entry]:
    """The register's entries with this name, or this reading, and birth date."""
    its = or_(RegistryEntryRow.name_key == name_key(name), RegistryEntryRow.kana_key == kana_key(name))
    besieged = and_(RegistryLetterRow.window_began_at > tx.now - window, RegistryLetterRow.tries >= most)
    query = (
        select(
            RegistryEntryRow.reference,
            RegistryEntryRow.postal_code,
            RegistryEntryRow.name,
            RegistryEntryRow.kana,
            RegistryEntryRow.born_on,
            RegistryLetterRow.mac,
            func.coalesce(besieged, False),
        )
        .outerjoin(RegistryLetterRow, RegistryLetterRow.reference == RegistryEntryRow.reference)
        .where(RegistryEntryRow.list_id == _register().scalar_subquery(), RegistryEntryRow.born_on == born_on, its)
        .order_by(RegistryEntryRow.reference)
        .limit(20)
    )
    return [Entry(*row) for row in await tx.connection.execute(query)]


async def count_wrong_codes(tx: Tx, references: Sequence[str], window: timedelta) -> None:
    """Count a wrong code at each of these entries, in the order of their references."""
    over = RegistryLetterRow.window_began_at <= tx.now - window
    locked = select(RegistryLetterRow.reference).where(RegistryLetterRow.reference.in_(references))
    await tx.connection.execute(locked.order_by(RegistryLetterRow.reference).with_for_update())
    values = {
        "window_began_at": case((over, tx.now), else_=RegistryLetterRow.window_began_at),
        "tries": case((over, 1), else_=RegistryLetterRow.tries + 1),
    }
    await tx.connection.execute(
        update(RegistryLetterRow).where(RegistryLetterRow.reference.in_(references)).values(values)
    )


async def take_try(tx: Tx, account_id: UUID, window: timedelta, most: int) -> int | None:
    """Count one more try of the account; which one of its window this is, or None when it holds `most` already.

    One statement on one row: parallel tries take turns, and none sees an old count.
    """
    over = ResidencyTriesRow.window_began_at <= tx.now - window
    row = {"account_id": account_id, "window_began_at": tx.now, "tries": 1}
    statement = (
        upsert(ResidencyTriesRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=[ResidencyTriesRow.account_id],
            set_={
                "window_began_at": case((over, tx.now), else_=ResidencyTriesRow.window_began_at),
                "tries": case((over, cast(1, Integer)), else_=ResidencyTriesRow.tries + 1),
            },
            where=or_(over, ResidencyTriesRow.tries < most),
        )
        .returning(ResidencyTriesRow.tries)
    )
    turn: int | None = (await tx.connection.execute(statement)).scalar_one_or_none()
    return turn


async def seconds_left(tx: Tx, account_id: UUID, window: timedelta) -> int:
    """Whole seconds until the account's window of tries is over."""
    query = select(ResidencyTriesRow.window_began_at).where(ResidencyTriesRow.account_id == account_id)
    began = (await tx.connection.execute(query)).scalar_one()
    return max(1, -((tx.now - began - window) // timedelta(seconds=1)))


async def entries_without_letter(tx: Tx, limit: int) -> Sequence[str]:
    """References of the register that never had a letter, in their order."""
    known = select(RegistryLetterRow.reference)
    query = select(RegistryEntryRow.reference).where(
        RegistryEntryRow.list_id == _register().scalar_subquery(), RegistryEntryRow.reference.not_in(known)
    )
    return (await tx.connection.execute(query.order_by(RegistryEntryRow.reference).limit(limit))).scalars().all()


async def issues(tx: Tx, references: Sequence[str]) -> dict[str, int]:
    """How many letters each of these entries of the register has had; entries that do not exist are left out."""
    query = (
        select(RegistryEntryRow.reference, func.coalesce(RegistryLetterRow.issue, 0))
        .outerjoin(RegistryLetterRow, RegistryLetterRow.reference == RegistryEntryRow.reference)
        .where(
            RegistryEntryRow.list_id == _register().scalar_subquery(),
            RegistryEntryRow.reference.in_(references),
        )
    )
    return {row[0]: row[1] for row in await tx.connection.execute(query)}


async def set_letters(tx: Tx, letters: Sequence[tuple[str, int, bytes]], officer_id: UUID) -> None:
    """Note letters: reference, how many it has had with this one, and the MAC of its code."""
    rows = [{"reference": reference, "issue": issue, "mac": mac} for reference, issue, mac in letters]
    given = as_rows(
        "given", (RegistryLetterRow.reference, RegistryLetterRow.issue, RegistryLetterRow.mac), rows
    )  # fmt: skip
    source = select(given.c.reference, given.c.issue, given.c.mac, cast(tx.now, RegistryLetterRow.issued_at.type))
    named = source.add_columns(
        cast(officer_id, RegistryLetterRow.issued_by.type),
        cast(tx.now, RegistryLetterRow.issued_at.type),
        cast(0, Integer),
    )
    columns = ["reference", "issue", "mac", "issued_at", "issued_by", "window_began_at", "tries"]
    statement = upsert(RegistryLetterRow).from_select(columns, named.order_by(given.c.reference))
    replaced = {name: statement.excluded[name] for name in columns[1:]}
    await tx.connection.execute(
        statement.on_conflict_do_update(index_elements=[RegistryLetterRow.reference], set_=replaced)
    )


async def set_districts(tx: Tx, districts: Sequence[District]) -> None:
    """Put postal codes into districts; codes that are not named stay where they are."""
    for start in range(0, len(districts), _ROWS_AT_ONCE):
        rows = [vars(each) | {"loaded_at": tx.now} for each in districts[start : start + _ROWS_AT_ONCE]]
        statement = insert_rows(PostalDistrictRow, rows)
        put = {name: statement.excluded[name] for name in ("district", "loaded_at")}
        await tx.connection.execute(
            statement.on_conflict_do_update(index_elements=[PostalDistrictRow.postal_code], set_=put)
        )
