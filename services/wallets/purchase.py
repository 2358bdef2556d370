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
    """Paid after it had lapsed: the money is in suspense until it is returned."""
    RETURNED = "returned"
    UNDONE = "undone"


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
