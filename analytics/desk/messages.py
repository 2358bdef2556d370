"""What a server asks the process beside it, and what that answers: one JSON object a line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

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
class Refused:
    """A refusal's code and parameters."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One of the two."""

    answered: Answered | None = None
    refused: Refused | None = None


def line_of(message: Asked | Reply) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def finite(value: float) -> int | float | None:
    """A value as JSON can say it: a share without a divisor is none."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
