"""A wallet: one a person, reached by accounts, phones and cards that may be replaced one by one."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from services.kit.errors import Kind, Refusal
from services.kit.frozen import quick
from services.wallets.lots import Lot


class WalletSuspended(Refusal):
    code = "wallet_suspended"
    kind = Kind.FORBIDDEN


MERGED = "merged"
"""The status of a wallet that was closed when its value went into another one of the same person."""


class WalletMerged(Refusal):
    """The wallet was closed: all that it held is in the wallet `into`, which is the same person's."""

    code = "wallet_merged"
    kind = Kind.CONFLICT


class DeviceBlocked(Refusal):
    code = "device_blocked"
    kind = Kind.FORBIDDEN


class DeviceUnknown(Refusal):
    """The pay code names a phone that is not registered."""

    code = "device_unknown"


NEVER_LIMITED_YEN = 5_000
"""No limit of new phones lies below it, so that smaller payments need not ask for one."""


class NewPhoneLimit(Refusal):
    """A new phone pays at most `limit_yen` at once for its first day."""

    code = "new_phone_limit"
    kind = Kind.CONFLICT


class TooManyDevices(Refusal):
    code = "too_many_devices"
    kind = Kind.CONFLICT


@quick
@dataclass(frozen=True)
class Wallet:
    id: UUID
    number: str
    person_id: UUID
    status: str


@quick
@dataclass(frozen=True)
class UnderCare:
    """By which care, and who, as a person and by which account, acts for the wallet's person."""

    care_id: UUID
    carer_id: UUID
    account_id: UUID


@dataclass(frozen=True)
class Held:
    """A wallet that an account acts for: `care` is None for its holder's own account."""

    wallet: Wallet
    care: UnderCare | None = None


@dataclass(frozen=True)
class Device:
    """A phone's public key for one wallet."""

    id: UUID
    wallet_id: UUID
    account_id: UUID
    name: str
    public_jwk: dict[str, str]
    status: str


@quick
@dataclass(frozen=True)
class PayingDevice:
    """A phone whose code is to be paid with; `public_jwk` is its key as JSON."""

    id: UUID
    wallet_id: UUID
    status: str
    public_jwk: str


@quick
@dataclass(frozen=True)
class PayerAsked:
    """Who wants to pay from which wallet: an account, a phone by its code, or a card that the deed holds."""

    wallet_id: UUID
    account_id: UUID | None = None
    device_id: UUID | None = None
    by_card: bool = False


class Absent(Enum):
    """Why nobody pays: there is no such wallet for whoever asked, or no such phone."""

    WALLET = "wallet"
    DEVICE = "device"


@quick
@dataclass(frozen=True)
class Payer:
    """A locked wallet with its lots that hold something, and what it spent today by programme, in yen."""

    wallet: Wallet
    device: PayingDevice | None
    lots: list[Lot]
    spent_today: dict[UUID, int]
    limit_yen: int | None = None
    """What a new phone pays at once at most."""
    care: UnderCare | None = None
    """By which somebody else pays for the wallet's person."""


def must_be_within(payer: Payer, amount_yen: int) -> None:
    """Raise NewPhoneLimit for more than a new phone may pay at once."""
    if payer.limit_yen is not None and amount_yen > payer.limit_yen:
        raise NewPhoneLimit(limit_yen=payer.limit_yen)


def must_be_active(wallet: Wallet) -> None:
    """Raise WalletSuspended, which names nobody: a store's clerk may be the one who reads it."""
    if wallet.status != "active":
        raise WalletSuspended()
