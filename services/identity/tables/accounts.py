"""Statements on accounts, their roles and the persons they act for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, and_, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.identity.people import Account, AccountKind, AccountStatus, Role
from services.identity.tables.schema import AccountRow, ActsForRow, PersonRow, RoleRow
from services.kit.db import Tx
from services.kit.sets import insert_rows


@dataclass(frozen=True)
class Credentials:
    """What a password is compared with; no `hash`, no way in."""

    account_id: UUID
    kind: AccountKind
    hash: str | None = field(repr=False)


async def find_credentials(tx: Tx, email: str) -> Credentials | None:
    query = select(AccountRow.id, AccountRow.kind, AccountRow.password_hash).where(AccountRow.email == email)
    row = (await tx.connection.execute(query)).one_or_none()
    return Credentials(row[0], AccountKind(row[1]), row[2]) if row else None


async def find_own_credentials(tx: Tx, account_id: UUID) -> tuple[str, Credentials] | None:
    """A staff account's address and what its password is compared with."""
    columns = (AccountRow.email, AccountRow.id, AccountRow.kind, AccountRow.password_hash)
    query = select(*columns).where(AccountRow.id == account_id, AccountRow.email.is_not(None))
    row = (await tx.connection.execute(query)).one_or_none()
    return (str(row[0]), Credentials(row[1], AccountKind(row[2]), row[3])) if row else None


async def set_password(tx: Tx, account_id: UUID, password_hash: str) -> None:
    """The account's holder has chosen it."""
    values = {"password_hash": password_hash, "password_changed_at": tx.now}
    await tx.connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(values))


async def share_an_opener(tx: Tx, one: UUID, other: UUID) -> bool:
    """Whether one of the two opened the other, or one account opened both, at however many removes."""
    themselves = select(AccountRow.id.label("whose"), AccountRow.id.label("hand")).where(
        AccountRow.id.in_([one, other])
    )
    behind = themselves.cte("behind", recursive=True)
    opener = select(behind.c.whose, AccountRow.opened_by).join(AccountRow, AccountRow.id == behind.c.hand)
    behind = behind.union(opener.where(AccountRow.opened_by.is_not(None)))
    shared = select(behind.c.hand).group_by(behind.c.hand).having(func.count(behind.c.whose.distinct()) > 1)
    return (await tx.connection.execute(shared.limit(1))).first() is not None


async def insert_account(
    tx: Tx,
    kind: AccountKind,
    *,
    phone: str | None = None,
    email: str | None = None,
    name: str | None = None,
    password_hash: str | None = None,
    opened_by: UUID | None = None,
) -> UUID | None:
    """Open an account, or None when the address has one; waits for a rival's commit to know."""
    row = {
        "id": tx.new_id(),
        "kind": kind.value,
        "phone": phone,
        "email": email,
        "name": name,
        "password_hash": password_hash,
        "status": AccountStatus.ACTIVE.value,
        "registered_at": tx.now,
        "opened_by": opened_by,
    }
    statement = upsert(AccountRow).values(row).on_conflict_do_nothing().returning(AccountRow.id)
    return (await tx.connection.execute(statement)).scalar_one_or_none()


async def insert_person(tx: Tx, account_id: UUID) -> UUID:
    """A new person, for whom the account acts as themselves."""
    person_id = tx.new_id()
    person = {"id": person_id, "registered_at": tx.now}
    await tx.connection.execute(insert(PersonRow).values(person))
    link = {"account_id": account_id, "person_id": person_id, "relation": "self"}
    await tx.connection.execute(insert(ActsForRow).values(link))
    return person_id


async def insert_roles(tx: Tx, account_id: UUID, roles: Sequence[Role]) -> None:
    rows = [{"account_id": account_id, "role": role.value} for role in roles]
    await tx.connection.execute(insert_rows(RoleRow, rows))


async def update_status(tx: Tx, account_id: UUID, status: AccountStatus) -> bool:
    """False when there is no such account."""
    statement = (
        update(AccountRow).where(AccountRow.id == account_id).values(status=status.value).returning(AccountRow.id)
    )
    return (await tx.connection.execute(statement)).first() is not None


async def account_by_phone(tx: Tx, phone: str) -> Account | None:
    return _one((await tx.connection.execute(_accounts().where(AccountRow.phone == phone))).one_or_none())


async def account_by_email(tx: Tx, email: str) -> Account | None:
    return _one((await tx.connection.execute(_accounts().where(AccountRow.email == email))).one_or_none())


async def accounts_by_id(tx: Tx, account_ids: Sequence[UUID]) -> list[Account]:
    wanted = literal(list(account_ids), ARRAY(Uuid()))
    rows = await tx.connection.execute(_accounts().where(AccountRow.id == func.any(wanted)))
    return [_account(row) for row in rows]


async def persons_of(tx: Tx, account_id: UUID) -> list[UUID]:
    """The persons an active account acts for, themselves first, then in the order of their ids."""
    query = (
        select(ActsForRow.person_id)
        .join(AccountRow, AccountRow.id == ActsForRow.account_id)
        .where(ActsForRow.account_id == account_id, AccountRow.status == AccountStatus.ACTIVE.value)
        .order_by(ActsForRow.relation.desc(), ActsForRow.person_id)
    )
    return list((await tx.connection.execute(query)).scalars())


def _accounts() -> Select[Any]:
    roles = (
        select(func.array_agg(RoleRow.role))
        .where(RoleRow.account_id == AccountRow.id)
        .correlate(AccountRow)
        .scalar_subquery()
    )
    return select(
        AccountRow.id,
        AccountRow.kind,
        AccountRow.status,
        roles.label("roles"),
        AccountRow.registered_at,
        AccountRow.name,
        AccountRow.phone,
        AccountRow.email,
        and_(AccountRow.opened_by.is_not(None), AccountRow.password_changed_at.is_(None)).label("first_password"),
    )


def _one(row: Any | None) -> Account | None:
    return None if row is None else _account(row)


def _account(row: Any) -> Account:
    """A city account's roles are rows; everybody else has the one of their kind."""
    kind = AccountKind(row.kind)
    roles = tuple(sorted(Role(role) for role in row.roles or ())) if kind is AccountKind.CITY else (Role(kind),)
    status = AccountStatus(row.status)
    first = bool(row.first_password)
    return Account(row.id, kind, status, roles, row.registered_at, row.name, row.phone, row.email, first)
