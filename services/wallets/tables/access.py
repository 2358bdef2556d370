"""Statements on wallets and on the phones that reach them."""

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Executable,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.identity.clauses import acts_for
from services.identity.session import NewPhone
from services.kit.db import Tx
from services.kit.sets import any_of, by_columns, insert_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.wallets.tables.care import CareRow, carer_cares
from services.wallets.tables.schema import DeviceRow, WalletRow
from services.wallets.wallet import MERGED, Device, Held, UnderCare, Wallet

WALLET = (WalletRow.id, WalletRow.number, WalletRow.person_id, WalletRow.status)
NEW_WALLET = ("id", "number", "person_id", "status", "opened_at")
DEVICE = (
    DeviceRow.id,
    DeviceRow.wallet_id,
    DeviceRow.account_id,
    DeviceRow.name,
    DeviceRow.public_jwk,
    DeviceRow.status,
)


async def insert_wallet(tx: Tx, wallet: Wallet) -> None:
    row = (wallet.id, wallet.number, wallet.person_id, wallet.status, tx.now)
    await _INSERT_WALLET.rows(tx, by_columns(WalletRow.__tablename__, NEW_WALLET, [row]))


_INSERT_WALLET = Statement(
    lambda: insert_later(WalletRow, NEW_WALLET).on_conflict_do_nothing(index_elements=["person_id"])
)


async def find_wallets_of(tx: Tx, account_id: UUID) -> list[Wallet]:
    """The wallets of all persons that the account acts for, oldest first."""
    return [Wallet(*row) for row in await _WALLETS_OF.rows(tx, {"account_id": account_id})]


def _wallets_of() -> Executable:
    theirs = acts_for(bindparam("account_id", type_=Uuid()), WalletRow.person_id)
    return select(*WALLET).where(theirs).order_by(WalletRow.id)


_WALLETS_OF = Statement(_wallets_of)


async def find_wallet(tx: Tx, *, wallet_id: UUID | None = None, number: str | None = None) -> Wallet | None:
    query = select(*WALLET).where(WalletRow.id == wallet_id if number is None else WalletRow.number == number)
    row = (await tx.connection.execute(query)).one_or_none()
    return Wallet(*row) if row else None


async def find_wallet_for(tx: Tx, wallet_id: UUID, account_id: UUID) -> Wallet | None:
    query = select(*WALLET).where(WalletRow.id == wallet_id, acts_for(account_id, WalletRow.person_id))
    row = (await tx.connection.execute(query)).one_or_none()
    return Wallet(*row) if row else None


async def find_held(tx: Tx, wallet_id: UUID, account_id: UUID) -> Held | None:
    """The wallet, if the account acts for its person or cares for them now."""
    rows = await _HELD.rows(tx, {"wallet_id": wallet_id, "account_id": account_id, "at": tx.now})
    row = rows[0] if rows else None
    if row is None or not (row[4] or row[5]):
        return None
    return Held(Wallet(*row[:4]), None if row[4] else UnderCare(row[5], row[6], account_id))


def _held() -> Executable:
    account_id, at = bindparam("account_id", type_=Uuid()), bindparam("at", type_=Instant)
    query = select(*WALLET, acts_for(account_id, WalletRow.person_id), CareRow.id, CareRow.carer_id)
    query = query.outerjoin(CareRow, carer_cares(account_id, WalletRow.person_id, at))
    return query.where(WalletRow.id == bindparam("wallet_id", type_=Uuid()))


_HELD = Statement(_held)


async def hold_wallet(tx: Tx, wallet_id: UUID, account_id: UUID) -> Held | None:
    """The same under the wallet's lock, which comes first: an end of care that was waited for is seen."""
    await lock_wallets(tx, [wallet_id])
    return await find_held(tx, wallet_id, account_id)


async def find_by_numbers(tx: Tx, numbers: Collection[str]) -> dict[str, Wallet]:
    query = select(*WALLET).where(WalletRow.number.in_(list(numbers)))
    return {row.number: Wallet(*row) for row in await tx.connection.execute(query)}


