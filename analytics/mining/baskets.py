"""Baskets of stores: which stores the same people use.

Law: a pair that meets a threshold exactly is in the answer. Counts are integers and thresholds rationals, and
both are compared as integers; mlxtend only proposes the sets, with a threshold half a basket lower, because
its own comparisons are in floating point and drop exact ties.
"""

from fractions import Fraction
from itertools import combinations
from math import ceil
from typing import Any, Final

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import fpgrowth
from scipy import sparse

from analytics.frames import SPENDING, Column, Dtype, Frame, FrameUnfit
from analytics.mining.engine import query, shaped
from analytics.mining.refusals import OutOfRange
from analytics.mining.thresholds import share_of, whole_of
from analytics.mining.visits import visits

PAIRS: Final = Frame(
    "store_pairs",
    "two stores that share a basket",
    (
        Column("store", Dtype.TEXT, "the one whose code comes first"),
        Column("other", Dtype.TEXT, "the other"),
        Column("baskets", Dtype.INTEGER, "baskets that hold both"),
        Column("store_baskets", Dtype.INTEGER, "baskets that hold `store`"),
        Column("other_baskets", Dtype.INTEGER, "baskets that hold `other`"),
        Column("all_baskets", Dtype.INTEGER, "baskets"),
        Column("lift", Dtype.REAL, "how many times more baskets hold both than if the two had nothing to do"),
    ),
    ("store", "other"),
)

RULES: Final = Frame(
    "basket_rules",
    "a rule: who uses these stores uses that one",
    (
        Column("stores", Dtype.TEXT, "the stores that are given, in order of code, separated by a space"),
        Column("other", Dtype.TEXT, "the store that follows"),
        Column("baskets", Dtype.INTEGER, "baskets that hold all of them"),
        Column("given_baskets", Dtype.INTEGER, "baskets that hold the given ones"),
        Column("other_baskets", Dtype.INTEGER, "baskets that hold the other"),
        Column("all_baskets", Dtype.INTEGER, "baskets"),
        Column("support", Dtype.REAL, "baskets / all_baskets"),
        Column("confidence", Dtype.REAL, "baskets / given_baskets"),
        Column("lift", Dtype.REAL, "confidence / (other_baskets / all_baskets)"),
    ),
    ("stores", "other"),
)

BASKETS: Final = ("resident", "resident_month", "resident_day")
"""What one basket is: all stores that a resident has a visit in, ever, in a calendar month, or on a civil day."""

_CONTENT: Final = """
with content as (
  select distinct resident, store,
         case ? when 'resident' then 0 when 'resident_month' then year(day) * 12 + month(day)
                else date_diff('day', date '2000-01-01', day::date) end as part
  from visits
), numbered as (select dense_rank() over (order by resident, part) - 1 as basket, store from content)
select basket, store from numbered
"""


def store_pairs(spending: pd.DataFrame, basket: str = "resident", minimum_baskets: int = 1) -> pd.DataFrame:
    """Every pair of stores that share at least `minimum_baskets` baskets (PAIRS), by codes; all counts are exact.

    Raises FrameUnfit, and OutOfRange for a `basket` that is none of BASKETS or a minimum below 1.
    """
    if not minimum_baskets >= 1:  # NaN is at least nothing
        raise OutOfRange(name="minimum_baskets", value=minimum_baskets, least=1, most="")
    table, stores = _table(spending, basket)
    together = sparse.triu(table.T @ table, k=1).tocoo()
    enough = together.data >= minimum_baskets
    rows, columns, both = together.row[enough], together.col[enough], together.data[enough]
    single = np.asarray(table.sum(axis=0)).ravel()
    number = table.shape[0]
    pairs = pd.DataFrame(
        {
            "store": stores[rows],
            "other": stores[columns],
            "baskets": both,
            "store_baskets": single[rows],
            "other_baskets": single[columns],
            "all_baskets": number,
            "lift": both * float(number) / (single[rows].astype("float64") * single[columns]),
        }
    )
    return shaped(PAIRS, pairs)


