"""A wallet: one a person, reached by accounts, phones and cards that may be replaced one by one."""

from dataclasses import dataclass
from uuid import UUID

from services.kit.errors import Kind, Refusal


class WalletSuspended(Refusal):
    code = "wallet_suspended"
    kind = Kind.FORBIDDEN


class DeviceBlocked(Refusal):
    code = "device_blocked"
    kind = Kind.FORBIDDEN


class DeviceUnknown(Refusal):
    """The pay code names a phone that is not registered."""

    code = "device_unknown"


class TooManyDevices(Refusal):
    code = "too_many_devices"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Wallet:
    id: UUID
    number: str
    person_id: UUID
    status: str


@dataclass(frozen=True)
class Device:
    """A phone's public key for one wallet."""

    id: UUID
    wallet_id: UUID
    account_id: UUID
    name: str
    public_jwk: dict[str, str]
    status: str


def must_be_active(wallet: Wallet) -> None:
    """Raise WalletSuspended, which names nobody: a store's clerk may be the one who reads it."""
    if wallet.status != "active":
        raise WalletSuspended()
