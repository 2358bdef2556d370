"""How much of every lot was left at the end of a day.

Spending names the purse, not the lot. A wallet spends what expires first, then what is oldest, and refunds go back
the same way (docs/algorithms/allocation.md), so what a person spent of a purse up to a day, net, has emptied that
person's lots in this order. Lots that expired took what was left in them along.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.evaluation.estimates import NotEstimable
from analytics.frames import EXPIRIES, LOTS, SPENDING
from analytics.mining import civil

Whole = npt.NDArray[np.int64]
WALLET = ["resident", "programme", "purse"]
FAR = 10_000_000
"""More days than any calendar here has, before 1970 and after; keeps wallet and day apart in one sortable number."""


def in_order(lots: pd.DataFrame) -> pd.DataFrame:
    """The lots in the order in which wallets spend them: `LOTS` with `size` and what lies `before` in the wallet (yen).

    Also `issued` and `last` (days since 1970): the civil day of issue and the last one on which the lot pays.
    """
    ordered = LOTS.conform(lots).sort_values([*WALLET, "expires_at", "at", "lot"], ignore_index=True)
    size = ordered["paid_yen"] + ordered["premium_yen"]
    last = (ordered["expires_at"] - pd.Timedelta(microseconds=1)).dt.tz_localize(None)
    return ordered.assign(
        size=size,
        before=size.groupby([ordered[name] for name in WALLET]).cumsum() - size,
        issued=days_of(ordered["day"]),
        last=days_of(last),
    )


def civil_day(as_of: date) -> pd.Timestamp:
    """The civil day of a date or a time (`analytics.mining.civil`). Raises NotEstimable for none."""
    if pd.isna(as_of):
        raise NotEstimable(what="forecast", reason="no_day")
    return civil.civil_day(as_of)


def days_of(values: "pd.Series[pd.Timestamp]") -> Whole:
    """Civil dates as whole days since 1970."""
    return values.to_numpy().astype("datetime64[D]").astype(np.int64)


class Wallets:
    """What was taken from the wallets of some lots, day by day; many days can be asked of it.

    `ordered` are lots of `in_order`; `spending` and `expiries` the declared frames.
    """

    def __init__(self, ordered: pd.DataFrame, spending: pd.DataFrame, expiries: pd.DataFrame) -> None:
        spent = SPENDING.conform(spending)[[*WALLET, "day", "amount_yen"]]
        lost = EXPIRIES.conform(expiries)
        lost_yen = (lost["paid_yen"] + lost["premium_yen"]).rename("amount_yen")
        gone = pd.concat([spent, lost[[*WALLET, "day"]].join(lost_yen)])
        wallets = pd.MultiIndex.from_frame(ordered[WALLET]).unique()
        told = wallets.get_indexer(pd.MultiIndex.from_frame(gone[WALLET])).astype(np.int64)
        known = told >= 0
        key = told[known] * 2 * FAR + days_of(gone["day"])[known]
        order = np.argsort(key, kind="stable")
        self._key = key[order]
        self._sums = np.concatenate([[0], np.cumsum(gone["amount_yen"].to_numpy()[known][order])])
        self._wallet = wallets.get_indexer(pd.MultiIndex.from_frame(ordered[WALLET])).astype(np.int64)
        self._size, self._before, self._issued = (ordered[name].to_numpy() for name in ("size", "before", "issued"))
        by_lot = lost_yen.groupby(lost["lot"]).sum()
        when = pd.Series(days_of(lost["day"]), index=lost["lot"]).groupby(level=0).max()
        self._lost_on = ordered["lot"].map(when).fillna(FAR).to_numpy()
        self._lost = ordered["lot"].map(by_lot).fillna(0).to_numpy()

    def unused(self, on: Whole) -> Whole:
        """Yen left in each lot at the end of its own day `on` (days since 1970), before it expires.

        Of a lot that had expired by then: what it lost. 0 for a lot that was not yet issued.
        """
        until = np.searchsorted(self._key, self._wallet * 2 * FAR + on, side="right")
        since = np.searchsorted(self._key, (self._wallet * 2 - 1) * FAR, side="left")
        emptied = np.clip(self._sums[until] - self._sums[since] - self._before, 0, self._size)
        own = np.where(self._lost_on <= on, self._lost, 0)
        left = np.clip(self._size - emptied + own, 0, self._size)
        return np.where(self._issued <= on, left, 0).astype(np.int64)