def basket_rules(
    spending: pd.DataFrame,
    minimum_support: Fraction,
    minimum_confidence: Fraction,
    basket: str = "resident",
    largest: int = 3,
) -> pd.DataFrame:
    """Association rules with one store to the right (RULES), by stores and other.

    A rule is in the answer when baskets / all_baskets >= minimum_support and baskets / given_baskets >=
    minimum_confidence, with equality, exactly; sets hold at most `largest` stores. A float for a threshold is
    taken for the decimal number that it prints as: 0.1 is one tenth.

    Raises FrameUnfit, also where codes with spaces make two sets of stores read alike, and OutOfRange for a threshold
    outside (0, 1], an unknown basket, sets of less than 2 or more than 5 stores.
    """
    support = share_of("minimum_support", minimum_support)
    confidence = share_of("minimum_confidence", minimum_confidence)
    largest = whole_of("largest", largest, 2, 5)
    table, stores = _table(spending, basket)
    if table.shape[0] == 0:
        return RULES.empty()
    counts = _frequent(table, ceil(support * table.shape[0]), largest)
    found = [
        (" ".join(stores[list(given)]), stores[other], both, counts[given], counts[(other,)])
        for members, both in counts.items()
        if len(members) > 1
        for given, other in _sides(members)
        if both * confidence.denominator >= confidence.numerator * counts[given]
    ]
    rules = pd.DataFrame(found, columns=["stores", "other", "baskets", "given_baskets", "other_baskets"])
    if rules.duplicated(["stores", "other"]).any():
        raise FrameUnfit(frame=SPENDING.name, column="store", problem="read_alike")
    rules = rules.astype({"baskets": "int64", "given_baskets": "int64", "other_baskets": "int64"})
    rules["all_baskets"] = table.shape[0]
    rules["support"] = rules["baskets"] / rules["all_baskets"]
    rules["confidence"] = rules["baskets"] / rules["given_baskets"]
    rules["lift"] = rules["confidence"] * rules["all_baskets"] / rules["other_baskets"]
    return shaped(RULES, rules)


def _table(spending: pd.DataFrame, basket: str) -> tuple[Any, "np.ndarray[Any, Any]"]:
    """Baskets by stores as a sparse matrix of ones (int64), and the stores' codes in order."""
    if basket not in BASKETS:
        raise OutOfRange(name="basket", value=basket, least=BASKETS[0], most=BASKETS[-1])
    content = query(_CONTENT, basket, visits=visits(spending)[["resident", "store", "day"]])
    codes, stores = pd.factorize(content["store"], sort=True)
    baskets = content["basket"].to_numpy(dtype="int64")
    shape = (int(baskets.max()) + 1 if len(baskets) else 0, len(stores))
    ones = np.ones(len(baskets), dtype="int64")
    return sparse.csr_matrix((ones, (baskets, codes)), shape=shape), np.asarray(stores, dtype="object")


def _frequent(table: Any, least: int, largest: int) -> dict[tuple[int, ...], int]:
    """Sets of at most `largest` columns that at least `least` rows hold, with how many do."""
    number = table.shape[0]
    kept = np.flatnonzero(np.asarray(table.sum(axis=0)).ravel() >= least)
    if not len(kept):
        return {}
    accessor: Any = pd.DataFrame.sparse
    frame = accessor.from_spmatrix(table[:, kept].astype("bool"))
    proposed = fpgrowth(frame, min_support=(least - 0.5) / number, max_len=largest)
    counts = {
        tuple(sorted(int(kept[place]) for place in members)): round(share * number)
        for share, members in zip(proposed["support"], proposed["itemsets"], strict=True)
    }
    return {members: count for members, count in counts.items() if count >= least}


def _sides(members: tuple[int, ...]) -> list[tuple[tuple[int, ...], int]]:
    """Each member once to the right, the others to the left."""
    return [(given, next(iter(set(members) - set(given)))) for given in combinations(members, len(members) - 1)]
