"""Statements on accounts, their roles and the persons they act for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Executable, Select, Text, Uuid, and_, bindparam, cast, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from services.identity.people import Account, AccountKind, AccountStatus, Contact, Role
from services.identity.tables import sessions
from services.identity.tables.schema import AccountRow, ActsForRow, PersonRow, RoleRow, StaffPersonRow
from services.kit.db import Tx
from services.kit.sets import by_columns, insert_later, insert_rows
from services.kit.statements import Statement
from services.kit.tables import Instant

_NEW = ("id", "kind", "phone", "email", "name", "password_hash", "status", "registered_at", "opened_by")
_ADDRESS = bindparam("address", type_=Text())


@dataclass(frozen=True)
class Credentials:
    """What a password is compared with; no `hash`, no way in."""

    account_id: UUID
    kind: AccountKind
    hash: str | None = field(repr=False)


async def find_credentials(tx: Tx, email: str) -> Credentials | None:
    rows = await _CREDENTIALS.rows(tx, {"address": email})
    return Credentials(rows[0][0], AccountKind(rows[0][1]), rows[0][2]) if rows else None


def _credentials() -> Executable:
    return select(AccountRow.id, AccountRow.kind, AccountRow.password_hash).where(AccountRow.email == _ADDRESS)


_CREDENTIALS = Statement(_credentials)


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
    status = AccountStatus.ACTIVE.value
    row = (tx.new_id(), kind.value, phone, email, name, password_hash, status, tx.now, opened_by)
    opened = await _INSERT_ACCOUNT.rows(tx, by_columns(AccountRow.__tablename__, _NEW, [row]))
    account_id: UUID | None = opened[0][0] if opened else None
    return account_id


_INSERT_ACCOUNT = Statement(lambda: insert_later(AccountRow, _NEW).on_conflict_do_nothing().returning(AccountRow.id))


async def insert_person_alone(tx: Tx) -> UUID:
    """A new person for whom no account acts."""
    person_id = tx.new_id()
    person = {"id": person_id, "registered_at": tx.now}
    await tx.connection.execute(insert(PersonRow).values(person))
    return person_id


async def insert_person(tx: Tx, account_id: UUID) -> UUID:
    """A new person, for whom the account acts as themselves."""
    person_id = await insert_person_alone(tx)
    link = {"account_id": account_id, "person_id": person_id, "relation": "self"}
    await tx.connection.execute(insert(ActsForRow).values(link))
    return person_id


async def act_for_instead(tx: Tx, given_up_id: UUID, kept_id: UUID) -> list[UUID]:
    """Whoever acts for one person acts for another; those who act for both keep what they have."""
    both = aliased(ActsForRow)
    already = select(both.account_id).where(both.person_id == kept_id)
    theirs = (ActsForRow.person_id == given_up_id, ActsForRow.account_id.not_in(already))
    statement = update(ActsForRow).where(*theirs).values(person_id=kept_id).returning(ActsForRow.account_id)
    return sorted((await tx.connection.execute(statement)).scalars())


async def give_person_up(tx: Tx, given_up_id: UUID, kept_id: UUID) -> None:
    """A person is another one, and so is whoever was found to be the first; staff's own persons follow."""
    same = or_(PersonRow.id == given_up_id, PersonRow.same_as_id == given_up_id)
    await tx.connection.execute(update(PersonRow).where(same).values(same_as_id=kept_id))
    staff = update(StaffPersonRow).where(StaffPersonRow.person_id == given_up_id)
    await tx.connection.execute(staff.values(person_id=kept_id))


async def insert_roles(tx: Tx, account_id: UUID, roles: Sequence[Role]) -> None:
    rows = [{"account_id": account_id, "role": role.value} for role in roles]
    await tx.connection.execute(insert_rows(RoleRow, rows))


async def take_role(tx: Tx, account_id: UUID, role: Role) -> bool:
    """Take a role from an account; False where it does not have it."""
    held = (RoleRow.account_id == account_id, RoleRow.role == role.value, RoleRow.taken_at.is_(None))
    statement = update(RoleRow).where(*held).values(taken_at=tx.now).returning(RoleRow.role)
    return (await tx.connection.execute(statement)).first() is not None


async def lock_account(tx: Tx, account_id: UUID) -> None:
    """Deeds on one account's roles take turns until this transaction ends."""
    query = select(AccountRow.id).where(AccountRow.id == account_id).with_for_update(key_share=True)
    await tx.connection.execute(query)


async def update_status(tx: Tx, account_id: UUID, status: AccountStatus) -> bool:
    """False when there is no such account."""
    statement = (
        update(AccountRow).where(AccountRow.id == account_id).values(status=status.value).returning(AccountRow.id)
    )
    return (await tx.connection.execute(statement)).first() is not None


async def hold(tx: Tx, address: str) -> None:
    """Nobody closes the account of this phone or mailbox or changes its password until this transaction ends.

    Taken before the account is looked at: otherwise a session could be opened by a password that is
    being changed, or for an account that is being closed, and survive what ends all its others.
    """
    await _HOLD.rows(tx, {"address": address})


def _hold() -> Executable:
    ours = or_(AccountRow.phone == _ADDRESS, AccountRow.email == _ADDRESS)
    return select(AccountRow.id).where(ours).with_for_update(read=True)


_HOLD = Statement(_hold)


async def account_by_phone(tx: Tx, phone: str) -> Account | None:
    return _one(await _BY_PHONE.rows(tx, {"address": phone}))


