"""Statements on stores and the people who work there."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Executable, Uuid, and_, bindparam, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.db import Tx
from services.kit.statements import Statement
from services.kit.store_class import StoreClass
from services.merchants.shops import Member, MemberRole, MemberStatus, Status, Store, StoreDetails, StoreOfMember
from services.merchants.tables.schema import MemberRow, MerchantRow, StoreRow

STORE = tuple(StoreRow.__table__.columns)
MEMBER = tuple(getattr(MemberRow, name) for name in Member.__dataclass_fields__)


def _accepting() -> Any:
    active = Status.ACTIVE.value
    return and_(StoreRow.status == active, MerchantRow.status == active).label("accepting")


async def insert_store(tx: Tx, store: Store) -> None:
    row = {
        "id": store.id,
        "code": store.code,
        "merchant_id": store.merchant_id,
        "name": store.details.name,
        "name_latin": store.details.name_latin,
        "store_class": store.details.store_class.value,
        "mcc": store.details.mcc,
        "postal_code": store.details.postal_code,
        "city_latin": store.details.city_latin,
        "status": store.status.value,
        "registered_at": store.registered_at,
    }
    await tx.connection.execute(insert(StoreRow).values(row))


async def find_stores(tx: Tx, store_ids: Collection[UUID]) -> list[Store]:
    wanted = func.any(literal(list(store_ids), ARRAY(Uuid())))
    return [_store(row) for row in await tx.connection.execute(select(*STORE).where(StoreRow.id == wanted))]


async def find_stores_of_merchant(tx: Tx, merchant_id: UUID) -> list[Store]:
    """In the order of their registration."""
    query = select(*STORE).where(StoreRow.merchant_id == merchant_id).order_by(StoreRow.id)
    return [_store(row) for row in await tx.connection.execute(query)]


async def find_store_by_code(tx: Tx, code: str) -> tuple[Store, bool] | None:
    """The store, and whether it may be paid."""
    query = select(*STORE, _accepting()).join(MerchantRow, MerchantRow.id == StoreRow.merchant_id)
    row = (await tx.connection.execute(query.where(StoreRow.code == code))).one_or_none()
    return (_store(row), row.accepting) if row else None


async def find_stores_of_account(tx: Tx, account_id: UUID) -> list[StoreOfMember]:
    """Where an account is an active member, in the order of the stores' registration."""
    rows = await _STORES_OF_ACCOUNT.rows(tx, {"account_id": account_id})
    return [StoreOfMember(_store(row), row[-2], MemberRole(row[-3]), row[-1]) for row in rows]


def _stores_of_account() -> Executable:
    theirs = MemberRow.account_id == bindparam("account_id", type_=Uuid())
    return (
        select(*STORE, MemberRow.role, MerchantRow.name, _accepting())
        .join(MemberRow, MemberRow.store_id == StoreRow.id)
        .join(MerchantRow, MerchantRow.id == StoreRow.merchant_id)
        .where(theirs, MemberRow.status == MemberStatus.ACTIVE.value)
        .order_by(StoreRow.id)
    )


_STORES_OF_ACCOUNT = Statement(_stores_of_account)


async def update_store_status(tx: Tx, store_id: UUID, status: Status) -> bool:
    """False when there is no such store."""
    statement = update(StoreRow).where(StoreRow.id == store_id).values(status=status.value)
    return (await tx.connection.execute(statement.returning(StoreRow.id))).first() is not None


async def upsert_member(tx: Tx, member: Member) -> bool:
    """Add a member, or let a disabled one on again in the new role; False for one that is active."""
    row = {
        "store_id": member.store_id,
        "account_id": member.account_id,
        "person_id": member.person_id,
        "role": member.role.value,
        "status": member.status.value,
        "since": member.since,
    }
    statement = upsert(MemberRow).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=[MemberRow.store_id, MemberRow.account_id],
        set_={
            "person_id": statement.excluded.person_id,
            "role": statement.excluded.role,
            "status": statement.excluded.status,
        },
        where=MemberRow.status == MemberStatus.DISABLED.value,
    )
    return (await tx.connection.execute(statement.returning(MemberRow.store_id))).first() is not None


