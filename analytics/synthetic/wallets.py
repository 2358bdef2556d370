"""The lots of residents, in the order in which the house spends them."""

import numpy as np

from analytics.synthetic.books import Lots
from analytics.synthetic.calendar import DAY_SECONDS, Ints
from analytics.synthetic.people import People, day_of
from analytics.synthetic.plan import LARGE, CityPlan, Purse


def in_spend_order(plan: CityPlan) -> list[int]:
    """The plan's purses, by their place in it: what fewer stores take comes first."""
    return sorted(range(len(plan.purses)), key=lambda place: len(plan.purses[place].store_classes))


def takes_large(purse: Purse) -> bool:
    """Whether large stores take it."""
    return LARGE in purse.store_classes


def lots_of(plan: CityPlan, people: People, who: Ints) -> Lots:
    """The lots of the residents `who`: a slot for each purse that they bought, and one for what they were given.

    All expire together, so a lot's place is told by its purse, and between lots of one purse by their issue.
    """
    order = in_spend_order(plan)
    count, slots = len(who), len(order) + 1
    paid, premium, issued_at, usable_from, purse_at = (np.zeros((count, slots), dtype=np.int64) for _ in range(5))
    lots = Lots(paid, premium, issued_at, usable_from, purse_at, np.zeros((count, slots), dtype=bool))
    for slot, place in enumerate(order):
        purse = plan.purses[place]
        lots.paid[:, slot] = people.bought[who] * purse.paid_points
        lots.premium[:, slot] = people.bought[who] * purse.premium_points
        _tell(lots, slot, people.bought_at[who], place, purse)
    widest = order[-1]
    lots.premium[:, -1] = people.granted[who]
    _tell(lots, slots - 1, people.granted_at[who], widest, plan.purses[widest])
    lots.usable_from = np.maximum(lots.issued_at, day_of(plan, plan.use_from) * DAY_SECONDS)
    _older_first(lots)
    return lots


def _tell(lots: Lots, slot: int, issued_at: Ints, place: int, purse: Purse) -> None:
    lots.issued_at[:, slot] = issued_at
    lots.purse[:, slot] = place
    lots.takes_large[:, slot] = takes_large(purse)


def _older_first(lots: Lots) -> None:
    """The last two slots hold the same purse: whoever was given points before they bought spends those first."""
    swap = np.flatnonzero(lots.issued_at[:, -1] < lots.issued_at[:, -2])
    for columns in (lots.paid, lots.premium, lots.issued_at, lots.usable_from):
        columns[swap, -2], columns[swap, -1] = columns[swap, -1].copy(), columns[swap, -2].copy()
