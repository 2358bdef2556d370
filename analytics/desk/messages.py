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
    last: date
    title: str
    says: str
    spec: Mapping[str, Any]
    columns: Sequence[ChartColumn]
    rows: Sequence[Sequence[str | int | float]]
    csv: str


@dataclass(frozen=True)
class Order:
    """What a line asks: one of the two."""

    asked: Asked | None = None
    chart: ChartQuestion | None = None


@dataclass(frozen=True)
class Refused:
    """A refusal's code and parameters."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One of the three."""

    answered: Answered | None = None
    drawn: Drawn | None = None
    refused: Refused | None = None


def line_of(message: Order | Reply) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def finite(value: float) -> int | float | None:
    """A value as JSON can say it: a share without a divisor is none."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