async def wallets_of_persons(tx: Tx, person_ids: Collection[UUID]) -> dict[UUID, Wallet]:
    query = select(*WALLET).where(WalletRow.person_id.in_(list(person_ids)))
    return {row.person_id: Wallet(*row) for row in await tx.connection.execute(query)}


async def lock_wallet(tx: Tx, wallet_id: UUID, account_id: UUID | None = None) -> Wallet | None:
    """Lock the wallet; with an account, only if that account acts for its person."""
    values = {"wallet_id": wallet_id} | ({} if account_id is None else {"account_id": account_id})
    row = (await tx.connection.execute(_locked_wallet(account_id is not None), values)).one_or_none()
    return Wallet(*row) if row else None


@cache
def _locked_wallet(for_account: bool) -> Select[*tuple[Any, ...]]:
    query = select(*WALLET).where(WalletRow.id == bindparam("wallet_id"))
    if for_account:
        query = query.where(acts_for(bindparam("account_id"), WalletRow.person_id))
    return query.with_for_update(of=WalletRow)


async def lock_wallets(tx: Tx, wallet_ids: Collection[UUID], *, wait: bool = True) -> set[UUID]:
    """Lock wallets in the order of their ids, so that two deeds never wait for each other in a ring.

    The ids that exist; without `wait`, only those that nobody else holds.
    """
    statement = _LOCK_WAITING if wait else _LOCK_FREE
    return {row[0] for row in await statement.rows(tx, {"wallet_ids": list(wallet_ids)})}


def _locked_wallets(wait: bool) -> Executable:
    ids = func.any(cast(bindparam("wallet_ids", type_=ARRAY(Uuid())), ARRAY(Uuid())))
    query = select(WalletRow.id).where(WalletRow.id == ids).order_by(WalletRow.id)
    return query.with_for_update(skip_locked=not wait)


_LOCK_WAITING = Statement(lambda: _locked_wallets(True))
_LOCK_FREE = Statement(lambda: _locked_wallets(False))


def merged_into(wallet_id: Any) -> CTE:
    """The wallets that were merged into a wallet, at however many removes; not that wallet itself."""
    theirs = select(WalletRow.id).where(WalletRow.merged_into_id == wallet_id).cte("theirs", recursive=True)
    further = aliased(WalletRow)
    return theirs.union_all(select(further.id).join(theirs, further.merged_into_id == theirs.c.id))


def in_line_of(column: InstrumentedAttribute[UUID], wallet_id: UUID) -> ColumnElement[bool]:
    """True where a column names the wallet, or one that was merged into it.

    One list, which an index of the column is asked for: of two conditions, either of which may hold, every row in the
    table would be read.
    """
    line = union_all(select(literal(wallet_id, Uuid())), select(merged_into(wallet_id).c.id))
    return column == func.any(func.array(line.scalar_subquery()))


async def closed_before(tx: Tx, wallet_id: UUID) -> list[UUID]:
    """The wallets whose value a wallet has taken over."""
    theirs = merged_into(wallet_id)
    return list((await tx.connection.execute(select(theirs.c.id).order_by(theirs.c.id))).scalars())


async def next_of(tx: Tx, wallet_id: UUID) -> Wallet | None:
    """The wallet that a wallet was merged into, if it was."""
    closed = aliased(WalletRow)
    query = select(*WALLET).join(closed, closed.merged_into_id == WalletRow.id).where(closed.id == wallet_id)
    row = (await tx.connection.execute(query)).one_or_none()
    return Wallet(*row) if row else None


async def lock_line(tx: Tx, wallet_id: UUID) -> tuple[Wallet, Wallet] | None:
    """A wallet and the one in which its value lies, both locked: the same one unless it was merged.

    Closed wallets are locked before those they were merged into, and no other deed locks a closed one together
    with others, so nobody waits in a ring. For a wallet that is not closed it is one statement.
    """
    wallet = await lock_wallet(tx, wallet_id)
    living = wallet
    while living is not None and living.status == MERGED:
        after = await next_of(tx, living.id)
        living = None if after is None else await lock_wallet(tx, after.id)
    return None if wallet is None or living is None else (wallet, living)


