"""Open a wallet for a person; register, list, name and block the phones that reach it; suspend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.identity.session import NewPhone
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets.closed import must_not_be_merged
from services.wallets.device_key import read_device_key
from services.wallets.tables import access
from services.wallets.wallet import Device, TooManyDevices, Wallet

NUMBER_PREFIX, NUMBER_LENGTH = "W", 9
MAX_DEVICES = 20
"""Keys that one wallet has ever had active at once; a new phone may need an old one blocked first."""


@dataclass(frozen=True)
class RegisterDevice:
    """A phone offers the public half (JWK) of a key that it made for this wallet."""

    wallet_id: UUID
    account_id: UUID
    name: str
    public_jwk: Mapping[str, object]


@dataclass(frozen=True)
class BlockDevice:
    wallet_id: UUID
    account_id: UUID
    device_id: UUID


@dataclass(frozen=True)
class RenameDevice:
    """Another name for a phone, which only those see who see the phone."""

    wallet_id: UUID
    account_id: UUID
    device_id: UUID
    name: str


@dataclass(frozen=True)
class SetWalletStatus:
    """An officer suspends a wallet, or lets it work again, and says why."""

    number: str
    status: str
    reason: str
    officer_id: UUID


async def open_wallet(tx: Tx, person_id: UUID, account_id: UUID) -> list[Wallet]:
    """Make sure that the person has a wallet; every wallet that the account acts for."""
    new = Wallet(tx.new_id(), tx.new_number(NUMBER_PREFIX, NUMBER_LENGTH), person_id, "active")
    await access.insert_wallet(tx, new)
    return await access.find_wallets_of(tx, account_id)


async def register_device(tx: Tx, command: RegisterDevice, limit: NewPhone | None = None) -> Device:
    """Register a phone's key for a wallet; the same key again answers the phone that has it.

    `limit` is that of a phone which is new to the account. A key that a phone makes anew, under a session that it
    has had for longer, is no new phone.
    """
    key = read_device_key(command.public_jwk).jwk()
    held = await access.hold_wallet(tx, command.wallet_id, command.account_id)
    if held is None:
        raise Missing()
    wallet = held.wallet
    active = [device for device in await access.find_devices(tx, wallet.id) if device.status == "active"]
    for known in active:
        if known.public_jwk == key and known.account_id == command.account_id:
            return known
    if len(active) >= MAX_DEVICES:
        raise TooManyDevices(most=MAX_DEVICES)
    device = Device(tx.new_id(), wallet.id, command.account_id, command.name, key, "active")
    await access.insert_device(tx, device, limit)
    await audit.record(tx, command.account_id, "device.registered", device.id)
    return device


async def block_device(tx: Tx, command: BlockDevice) -> UUID:
    """Block a phone: its codes are refused from the next payment on. A carer blocks their own phones only."""
    held = await access.hold_wallet(tx, command.wallet_id, command.account_id)
    if held is None:
        raise Missing()
    whose = None if held.care is None else command.account_id
    if not await access.block_device(tx, held.wallet.id, command.device_id, of_account=whose):
        raise Missing()
    await audit.record(tx, command.account_id, "device.blocked", command.device_id)
    return command.device_id


async def rename_device(tx: Tx, command: RenameDevice) -> Device:
    """Give a phone another name, also a blocked one: a list of lost phones is to be read. The name is not recorded.

    A carer names their own phones only. Raises `Missing`.
    """
    held = await access.hold_wallet(tx, command.wallet_id, command.account_id)
    if held is None:
        raise Missing
    whose = None if held.care is None else command.account_id
    renamed = await access.rename_device(tx, held.wallet.id, command.device_id, command.name, of_account=whose)
    if renamed is None:
        raise Missing
    await audit.record(tx, command.account_id, "device.renamed", command.device_id)
    return renamed


async def set_wallet_status(tx: Tx, command: SetWalletStatus) -> Wallet:
    """Suspend a wallet or make it active again; works at the next payment's commit. Raises Missing and WalletMerged."""
    found = await access.find_wallet(tx, number=command.number)
    if found is None:
        raise Missing()
    wallet = await access.lock_wallet(tx, found.id)
    if wallet is None:
        raise Missing()
    await must_not_be_merged(tx, wallet)
    await access.set_wallet_status(tx, wallet.id, command.status)
    action = "wallet.suspended" if command.status == "suspended" else "wallet.activated"
    await audit.record(tx, command.officer_id, action, wallet.id, reason=command.reason)
    return Wallet(wallet.id, wallet.number, wallet.person_id, command.status)
