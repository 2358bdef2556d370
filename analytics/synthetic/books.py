"""The books of the synthetic city: what each deed takes from each lot, or gives back to it, to the yen.

The house's rule (docs/algorithms/allocation.md), for many wallets at once: usable lots in spending order, the
paid and premium parts in proportion to what remains, the odd point from the premium part; a return reverses
the order and is split in proportion to what is outstanding. The k-th deed of every wallet is done in one step,
since wallets do not touch each other.
"""

from dataclasses import dataclass

import numpy as np

from analytics.synthetic.calendar import Ints
from analytics.synthetic.deeds import NONE, PAY, Deeds


@dataclass
class Lots:
    """Resident × slot. The slots of a resident stand in spending order; one without points is no lot.

    `paid` and `premium` are what was issued, `usable_from` seconds, `takes_large` whether large stores take it.
    """

    paid: Ints
    premium: Ints
    issued_at: Ints
    usable_from: Ints
    purse: Ints
    takes_large: np.ndarray


@dataclass
class Booked:
    """What happened. Per deed × slot `paid` and `premium` (positive for payments and returns alike).

    `emptied` marks payments after which the wallet held nothing; `left_paid` and `left_premium` are what is left
    of each lot in the end, resident × slot.
    """

    paid: Ints
    premium: Ints
    emptied: np.ndarray
    left_paid: Ints
    left_premium: Ints

    @property
    def yen(self) -> Ints:
        total: Ints = (self.paid + self.premium).sum(axis=1)
        return total


def split(amount: Ints, paid: Ints, premium: Ints) -> tuple[Ints, Ints]:
    """Split amounts over two parts in proportion to what they hold; the odd point from the premium part.

    Requires 0 <= amount <= paid + premium, element by element.
    """
    from_paid = amount * paid // np.maximum(paid + premium, 1)
    return from_paid, amount - from_paid


def book(deeds: Deeds, lots: Lots, large: np.ndarray) -> Booked:
    """Do all deeds. `deeds` are in order; `deeds.resident` is the row of `lots`; `large` says it of every store.

    A payment takes what it wants, or what there is; a return what it wants, or what is left of its payment.
    """
    keeper = _Keeper(deeds, lots, large)
    counts = np.bincount(deeds.resident, minlength=len(lots.paid))
    starts = np.cumsum(counts) - counts
    # With the busiest first, those who still have a k-th deed are always the first of the list.
    busiest = np.argsort(-counts, kind="stable")
    active = np.searchsorted(-counts[busiest], -np.arange(counts.max(initial=0)), side="left")
    for step, many in enumerate(active):
        rows = starts[busiest[:many]] + step
        is_payment = deeds.kind[rows] == PAY
        keeper.pay(rows[is_payment])
        if not is_payment.all():
            keeper.give_back(rows[~is_payment])
    return Booked(keeper.paid, keeper.premium, keeper.emptied, keeper.left_paid, keeper.left_premium)


class _Keeper:
    """What is left of every lot, and what every payment still has outstanding."""

    def __init__(self, deeds: Deeds, lots: Lots, large: np.ndarray) -> None:
        self._deeds, self._lots, self._large = deeds, lots, large
        self.left_paid, self.left_premium = lots.paid.copy(), lots.premium.copy()
        shape = (len(deeds), lots.paid.shape[1])
        self.paid, self.premium = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self._out_paid, self._out_premium = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self.emptied = np.zeros(len(deeds), dtype=bool)
        self._issued = (lots.paid + lots.premium).sum(axis=1)

    def pay(self, rows: Ints) -> None:
        deeds, lots = self._deeds, self._lots
        who = deeds.resident[rows]
        here = lots.takes_large[who] | ~self._large[deeds.store[rows], None]
        usable = here & (lots.usable_from[who] <= deeds.at[rows, None])
        held = np.where(usable, self.left_paid[who] + self.left_premium[who], 0)
        spendable = held.sum(axis=1)
        kept = np.rint(deeds.leave[rows] * self._issued[who]).astype(np.int64)
        wanted = np.minimum(deeds.yen[rows], np.maximum(spendable - kept, 0))
        for slot in range(held.shape[1]):
            share = np.minimum(wanted, held[:, slot])
            paid, premium = split(share, self.left_paid[who, slot], self.left_premium[who, slot])
            self.left_paid[who, slot] -= paid
            self.left_premium[who, slot] -= premium
            self.paid[rows, slot], self.premium[rows, slot] = paid, premium
            wanted = wanted - share
        self._out_paid[rows], self._out_premium[rows] = self.paid[rows], self.premium[rows]
        there = lots.issued_at[who] <= deeds.at[rows, None]
        self.emptied[rows] = np.where(there, self.left_paid[who] + self.left_premium[who], 0).sum(axis=1) == 0

    def give_back(self, rows: Ints) -> None:
        deeds = self._deeds
        who, payment = deeds.resident[rows], deeds.of[rows]
        if (payment == NONE).any():
            raise ValueError("what is taken back was a payment")
        wanted = deeds.yen[rows].copy()
        for slot in reversed(range(self.paid.shape[1])):
            out_paid, out_premium = self._out_paid[payment, slot], self._out_premium[payment, slot]
            share = np.minimum(wanted, out_paid + out_premium)
            paid, premium = split(share, out_paid, out_premium)
            self._out_paid[payment, slot] -= paid
            self._out_premium[payment, slot] -= premium
            self.left_paid[who, slot] += paid
            self.left_premium[who, slot] += premium
            self.paid[rows, slot], self.premium[rows, slot] = paid, premium
            wanted -= share
