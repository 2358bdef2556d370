"""A store's own month beside stores like it: what it may know of itself, and nothing of any other.

Law: a median is over stores of at least `LEAST` other merchants, each with people enough to be told of at all, and
the asking merchant's stores are never among them: its own figures taken away from a median leave the whole median.
It is told to two digits and only of a month that is over. Months share no day, so none can be subtracted from
another. What says how people came back is withheld where few people paid.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from analytics.desk.messages import StoreFigure, StoreQuestion, StoreTold, finite
from analytics.disclosure.rules import Rules
from analytics.lake.lake import Source
from analytics.measures.ask import ask
from analytics.measures.question import Question
from analytics.measures.registry import MEASURES
from analytics.mining.benchmarks import LEAST_SIMILAR, median_of, similar_stores
from analytics.mining.refusals import TooFewSimilar
from services.kit.clock import civil_date

FIGURES: Final = ("sales", "payments", "average_payment", "active_residents", "repeat_share", "new_customers")
OF_PEOPLE: Final = frozenset({"active_residents", "repeat_share", "new_customers"})
LEAST: Final = max(LEAST_SIMILAR, Rules().minimum_stores)
LEAST_PEOPLE: Final = Rules().minimum_people
FEW_CUSTOMERS, FEW_SIMILAR, MONTH_OPEN = "few_customers", "few_similar", "month_open"
"""Why something is withheld; the words are `insight.own.<reason>`."""

_TOLD_DIGITS: Final = 2


def own_store(source: Source, asked: StoreQuestion) -> StoreTold:
    """The store's month. One in which it was not paid is of zeros; `asked.month` is the month's first day."""
    last = (asked.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    refreshed_at = source.refreshed_at
    if refreshed_at is None:
        raise ValueError("a source that does not know up to when it knows")
    all_stores = {name: _by_store(source, name, asked.month, last) for name in FIGURES}
    people = int(all_stores["active_residents"].get(asked.store, 0))
    is_over = last < civil_date(refreshed_at)
    likeness, medians = _medians(source, asked.store, last, all_stores) if is_over else (None, {})
    why = FEW_SIMILAR if is_over else MONTH_OPEN
    return StoreTold(
        refreshed_at,
        [(f"{key:%Y-%m-%d}", value) for key, value in _own(source, "day", asked.store, asked.month, last)],
        [(int(key), value) for key, value in _own(source, "hour", asked.store, asked.month, last)],
        [_figure(name, all_stores[name].get(asked.store), people, medians.get(name), why) for name in FIGURES],
        likeness,
        LEAST_PEOPLE,
        LEAST,
    )


def _own(source: Source, by: str, store: str, first: date, last: date) -> list[tuple[Any, int]]:
    cells = ask(source, Question("sales", (by,), {"store": (store,)}, first, last))
    return [(key, int(value)) for key, value in zip(cells[by], cells["value"], strict=True)]


def _by_store(source: Source, measure: str, first: date, last: date) -> "pd.Series[Any]":
    return ask(source, Question(measure, ("store",), first=first, last=last)).set_index("store")["value"]


def _figure(name: str, own: Any, people: int, median: int | float | None, why: str) -> StoreFigure:
    """Of nothing sold an average is none, and a sum zero."""
    whole = MEASURES[name].unit.whole
    few = name in OF_PEOPLE and 0 < people < LEAST_PEOPLE
    value = (0 if whole else None) if own is None else int(own) if whole else finite(float(own))
    return StoreFigure(
        name,
        None if few else value,
        median,
        FEW_CUSTOMERS if few else None,
        why if median is None else None,
    )


def _medians(
    source: Source, store: str, last: date, all_stores: dict[str, "pd.Series[Any]"]
) -> tuple[str | None, dict[str, int | float]]:
    """What the similar stores have in common with this one, and their medians; nothing where they are too few."""
    described = source.frame("stores")
    described = described[described["from_day"] <= pd.Timestamp(last)].sort_values("from_day").groupby("store").last()
    if store not in described.index:
        return None, {}
    table = pd.DataFrame(all_stores)
    # Not assigned afterwards: a frame that was left without a row would take on all those of the column.
    table = table.assign(visits=table["payments"])[table["active_residents"] >= LEAST_PEOPLE]
    active = table.join(described, how="inner").rename_axis("store").reset_index()
    try:
        visited = float(all_stores["payments"].get(store, 0))
        likeness, similar = similar_stores(active, described.loc[store], visited, LEAST)
    except TooFewSimilar:
        return None, {}
    return likeness, {name: rounded(median_of(similar.fillna({name: 0}), name), name) for name in FIGURES}


def rounded(value: float, measure: str) -> int | float:
    """To two digits, so that the median of an odd number of stores is no store's very figure."""
    told = Decimal(f"{value:.{_TOLD_DIGITS - 1}e}")
    return int(told) if MEASURES[measure].unit.whole else float(told)
