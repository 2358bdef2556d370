"""What is taken back of payments, and when it may be. See docs/algorithms/synthetic-city.md, "Mishaps"."""

from dataclasses import replace

import numpy as np

from analytics.synthetic.calendar import DAY_SECONDS
from analytics.synthetic.deeds import CANCEL, CPM, PAY, REFUND, payments
from analytics.synthetic.mishaps import with_mishaps
from analytics.synthetic.people import day_of
from tests.factories.cities import SMALL

MIDNIGHT = DAY_SECONDS * day_of(SMALL, SMALL.use_to)
"""Of the last day of use."""


def _all_wrong(seconds: int) -> np.ndarray:
    """The kinds and instants of what follows when every payment at this second is cancelled or brought back."""
    plan = replace(SMALL, cancelled=0.5, refunded=0.5)
    who = np.arange(200)
    deeds = payments(who, np.full(200, seconds), who % 5, np.full(200, 900), np.full(200, CPM))
    after = with_mishaps(plan, np.random.default_rng(1), deeds)
    return np.stack([after.kind, after.at])


def test_a_cancel_never_falls_on_the_next_day() -> None:
    """A minute before midnight nothing is cancelled any more; at noon it is, on the same day."""
    late = _all_wrong(MIDNIGHT + DAY_SECONDS - 60)
    assert not (late[0] == CANCEL).any()
    kind, at = _all_wrong(MIDNIGHT + DAY_SECONDS // 2)
    assert (at[kind == CANCEL] < MIDNIGHT + DAY_SECONDS).all()
    assert (kind == CANCEL).sum() > 50


def test_nothing_is_brought_back_after_the_period_of_use() -> None:
    noon = MIDNIGHT + DAY_SECONDS // 2
    assert not (_all_wrong(noon)[0] == REFUND).any()
    kind, at = _all_wrong(noon - 3 * DAY_SECONDS)
    assert (kind == REFUND).any()
    assert (at[kind == REFUND] < MIDNIGHT + DAY_SECONDS).all()
    assert (at[kind == PAY] < MIDNIGHT + DAY_SECONDS).all()
