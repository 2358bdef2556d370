"""A store's own figures beside the median of stores like it.

Law: no median is told over fewer than `least` stores, of as many different merchants, none of them the asking
one's. The nearest likeness that reaches this number is taken, and named. A merchant with many stores counts once,
and a size is a band that is the same for whoever asks, so that neither a chain nor a size that was made up for the
purpose says whose figure the median is (decision 0117).
"""

from typing import Any, Final

import pandas as pd

from analytics.frames import STORES, Column, Dtype, Frame
from analytics.mining.civil import civil_day
from analytics.mining.engine import query, shaped
from analytics.mining.refusals import OutOfRange, StoreUnknown, TooFewSimilar, WindowEmpty
from analytics.mining.visits import visits

BENCHMARKS: Final = Frame(
    "benchmarks",
    "a figure",
    (
        Column("figure", Dtype.TEXT, "one of FIGURES; locales `figure.<figure>`"),
        Column("own", Dtype.REAL, "the store's; NaN where it has no visit to divide by", nullable=True),
        Column("median", Dtype.REAL, "the median of the similar stores'"),
        Column("similar", Dtype.INTEGER, "how many they are"),
        Column("likeness", Dtype.TEXT, "what they have in common, one of LIKENESSES; locales `likeness.<likeness>`"),
    ),
    ("figure",),
)

FIGURES: Final = ("net_yen", "visits", "customers", "yen_per_visit", "visits_per_customer", "repeat_share")
LIKENESSES: Final = {
    "category_class_district_size": ("category", "store_class", "district", "size"),
    "category_class_size": ("category", "store_class", "size"),
    "category_class": ("category", "store_class"),
    "category": ("category",),
}
"""From the nearest to the farthest. Size: the visits lie between the same two powers of four."""

LEAST_SIMILAR: Final = 5

_FIGURES: Final = """
with customers as (
  select store, resident, count(*) as visits, sum(net_yen) as net_yen, count(distinct day) > 1 as repeats
  from visits where day between ? and ? group by store, resident
)
select store, sum(net_yen)::double as net_yen, sum(visits)::double as visits, count(*)::double as customers,
       sum(net_yen) / sum(visits) as yen_per_visit, sum(visits) / count(*) as visits_per_customer,
       count(*) filter (where repeats) / count(*) as repeat_share
from customers group by store
"""


def benchmarks(
    spending: pd.DataFrame,
    stores: pd.DataFrame,
    store: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    least: int = LEAST_SIMILAR,
) -> pd.DataFrame:
    """The store's figures from civil day `first` to `last` beside the medians (BENCHMARKS), by figure.

    Similar are stores of other merchants with a visit in that time, alike in the first of LIKENESSES under
    which at least `least` merchants are found. What a store is, is its row of the last day of the time (or the
    latest before it); a store without a visit has zeros, and no size to be compared by. The median of an odd
    number of stores is one store's figure, though nobody is told whose.

    Raises FrameUnfit, DayUnknown, WindowEmpty, OutOfRange for `least` below 3, StoreUnknown, TooFewSimilar.
    """
    first, last = civil_day(first), civil_day(last)
    if last < first:
        raise WindowEmpty(first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}")
    if least < 3:
        raise OutOfRange(name="least", value=least, least=3, most="")
    described = STORES.sound(stores)
    described = described[described["from_day"] <= last].sort_values("from_day").groupby("store").last()
    if store not in described.index:
        raise StoreUnknown()
    figures = query(_FIGURES, first, last, visits=visits(spending)[["store", "resident", "day", "net_yen"]])
    own = figures.set_index("store").reindex([store]).iloc[0]
    counts = list(FIGURES[:3])
    own[counts] = own[counts].fillna(0.0)
    active = figures.merge(described, left_on="store", right_index=True)
    likeness, similar = similar_stores(active, described.loc[store], float(own["visits"]), least)
    rows = {
        "figure": list(FIGURES),
        "own": [own[figure] for figure in FIGURES],
        "median": [median_of(similar, figure) for figure in FIGURES],
        "similar": len(similar),
        "likeness": likeness,
    }
    return shaped(BENCHMARKS, pd.DataFrame(rows))


def median_of(similar: pd.DataFrame, figure: str) -> float:
    """The median of a figure over merchants, each with the median of its own stores among these."""
    return float(similar.groupby("merchant")[figure].median().median())


def size_of(visits: float) -> int:
    """The band of a store by its visits: 0 for 1 to 3, 1 for 4 to 15, 2 for 16 to 63, …; -1 for none."""
    return (int(visits).bit_length() + 1) // 2 - 1


def similar_stores(active: pd.DataFrame, mine: Any, visited: float, least: int) -> tuple[str, pd.DataFrame]:
    """The nearest likeness to `mine` under which at least `least` other merchants are, and the stores.

    `active` are stores with what they are and their `visits`; `visited` are `mine`'s. Raises TooFewSimilar.
    """
    others = active[active["merchant"] != mine["merchant"]]
    merchants = 0
    for likeness, traits in LIKENESSES.items():
        alike = others
        for trait in traits:
            if trait == "size":
                alike = alike[alike["visits"].map(size_of) == size_of(visited)]
            else:
                alike = alike[alike[trait] == mine[trait]]
        merchants = alike["merchant"].nunique()
        if merchants >= least:
            return likeness, alike
    raise TooFewSimilar(found=merchants, needed=least)
