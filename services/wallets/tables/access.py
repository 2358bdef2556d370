"""Statements on wallets and on the phones that reach them."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.clauses import acts_for
from services.kit.db import Tx
from services.kit.sets import any_of
from services.wallets.tables.schema import DeviceRow, WalletRow
from services.wallets.wallet import Device, Wallet

WALLET = (WalletRow.id, WalletRow.number, WalletRow.person_id, WalletRow.status)
DEVICE = (
    DeviceRow.id,
    DeviceRow.wallet_id,
    DeviceRow.account_id,
    DeviceRow.name,
    DeviceRow.public_jwk,
    DeviceRow.status,
)


async def insert_wallet(tx: Tx, wallet: Wallet) -> None:
    row = {
        "id": wallet.id,
        "number": wallet.number,
        "person_id": wallet.person_id,
        "status": wallet.status,
        "opened_at": tx.now,
    }
    await tx.connection.execute(insert(WalletRow).values(row).on_conflict_do_nothing(index_elements=["person_id"]))


async def find_wallets_of(tx: Tx, account_id: UUID) -> list[Wallet]:
    """The wallets of all persons that the account acts for, oldest first."""
    query = select(*WALLET).where(acts_for(account_id, WalletRow.person_id)).order_by(WalletRow.id)
    return [Wallet(*row) for row in await tx.connection.execute(query)]


async def find_wallet(tx: Tx, *, wallet_id: UUID | None = None, number: str | None = None) -> Wallet | None:
    query = select(*WALLET).where(WalletRow.id == wallet_id if number is None else WalletRow.number == number)
    row = (await tx.connection.execute(query)).one_or_none()
    return Wallet(*row) if row else None


async def find_wallet_for(tx: Tx, wallet_id: UUID, account_id: UUID) -> Wallet | None:
    query = select(*WALLET).where(WalletRow.id == wallet_id, acts_for(account_id, WalletRow.person_id))
    row = (await tx.connection.execute(query)).one_or_none()
    return Wallet(*row) if row else None


async def find_by_numbers(tx: Tx, numbers: Collection[str]) -> dict[str, Wallet]:
    query = select(*WALLET).where(WalletRow.number.in_(list(numbers)))
    return {row.number: Wallet(*row) for row in await tx.connection.execute(query)}


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


async def lock_wallets(tx: Tx, wallet_ids: Collection[UUID]) -> None:
    """Lock wallets in the order of their ids, so that two deeds never wait for each other in a ring."""
    query = select(WalletRow.id).where(WalletRow.id == any_of(wallet_ids)).order_by(WalletRow.id)
    await tx.connection.execute(query.with_for_update())


@cache
def _locked_by_device() -> Select[*tuple[Any, ...]]:
    query = select(*WALLET, *DEVICE).join(WalletRow, WalletRow.id == DeviceRow.wallet_id)
    query = query.where(DeviceRow.id == bindparam("device_id"), acts_for(DeviceRow.account_id, WalletRow.person_id))
    return query.with_for_update(of=(WalletRow, DeviceRow))


async def lock_by_device(tx: Tx, device_id: UUID) -> tuple[Wallet, Device] | None:
    """Lock the wallet of a phone, then the phone, if its account acts for the wallet's person.

    The phone's row is locked, too, so that a phone blocked while we waited for the wallet is
    seen as blocked; the wallet comes first, as in `block_device`.
    """
    row = (await tx.connection.execute(_locked_by_device(), {"device_id": device_id})).one_or_none()
    if row is None:
        return None
    values: Sequence[Any] = row
    return Wallet(*values[: len(WALLET)]), Device(*values[len(WALLET) :])


async def set_wallet_status(tx: Tx, wallet_id: UUID, status: str) -> None:
    await tx.connection.execute(update(WalletRow).where(WalletRow.id == wallet_id).values(status=status))


async def insert_device(tx: Tx, device: Device) -> None:
    row = {column.key: getattr(device, column.key) for column in DEVICE} | {"registered_at": tx.now}
    await tx.connection.execute(insert(DeviceRow).values(row))


async def find_devices(tx: Tx, wallet_id: UUID) -> list[Device]:
    query = select(*DEVICE).where(DeviceRow.wallet_id == wallet_id).order_by(DeviceRow.id)
    return [Device(*row) for row in await tx.connection.execute(query)]


async def block_device(tx: Tx, wallet_id: UUID, device_id: UUID) -> bool:
    """False if the wallet has no such phone."""
    mine = (DeviceRow.id == device_id, DeviceRow.wallet_id == wallet_id)
    statement = update(DeviceRow).where(*mine).values(status="blocked").returning(DeviceRow.id)
    return (await tx.connection.execute(statement)).one_or_none() is not None