async def set_wallet_status(tx: Tx, wallet_id: UUID, status: str) -> None:
    await tx.connection.execute(update(WalletRow).where(WalletRow.id == wallet_id).values(status=status))


async def insert_device(tx: Tx, device: Device, limit: NewPhone | None) -> None:
    row = {column.key: getattr(device, column.key) for column in DEVICE} | {"registered_at": tx.now}
    if limit is not None:
        row |= {"limited_until": limit.until, "limit_yen": limit.limit_yen}
    await tx.connection.execute(insert(DeviceRow).values(row))


async def find_devices(tx: Tx, wallet_id: UUID) -> list[Device]:
    query = select(*DEVICE).where(DeviceRow.wallet_id == wallet_id).order_by(DeviceRow.id)
    return [Device(*row) for row in await tx.connection.execute(query)]


def _keys() -> Executable:
    ids = func.any(cast(bindparam("device_ids", type_=ARRAY(Uuid())), ARRAY(Uuid())))
    return select(DeviceRow.id, cast(DeviceRow.public_jwk, Text)).where(DeviceRow.id == ids)


_KEYS = Statement(_keys)


async def find_keys(tx: Tx, device_ids: Collection[UUID]) -> dict[UUID, str]:
    """The public keys of phones as JSON, whatever the phones' state."""
    return {row[0]: row[1] for row in await _KEYS.rows(tx, {"device_ids": list(device_ids)})}


async def block_devices(tx: Tx, wallet_id: UUID, *, of_accounts: Collection[UUID] | None = None) -> int:
    """Block all phones of a wallet, or those that these accounts registered; how many were not blocked yet."""
    active = [DeviceRow.wallet_id == wallet_id, DeviceRow.status == "active"]
    if of_accounts is not None:
        active.append(DeviceRow.account_id == any_of(of_accounts))
    statement = update(DeviceRow).where(*active).values(status="blocked").returning(DeviceRow.id)
    return len((await tx.connection.execute(statement)).all())


async def wallets_with_phones_of(tx: Tx, account_ids: Collection[UUID]) -> set[UUID]:
    """The wallets for which accounts have registered phones that are not blocked."""
    active = (DeviceRow.account_id == any_of(account_ids), DeviceRow.status == "active")
    return set((await tx.connection.execute(select(DeviceRow.wallet_id).where(*active))).scalars())


async def block_devices_of(tx: Tx, account_ids: Collection[UUID]) -> int:
    """Block all phones that accounts have registered, whatever the wallet; how many were not blocked yet."""
    active = (DeviceRow.account_id == any_of(account_ids), DeviceRow.status == "active")
    statement = update(DeviceRow).where(*active).values(status="blocked").returning(DeviceRow.id)
    return len((await tx.connection.execute(statement)).all())


async def block_device(tx: Tx, wallet_id: UUID, device_id: UUID, *, of_account: UUID | None = None) -> bool:
    """False if the wallet has no such phone, or, where an account is named, none that it registered."""
    mine = [DeviceRow.id == device_id, DeviceRow.wallet_id == wallet_id]
    if of_account is not None:
        mine.append(DeviceRow.account_id == of_account)
    statement = update(DeviceRow).where(*mine).values(status="blocked").returning(DeviceRow.id)
    return (await tx.connection.execute(statement)).one_or_none() is not None


async def rename_device(
    tx: Tx, wallet_id: UUID, device_id: UUID, name: str, *, of_account: UUID | None = None
) -> Device | None:
    """The phone under its new name; None if the wallet has no such phone, or none that the account registered."""
    mine = [DeviceRow.id == device_id, DeviceRow.wallet_id == wallet_id]
    if of_account is not None:
        mine.append(DeviceRow.account_id == of_account)
    statement = update(DeviceRow).where(*mine).values(name=name).returning(*DEVICE)
    row = (await tx.connection.execute(statement)).one_or_none()
    return Device(*row) if row else None
