"""A purchase: reserved while the resident pays elsewhere, then paid, or lapsed; undone only whole."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.kit.errors import Kind, Refusal

RESERVED_FOR = timedelta(minutes=30)
"""How long cap and stock are held for a checkout."""

MAX_UNITS = 1_000


class UnitsInvalid(Refusal):
    """A purchase is 1 to `most` whole units."""

    code = "units_invalid"


class CapExceeded(Refusal):
    """The person has bought, or is about to buy, as much as the programme allows one person."""

    code = "cap_exceeded"
    kind = Kind.CONFLICT


class PurchaseNotUndoable(Refusal):
    """Only a paid purchase of which no point was spent or expired can be undone."""

    code = "purchase_not_undoable"
    kind = Kind.CONFLICT


class PurchaseStatus(StrEnum):
    RESERVED = "reserved"
    PAID = "paid"
    LAPSED = "lapsed"
    """Not paid in time, or declined; cap and stock are free again."""
    LATE = "late"
    """Paid too late, or not what it costs: the money is in suspense until it is returned."""
    RETURNED = "returned"
    UNDONE = "undone"
    """Taken back whole; its money is due to the resident until `money_returned_at`."""


@dataclass(frozen=True)
class Purchase:
    """Money in yen, points in points; `checkout_id` is the channel's own name for the session."""

    id: UUID
    number: str
    wallet_id: UUID
    programme_id: UUID
    programme_version: int
    units: int
    price_yen: int
    points: int
    status: PurchaseStatus
    checkout_id: str | None
    reserved_at: datetime
    reserved_until: datetime
    paid_at: datetime | None
    received_yen: int | None = None
    """What the channel really took for it, once it took anything."""
    money_returned_at: datetime | None = None
    """When the channel gave that money back, of a late or an undone purchase."""

    @property
    def owed_yen(self) -> int:
        """What has to go back to the resident through the channel, and has not yet."""
        owed = self.status in {PurchaseStatus.LATE, PurchaseStatus.UNDONE} and self.money_returned_at is None
        return (self.received_yen or self.price_yen) if owed and self.checkout_id is not None else 0
