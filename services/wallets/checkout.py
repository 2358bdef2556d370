"""The checkout port: how a resident pays for points elsewhere, at a card company or a convenience store.

No card number ever reaches us: the resident is sent to the channel's own page, the channel
tells us by a signed webhook, and we ask it again when no word comes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class CheckoutState(StrEnum):
    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class CheckoutRequest:
    purchase_id: UUID
    amount_yen: int
    description: str
    return_url: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutSession:
    """The channel's id for the payment, and the page where the resident pays."""

    checkout_id: str
    url: str


@dataclass(frozen=True)
class CheckoutStanding:
    """Where a payment stands at the channel, and what it took (yen, 0 unless it is paid)."""

    state: CheckoutState
    paid_yen: int = 0


class CheckoutPort(Protocol):
    """A payment channel. `create` is idempotent by purchase id, `refund` by refund id.

    Any of the three may fail at any time; a session that the channel does not know is `Missing`.
    """

    async def create(self, request: CheckoutRequest) -> CheckoutSession: ...

    async def status(self, checkout_id: str) -> CheckoutStanding: ...

    async def refund(self, checkout_id: str, amount_yen: int, refund_id: UUID) -> None: ...
