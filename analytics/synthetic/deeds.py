"""What residents mean to do, as columns: payments, and what is taken back of them, each at its second."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from analytics.synthetic.calendar import Floats, Ints

PAY: Final = 0
CANCEL: Final = 1
REFUND: Final = 2
KINDS: Final = ("payment", "cancel", "refund")

CPM: Final = 0
MPM: Final = 1
TILL: Final = 2
MODES: Final = ("cpm", "mpm", "till")

NONE: Final = -1
_SECONDS_BITS: Final = 32
ALL: Final = np.int64(2**40)
"""As an amount: everything that the store may take."""


@dataclass
class Deeds:
    """Columns of equal length. `store` and `resident` are indices, `at` seconds of the origin, amounts yen.

    `of` is the row of the payment that a cancel or refund takes back, NONE for a payment; an amount of ALL is
    everything that can be spent, or all that is left of the payment. `leave` is the share of all points that a
    payment of ALL leaves. `coupon` is the coupon that brought the visitor here, NONE where none did.
    """

    resident: Ints
    at: Ints
    store: Ints
    yen: Ints
    mode: Ints
    kind: Ints
    of: Ints
    leave: Floats
    coupon: Ints

    def __len__(self) -> int:
        return len(self.resident)

    def take(self, rows: np.ndarray) -> "Deeds":
        """Some rows, by mask or index; `of` is kept as it is."""
        return Deeds(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def payments(resident: Ints, at: Ints, store: Ints, yen: Ints, mode: Ints) -> Deeds:
    """Plain payments."""
    count = len(resident)
    none = np.full(count, NONE, dtype=np.int64)
    kind = np.zeros(count, dtype=np.int64)
    return Deeds(resident, at, store, yen, mode, kind, none, np.zeros(count), none.copy())


def back(deeds: Deeds, rows: Ints, at: Ints, yen: Ints, kind: int) -> Deeds:
    """What takes the payments at `rows` back; it goes where `joined` puts it, with its `of` meaning those rows."""
    taken = deeds.take(rows)
    taken.at, taken.yen = at, yen
    taken.kind = np.full(len(rows), kind, dtype=np.int64)
    taken.of = rows.astype(np.int64)
    taken.leave = np.zeros(len(rows))
    taken.coupon = np.full(len(rows), NONE, dtype=np.int64)
    return taken


def joined(parts: Sequence[Deeds], *, shifted: bool) -> Deeds:
    """One after the other; `shifted` where each part's `of` counts from its own first row."""
    whole = Deeds(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Deeds)}
    )
    if shifted:
        starts = np.repeat(np.cumsum([0, *(len(part) for part in parts[:-1])]), [len(part) for part in parts])
        whole.of = np.where(whole.of == NONE, NONE, whole.of + starts)
    return whole


def in_order(deeds: Deeds) -> Deeds:
    """By resident, then by time; what is at the same second stays in its order. `of` follows its payment."""
    order = np.argsort(deeds.resident << _SECONDS_BITS | deeds.at, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    sorted_deeds = deeds.take(order)
    sorted_deeds.of = np.where(sorted_deeds.of == NONE, NONE, place[sorted_deeds.of])
    return sorted_deeds
