"""Which lots a payment takes from, and which a refund gives back to. See docs/algorithms/allocation.md.

Spend order: usable at this store, earliest expiry first, a restricted purse before the
common one, then the oldest. A lot's paid and premium parts are taken in proportion to
what remains of them, the odd point from the premium part. A return reverses the order,
last lot first, and splits each lot in proportion to what has not been returned yet, so
that returning everything gives back every part exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.kit.frozen import quick
from services.kit.money import split_in_proportion
from services.wallets.lots import Lot, Origin, Parts


class Unusable(StrEnum):
    """Why a lot does not count at this store at this instant."""

    EXPIRED = "expired"
    NOT_YET = "not_yet"
    STORE_CLASS = "store_class"


@dataclass(frozen=True)
class IdlePurse:
    """Value that exists but cannot be used here, and why."""

    programme_id: UUID
    purse: str
    yen: int
    why: Unusable


@quick
@dataclass(frozen=True)
class Taken:
    """A complete allocation, in spending order."""

    parts: tuple[Parts, ...]


@dataclass(frozen=True)
class Shortfall:
    """The wallet does not hold the amount for this store: what is missing, and what lies idle."""

    missing_yen: int
    idle: tuple[IdlePurse, ...]


@dataclass(frozen=True)
class LimitReached:
    """The points are there, but a programme's limits stop the payment.

    `limit_yen` is a limit per payment, or what is left of the limit per day.
    """

    programme_id: UUID
    per_day: bool
    limit_yen: int


@quick
@dataclass(frozen=True)
class Ceiling:
    """What a payment may take from one programme."""

    payment_yen: int
    day_left_yen: int

    @property
    def yen(self) -> int:
        return min(self.payment_yen, self.day_left_yen)


Allocation = Taken | Shortfall | LimitReached


def unusable(lot: Lot, store_class: str, now: datetime) -> Unusable | None:
    """Why the lot cannot be spent at a store of this class at this instant; None if it can."""
    if lot.has_expired(now):
        return Unusable.EXPIRED
    if now < lot.usable_from:
        return Unusable.NOT_YET
    return None if store_class in lot.store_classes else Unusable.STORE_CLASS


def in_spend_order(lots: Iterable[Lot]) -> list[Lot]:
    """Earliest expiry, then the purse that fewer store classes take, then the oldest."""
    return sorted(lots, key=lambda lot: (lot.expires_at, len(lot.store_classes), lot.issued_at, lot.id))


def allocate(
    lots: Sequence[Lot],
    amount_yen: int,
    store_class: str,
    now: datetime,
    ceilings: Mapping[UUID, Ceiling],
) -> Allocation:
    """Choose the lots that pay `amount_yen` (> 0), or say what stands against it."""
    usable = in_spend_order(lot for lot in lots if lot.remaining_yen > 0 and unusable(lot, store_class, now) is None)
    parts, missing = _take(usable, amount_yen, {key: ceiling.yen for key, ceiling in ceilings.items()})
    if missing == 0:
        return Taken(parts)
    short = amount_yen - sum(lot.remaining_yen for lot in usable)
    if short > 0:
        return Shortfall(short, _idle(lots, store_class, now))
    held_back = next(lot.programme_id for lot in usable if _left_over(lot, parts) > 0)
    ceiling = ceilings[held_back]
    return LimitReached(held_back, ceiling.day_left_yen < ceiling.payment_yen, ceiling.yen)


def _take(usable: Sequence[Lot], amount_yen: int, room: dict[UUID, int]) -> tuple[tuple[Parts, ...], int]:
    parts = []
    for lot in usable:
        share = min(amount_yen, lot.remaining_yen, room[lot.programme_id])
        if share > 0:
            paid, premium = split_in_proportion(share, lot.paid_yen, lot.premium_yen)
            parts.append(Parts(lot.id, lot.programme_id, lot.origin, paid, premium))
            room[lot.programme_id] -= share
            amount_yen -= share
    return tuple(parts), amount_yen


def _left_over(lot: Lot, parts: Sequence[Parts]) -> int:
    return lot.remaining_yen - sum(part.total_yen for part in parts if part.lot_id == lot.id)


def _idle(lots: Sequence[Lot], store_class: str, now: datetime) -> tuple[IdlePurse, ...]:
    sums: dict[tuple[UUID, str, Unusable], int] = {}
    for lot in lots:
        why = unusable(lot, store_class, now)
        if why is not None and lot.remaining_yen > 0:
            key = (lot.programme_id, lot.purse, why)
            sums[key] = sums.get(key, 0) + lot.remaining_yen
    return tuple(IdlePurse(*key[:2], yen, key[2]) for key, yen in sorted(sums.items(), key=lambda item: str(item[0])))


@dataclass(frozen=True)
class Outstanding:
    """What a payment took from one lot and has not given back yet; `turn` is its place in the order."""

    turn: int
    lot_id: UUID
    programme_id: UUID
    origin: Origin
    paid_yen: int
    premium_yen: int


def give_back(outstanding: Sequence[Outstanding], amount_yen: int) -> tuple[Parts, ...]:
    """The lots that `amount_yen` returns to, last taken first. Requires that much to be outstanding."""
    parts = []
    for held in sorted(outstanding, key=lambda each: each.turn, reverse=True):
        share = min(amount_yen, held.paid_yen + held.premium_yen)
        if share > 0:
            paid, premium = split_in_proportion(share, held.paid_yen, held.premium_yen)
            parts.append(Parts(held.lot_id, held.programme_id, held.origin, paid, premium))
            amount_yen -= share
    if amount_yen:
        raise ValueError("more is given back than was taken")
    return tuple(parts)
