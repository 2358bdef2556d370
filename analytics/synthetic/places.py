"""Districts and stores, and how people choose among them: popularity, own district, distance."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from analytics.frames import STORES
from analytics.synthetic.calendar import Floats, Ints, Steps
from analytics.synthetic.plan import CityPlan
from services.kit.store_class import StoreClass

CHAIN_EVERY = 4
FIRST_STORE, FIRST_MERCHANT = 100_001, 200_001
OPEN_BEFORE = timedelta(days=60)


@dataclass(frozen=True)
class Places:
    """The stores, by index: trade, district, popularity within the trade, and public code."""

    trade: Ints
    district: Ints
    weight: Floats
    """Popularity; the weights of one trade sum to one."""
    large: np.ndarray
    codes: np.ndarray
    frame: pd.DataFrame
    kernel: Floats
    """Home district × store district: how much distance leaves of a store's pull."""
    steps: Steps

    def choose(self, trades: Ints, homes: Ints, quantiles: Floats) -> Ints:
        """A store for each visit, by what is bought and where the visitor lives."""
        group = trades * len(self.kernel) + homes
        inside = self.steps.draw(group, quantiles)
        store: Ints = np.searchsorted(self.trade, trades) + inside
        return store

    def pull(self, trade: int, home: int) -> Floats:
        """The chances of every store for a visitor from `home` who buys in this trade; they sum to one."""
        pull = np.where(self.trade == trade, self.weight * self.kernel[home, self.district], 0.0)
        share: Floats = pull / pull.sum()
        return share


def build_places(plan: CityPlan, rng: np.random.Generator) -> Places:
    """Stores in the quota of their trades, each trade with a Zipf law of its own, in drawn districts."""
    counts = _counts(plan)
    trade = np.repeat(np.arange(len(counts)), counts)
    weight = np.concatenate([_zipf(count, plan.zipf) for count in counts])
    shares = np.array([district.stores for district in plan.districts])
    district = rng.choice(len(shares), len(trade), p=shares / shares.sum())
    kernel = _kernel(plan)
    cumulatives = [
        np.cumsum(weight[trade == kind] * kernel[home, district[trade == kind]])
        for kind in range(len(counts))
        for home in range(len(kernel))
    ]
    codes = np.array([str(FIRST_STORE + index) for index in rng.permutation(len(trade))], dtype=object)
    large = np.array([plan.trades[kind].store_class is StoreClass.LARGE for kind in trade])
    frame = _frame(plan, trade, district, codes)
    return Places(trade, district, weight, large, codes, frame, kernel, Steps(cumulatives))


def _counts(plan: CityPlan) -> Ints:
    """Stores of each trade: in proportion, at least one, the odd ones where most are missing."""
    wanted = np.array([trade.of_stores for trade in plan.trades])
    wanted = wanted / wanted.sum() * plan.stores
    counts: Ints = np.maximum(np.floor(wanted), 1).astype(np.int64)
    while counts.sum() < plan.stores:
        counts[np.argmax(wanted - counts)] += 1
    while counts.sum() > plan.stores:
        counts[np.argmax(np.where(counts > 1, counts - wanted, -np.inf))] -= 1
    return counts


def _zipf(count: int, exponent: float) -> Floats:
    weights: Floats = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    share: Floats = weights / weights.sum()
    return share


def _kernel(plan: CityPlan) -> Floats:
    x = np.array([district.x_km for district in plan.districts])
    y = np.array([district.y_km for district in plan.districts])
    kilometres = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    kernel: Floats = np.exp(-kilometres / plan.distance_km) * np.where(np.eye(len(x)) > 0, plan.own_district, 1.0)
    return kernel


def _frame(plan: CityPlan, trade: Ints, district: Ints, codes: np.ndarray) -> pd.DataFrame:
    count = len(trade)
    # Every fourth merchant keeps two stores that stand next to each other in the list.
    turns = np.arange(count)
    merchants = turns - (turns + CHAIN_EVERY) // (CHAIN_EVERY + 1)
    opened = pd.Timestamp(plan.sale_from - OPEN_BEFORE)
    frame = pd.DataFrame(
        {
            "store": codes,
            "from_day": opened,
            "to_day": pd.NaT,
            "store_class": [plan.trades[kind].store_class.value for kind in trade],
            "category": [plan.trades[kind].category for kind in trade],
            "district": [plan.districts[place].name for place in district],
            "merchant": [str(FIRST_MERCHANT + number) for number in merchants],
        }
    )
    return _sold_on(plan, frame).astype({column.name: column.dtype.value for column in STORES.columns})


def _sold_on(plan: CityPlan, frame: pd.DataFrame) -> pd.DataFrame:
    """The last stores of the list change hands in the middle of the period of use: two rows, one seam."""
    changed = frame.tail(min(plan.sold_on, len(frame)))
    if changed.empty:
        return frame
    seam = pd.Timestamp(plan.use_from + timedelta(days=plan.use_days // 2))
    frame = frame.astype({"to_day": "datetime64[us]"})
    frame.loc[changed.index, "to_day"] = seam
    after = changed.assign(
        from_day=seam, merchant=[str(FIRST_MERCHANT + len(frame) + place) for place in range(len(changed))]
    )
    return pd.concat([frame, after.astype({"to_day": "datetime64[us]"})], ignore_index=True)