async def lock_person_of_account(tx: Tx, account_id: UUID) -> UUID | None:
    """Hold an account's rows until this transaction ends: whose person its holder is known to be, in whatever store."""
    query = select(MemberRow.person_id).where(MemberRow.account_id == account_id).order_by(MemberRow.store_id)
    found = (await tx.connection.execute(query.with_for_update())).scalars()
    return next((person_id for person_id in found if person_id is not None), None)


async def set_person_of_account(tx: Tx, account_id: UUID, person_id: UUID) -> None:
    """Whose person an account's holder is, in every store where they work or worked."""
    statement = update(MemberRow).where(MemberRow.account_id == account_id).values(person_id=person_id)
    await tx.connection.execute(statement)


async def disable_member(tx: Tx, store_id: UUID, account_id: UUID) -> None:
    statement = (
        update(MemberRow)
        .where(MemberRow.store_id == store_id, MemberRow.account_id == account_id)
        .values(status=MemberStatus.DISABLED.value)
    )
    await tx.connection.execute(statement)


async def find_members(tx: Tx, store_id: UUID) -> list[Member]:
    """Everybody who works or worked for the store, the longest first."""
    query = select(*MEMBER).where(MemberRow.store_id == store_id).order_by(MemberRow.since, MemberRow.account_id)
    return [_member(row) for row in await tx.connection.execute(query)]


async def find_persons_of_merchant(tx: Tx, merchant_id: UUID) -> set[UUID]:
    """The persons known to work in one of the merchant's stores now."""
    query = select(MemberRow.person_id).join(StoreRow, StoreRow.id == MemberRow.store_id)
    working = (StoreRow.merchant_id == merchant_id, MemberRow.status == MemberStatus.ACTIVE.value)
    found = (await tx.connection.execute(query.where(*working))).scalars()
    return {person_id for person_id in found if person_id is not None}


async def find_owners_of_merchant(tx: Tx, merchant_id: UUID) -> list[UUID]:
    """The accounts that own one of the merchant's stores now, each once."""
    query = select(MemberRow.account_id).join(StoreRow, StoreRow.id == MemberRow.store_id).distinct()
    owning = (MemberRow.role == MemberRole.OWNER.value, MemberRow.status == MemberStatus.ACTIVE.value)
    theirs = query.where(StoreRow.merchant_id == merchant_id, *owning).order_by(MemberRow.account_id)
    return list((await tx.connection.execute(theirs)).scalars())


async def rename_person(tx: Tx, given_up_id: UUID, kept_id: UUID) -> None:
    """Where a person is known to work, another one is."""
    theirs = update(MemberRow).where(MemberRow.person_id == given_up_id)
    await tx.connection.execute(theirs.values(person_id=kept_id))


async def active_roles(tx: Tx, store_id: UUID, account_ids: Collection[UUID]) -> dict[UUID, MemberRole]:
    """The roles that accounts have in a store now; who works there no more is left out."""
    query = select(MemberRow.account_id, MemberRow.role).where(
        MemberRow.store_id == store_id,
        MemberRow.account_id == func.any(literal(list(account_ids), ARRAY(Uuid()))),
        MemberRow.status == MemberStatus.ACTIVE.value,
    )
    return {row[0]: MemberRole(row[1]) for row in await tx.connection.execute(query)}


def _store(row: Sequence[Any]) -> Store:
    """From a row that begins with the columns of `STORE`."""
    store_id, code, merchant_id, name, latin, store_class, mcc, postal_code, city, status, since = row[: len(STORE)]
    details = StoreDetails(name, latin, StoreClass(store_class), mcc, postal_code, city)
    return Store(store_id, code, merchant_id, details, Status(status), since)


def _member(row: Any) -> Member:
    role, status = MemberRole(row.role), MemberStatus(row.status)
    return Member(row.store_id, row.account_id, role, status, row.person_id, row.since)
