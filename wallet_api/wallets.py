"""What a resident holds: balance by purse and expiry, history, and the phones that show codes."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Resident
from infra.http.context import Here
from infra.http.idempotency import Command, DeedAnswer, OwnDeed, recall
from infra.http.notices import tell
from infra.http.openapi import refuses
from infra.http.paging import PageSize
from infra.http.strict import Answer, Body, Name
from services.identity.owed_secret import SecretOwed, require_nothing_owed
from services.identity.read import new_phone
from services.kit.db import Tx
from services.ledger.journal import Movement
from services.merchants.read import stores
from services.merchants.shops import Store
from services.payments.payment import Payment
from services.payments.read import stores_of_movements
from services.wallets import read
from services.wallets.device_key import DeviceKeyInvalid, DeviceKeyPrivate
from services.wallets.open import (
    BlockDevice,
    RegisterDevice,
    RenameDevice,
    block_device,
    register_device,
    rename_device,
)
from services.wallets.wallet import Device, TooManyDevices, Wallet

routes = router("wallets")


@dataclass(frozen=True)
class Mine:
    """A wallet, asked for by an account; somebody else's does not exist."""

    wallet_id: UUID
    account_id: UUID
    limit: int = 100


@dataclass(frozen=True)
class _History:
    movements: list[Movement]
    payments: dict[UUID, Payment]
    stores: dict[UUID, Store]
    carers: dict[UUID, str]


class WalletAnswer(Answer):
    """A wallet that the account acts for, or whose person it cares for."""

    id: UUID
    number: str = Field(description="What people read aloud and type.")
    status: str = Field(description="`active` or `suspended`.")


class WalletsAnswer(Answer):
    wallets: list[WalletAnswer]


class PurseAnswer(Answer):
    """What one purse holds until one expiry; the order is that of spending."""

    programme: str
    programme_name: str
    purse: str
    purse_name: str
    points: int
    paid_points: int
    premium_points: int
    store_classes: list[str] = Field(description="The stores that take it.")
    usable_from: datetime
    expires_on: date = Field(description="The last day on which it is valid, in Japan.")


class BalanceAnswer(Answer):
    """A wallet at an instant."""

    wallet: WalletAnswer
    total_points: int
    purses: list[PurseAnswer]
    at: datetime


class MovementAnswer(Answer):
    """What one deed did to the wallet."""

    deed_id: UUID
    kind: str = Field(description="`purchase`, `grant`, `payment`, `cancel`, `refund`, `expiry` …")
    at: datetime
    change_points: int = Field(description="Above zero: a gain.")
    payment_id: UUID | None = Field(description="The payment that a payment, cancel or refund is about.")
    payment_number: str | None
    store_name: str | None
    carer_name: str | None = Field(description="Who bought or paid in care, as the wallet's person calls them.")


class HistoryAnswer(Answer):
    movements: list[MovementAnswer]


class DeviceRequest(Body):
    """The public half of a key that the phone made; the private half never leaves it."""

    name: Name
    public_jwk: dict[str, str] = Field(
        description="A P-256 public key: `kty`, `crv`, `x`, `y`.",
        examples=[{"kty": "EC", "crv": "P-256", "x": "…", "y": "…"}],
    )


class DeviceNameRequest(Body):
    name: Name


class DeviceAnswer(Answer):
    """A phone whose codes pay from this wallet."""

    id: UUID
    name: str
    status: str = Field(description="`active` or `blocked`.")


class DevicesAnswer(Answer):
    devices: list[DeviceAnswer]


class BlockedAnswer(Answer):
    device_id: UUID


@routes.get("/wallets")
async def list_wallets(token: Resident, here: Here) -> WalletsAnswer:
    """The wallets that the account acts for, its own first; those of people it cares for are in `GET /care`."""
    found = await here.database.transact(read.wallets_of, token.account_id)
    return WalletsAnswer(wallets=[WalletAnswer.of(wallet) for wallet in found])


@routes.get("/wallets/{wallet_id}")
async def get_wallet(wallet_id: UUID, token: Resident, here: Here) -> BalanceAnswer:
    """The balance by purse and expiry."""
    return BalanceAnswer.of(await here.database.transact(_balance, Mine(wallet_id, token.account_id), direct=True))


@routes.get("/wallets/{wallet_id}/history")
async def get_history(wallet_id: UUID, token: Resident, here: Here, limit: PageSize = 100) -> HistoryAnswer:
    """What happened, newest first."""
    found = await here.database.transact(_history, Mine(wallet_id, token.account_id, limit))
    return HistoryAnswer(movements=[_movement(each, found) for each in found.movements])


