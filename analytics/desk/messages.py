"""What a server asks the process beside it, and what that answers: one JSON object a line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec

from analytics.charts.names import ChartQuestion
from analytics.measures.question import Question


@dataclass(frozen=True)
class Asked:
    """A question; `live` has today in it, `before` is asked of the period before as well."""

    question: Question
    live: bool = False
    before: bool = False


@dataclass(frozen=True)
class Cell:
    """One figure: `by` are the values of the question's dimensions, in its order, days as 2026-04-01.

    `value` None has nothing to divide by.
    """

    by: Sequence[str | int]
    value: int | float | None
    people: int
    stores: int
    top_store_share: float


@dataclass(frozen=True)
class Answered:
    """The cells, those of the period before, and up to which instant everything is in them."""

    refreshed_at: datetime
    cells: Sequence[Cell]
    before: Sequence[Cell] | None = None


@dataclass(frozen=True)
class ChartColumn:
    """`name` as it stands in the specification, its heading in the asked language, and what it holds."""

    name: str
    head: str
    kind: str


@dataclass(frozen=True)
class Drawn:
    """A chart with its words, and the rows that it was drawn from: for a table, and as CSV.

    `last` is the last civil day that is counted. Days in rows are text, as JSON has none.
    """

    refreshed_at: datetime
    programme: str
    programme_title: str
    last: date
    title: str
    says: str
    spec: Mapping[str, Any]
    columns: Sequence[ChartColumn]
    rows: Sequence[Sequence[str | int | float]]
    csv: str


@dataclass(frozen=True)
class StoreQuestion:
    """What a store may know of its civil month that begins with `month`; `store` is its public code."""

    store: str
    month: date


@dataclass(frozen=True)
class StoreFigure:
    """A measure of the store's beside the median of stores like it, rounded; None was withheld, and why."""

    measure: str
    own: int | float | None
    median: int | float | None
    own_withheld: str | None = None
    median_withheld: str | None = None


@dataclass(frozen=True)
class StoreTold:
    """A store's month: sales by day and by hour, its figures, what the stores beside it have in common with it.

    Figures of fewer people than `least_people` are withheld, and medians over fewer than `least_stores` merchants.
    """

    refreshed_at: datetime
    days: Sequence[tuple[str, int]]
    hours: Sequence[tuple[int, int]]
    figures: Sequence[StoreFigure]
    likeness: str | None
    least_people: int
    least_stores: int


@dataclass(frozen=True)
class Order:
    """What a line asks: one of the three."""

    asked: Asked | None = None
    chart: ChartQuestion | None = None
    store: StoreQuestion | None = None


@dataclass(frozen=True)
class Refused:
    """A refusal's code and parameters."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One of the four."""

    answered: Answered | None = None
    drawn: Drawn | None = None
    told: StoreTold | None = None
    refused: Refused | None = None


def line_of(message: Order | Reply) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def finite(value: float) -> int | float | None:
    """A value as JSON can say it: a share without a divisor is none."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