async def account_by_email(tx: Tx, email: str) -> Account | None:
    return _one(await _BY_EMAIL.rows(tx, {"address": email}))


async def accounts_by_id(tx: Tx, account_ids: Sequence[UUID]) -> list[Account]:
    return [account_of(row) for row in await _BY_ID.rows(tx, {"account_ids": list(account_ids)})]


async def account_with_session(tx: Tx, account_id: UUID, session_id: UUID) -> tuple[Account, bool] | None:
    """An account, and whether that session of it can still be used, in one statement."""
    rows = await _WITH_SESSION.rows(tx, {"of_account": account_id, "session_id": session_id, "at": tx.now})
    return (account_of(rows[0][:-1]), bool(rows[0][-1])) if rows else None


def _with_session() -> Executable:
    session_id, at = bindparam("session_id", type_=Uuid()), bindparam("at", type_=Instant)
    lives = sessions.lives(session_id, AccountRow.id, at).label("session_open")
    return _accounts().add_columns(lives).where(AccountRow.id == bindparam("of_account", type_=Uuid()))


_WITH_SESSION = Statement(_with_session)


async def persons_of(tx: Tx, account_id: UUID) -> list[UUID]:
    """The persons an active account acts for, themselves first, then in the order of their ids."""
    return [row[0] for row in await _PERSONS.rows(tx, {"account_id": account_id})]


async def self_of(tx: Tx, account_id: UUID) -> UUID | None:
    """The person whose own account it is, while it is active."""
    query = select(ActsForRow.person_id).join(AccountRow, AccountRow.id == ActsForRow.account_id)
    own = (ActsForRow.relation == "self", AccountRow.status == AccountStatus.ACTIVE.value)
    found: UUID | None = (
        await tx.connection.execute(query.where(ActsForRow.account_id == account_id, *own))
    ).scalar_one_or_none()
    return found


async def accounts_for(tx: Tx, person_id: UUID) -> list[UUID]:
    query = select(ActsForRow.account_id).where(ActsForRow.person_id == person_id).order_by(ActsForRow.account_id)
    return list((await tx.connection.execute(query)).scalars())


async def persons_reached(tx: Tx, *, phone: str | None = None, email: str | None = None, limit: int) -> list[UUID]:
    """The persons that the resident's account of an address acts for, themselves first; also of a closed one."""
    address = AccountRow.phone == phone if phone is not None else AccountRow.email == email
    query = select(ActsForRow.person_id).join(AccountRow, AccountRow.id == ActsForRow.account_id)
    query = query.where(address, AccountRow.kind == AccountKind.RESIDENT.value)
    ordered = query.order_by(ActsForRow.relation != "self", ActsForRow.person_id).limit(limit)
    return list((await tx.connection.execute(ordered)).scalars())


async def contacts_of(tx: Tx, person_ids: Sequence[UUID]) -> list[tuple[UUID, Contact]]:
    """How these persons are reached: a person and an account that acts for them, themselves first."""
    columns = (ActsForRow.person_id, ActsForRow.relation, AccountRow.status, AccountRow.phone, AccountRow.email)
    query = select(*columns).join(AccountRow, AccountRow.id == ActsForRow.account_id)
    query = query.where(ActsForRow.person_id.in_(person_ids))
    rows = await tx.connection.execute(query.order_by(ActsForRow.relation != "self", AccountRow.id))
    return [(row[0], Contact(row[1], AccountStatus(row[2]), row[3], row[4])) for row in rows]


def _persons() -> Executable:
    mine = ActsForRow.account_id == bindparam("account_id", type_=Uuid())
    return (
        select(ActsForRow.person_id)
        .join(AccountRow, AccountRow.id == ActsForRow.account_id)
        .where(mine, AccountRow.status == AccountStatus.ACTIVE.value)
        .order_by(ActsForRow.relation.desc(), ActsForRow.person_id)
    )


_PERSONS = Statement(_persons)


def account_columns() -> tuple[Any, ...]:
    """What `account_of` reads, in its order."""
    roles = (
        select(func.array_agg(RoleRow.role))
        .where(RoleRow.account_id == AccountRow.id, RoleRow.taken_at.is_(None))
        .correlate(AccountRow)
        .scalar_subquery()
    )
    return (
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


def _accounts() -> Select[Any]:
    return select(*account_columns())


def _by_id() -> Executable:
    ids = ARRAY(Uuid())
    return _accounts().where(AccountRow.id == func.any(cast(bindparam("account_ids", type_=ids), ids)))


_BY_ID = Statement(_by_id)
_BY_PHONE = Statement(lambda: _accounts().where(AccountRow.phone == _ADDRESS))
_BY_EMAIL = Statement(lambda: _accounts().where(AccountRow.email == _ADDRESS))


def _one(rows: Sequence[Sequence[Any]]) -> Account | None:
    return account_of(rows[0]) if rows else None


def account_of(row: Sequence[Any]) -> Account:
    """An account from `account_columns`. A city account's roles are rows; all others have the one of their kind."""
    account_id, kind_name, status, names, registered_at, name, phone, email, first = row
    kind = AccountKind(kind_name)
    roles = tuple(sorted(Role(role) for role in names or ())) if kind is AccountKind.CITY else (Role(kind),)
    return Account(account_id, kind, AccountStatus(status), roles, registered_at, name, phone, email, bool(first))