@routes.get("/wallets/{wallet_id}/devices")
async def list_devices(wallet_id: UUID, token: Resident, here: Here) -> DevicesAnswer:
    """The phones of a wallet, blocked ones among them; a carer sees their own only."""
    found = await here.database.transact(_devices, Mine(wallet_id, token.account_id))
    return DevicesAnswer(devices=[DeviceAnswer.of(device) for device in found])


@routes.post(
    "/wallets/{wallet_id}/devices",
    status_code=201,
    responses=refuses(DeviceKeyInvalid, DeviceKeyPrivate, TooManyDevices, SecretOwed),
)
async def add_device(
    wallet_id: UUID, body: DeviceRequest, token: Resident, here: Here, command: Command
) -> DeviceAnswer:
    """Register a phone's key, so that its codes pay from this wallet. A new phone pays smaller sums for a day."""
    asked = RegisterDevice(wallet_id, token.account_id, body.name, body.public_jwk)

    async def register(tx: Tx, given: RegisterDevice) -> Device:
        await require_nothing_owed(tx, token.account_id, token.session_id)
        found = await new_phone(tx, token.account_id, token.session_id)
        return await register_device(tx, given, found)

    made = await command.perform(token.account_id, "wallet.device.register", register, asked, Device)
    if not command.replayed:
        await tell(here, token.account_id, "notice.phone_added", name=made.name)
    return DeviceAnswer.of(made)


@routes.post("/wallets/{wallet_id}/devices/{device_id}/name")
async def rename_wallet_device(
    wallet_id: UUID, device_id: UUID, body: DeviceNameRequest, token: Resident, command: Command
) -> DeviceAnswer:
    """Give a phone another name, so that one knows which to block when it is lost."""
    asked = RenameDevice(wallet_id, token.account_id, device_id, body.name)
    done = await command.perform(token.account_id, "wallet.device.rename", rename_device, asked, Device)
    return DeviceAnswer.of(done)


@routes.post("/wallets/{wallet_id}/devices/{device_id}/block")
async def block_wallet_device(wallet_id: UUID, device_id: UUID, token: Resident, command: Command) -> BlockedAnswer:
    """Block a lost phone: its codes are refused from now on."""
    asked = BlockDevice(wallet_id, token.account_id, device_id)
    done = await command.perform(token.account_id, "wallet.device.block", block_device, asked, UUID)
    return BlockedAnswer(device_id=done)


@routes.get("/wallets/{wallet_id}/deeds/{key}")
async def get_deed(wallet_id: UUID, key: UUID, token: Resident, here: Here) -> DeedAnswer:
    """What a command of one's own answered, for a client that lost the answer on the way."""
    asked = (Mine(wallet_id, token.account_id), OwnDeed(token.account_id, key))
    return await here.database.transact(_deed, asked)


def _movement(movement: Movement, found: _History) -> MovementAnswer:
    payment = found.payments.get(movement.deed_id)
    store = found.stores.get(payment.store_id) if payment else None
    return MovementAnswer(
        deed_id=movement.deed_id,
        kind=movement.kind.value,
        at=movement.effective_at,
        change_points=movement.change_yen,
        payment_id=payment.id if payment else None,
        payment_number=payment.number if payment else None,
        store_name=store.details.name if store else None,
        carer_name=found.carers.get(movement.deed_id),
    )


async def own_wallet(tx: Tx, asked: Mine) -> Wallet:
    """For what is the holder's alone, whoever cares for them."""
    return await read.wallet_for(tx, asked.wallet_id, asked.account_id)


async def wallet_in_hand(tx: Tx, asked: Mine) -> Wallet:
    """For what a carer may do as well: look, buy, pay."""
    return (await read.held_wallet(tx, asked.wallet_id, asked.account_id)).wallet


async def _balance(tx: Tx, asked: Mine) -> read.Balance:
    return await read.balance(tx, await wallet_in_hand(tx, asked))


async def _history(tx: Tx, asked: Mine) -> _History:
    movements = await read.history(tx, await wallet_in_hand(tx, asked), limit=asked.limit)
    payments = await stores_of_movements(tx, movements)
    carers = await read.carers_of(tx, {each.deed_id for each in movements})
    return _History(movements, payments, await stores(tx, {each.store_id for each in payments.values()}), carers)


async def _devices(tx: Tx, asked: Mine) -> list[Device]:
    return await read.devices_of(tx, await read.held_wallet(tx, asked.wallet_id, asked.account_id))


async def _deed(tx: Tx, asked: tuple[Mine, OwnDeed]) -> DeedAnswer:
    await wallet_in_hand(tx, asked[0])
    return await recall(tx, asked[1])
