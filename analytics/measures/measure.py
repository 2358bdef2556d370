"""What a measure is: which rows it is made of, what they amount to, by what it may be divided, who may see it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from services.kit.errors import Refusal

SMALLEST_CELL: Final = 10
"""Residents in a cell that may be published (guidance on small cells; see `docs/insight.md`)."""


class Unit(StrEnum):
    """Of a value: whole yen or a whole number in `int64`; an average of yen or a share (0 to 1) in `float64`."""

    YEN = "yen"
    COUNT = "count"
    AVERAGE_YEN = "average_yen"
    SHARE = "share"

    @property
    def whole(self) -> bool:
        return self in (Unit.YEN, Unit.COUNT)


class Audience(StrEnum):
    """Who may see a measure: the city's staff as it is; a store its own part; everyone, but only when protected."""

    CITY = "city"
    STORE = "store"
    PUBLIC = "public"


class How(StrEnum):
    """What the rows of a cell amount to. Each fact (`analytics.measures.facts`) gives `plus`, `over` and `counted`."""

    SUM = "sum"
    """Σ plus."""
    SHARE = "share"
    """Σ plus / Σ over."""
    COUNTED = "counted"
    """Distinct `counted`."""
    AVERAGE = "average"
    """Σ plus / distinct `counted`."""
    RESIDENTS = "residents"
    """Distinct residents."""
    STORES = "stores"
    """Distinct stores."""
    REPEATED = "repeated"
    """Share of residents with two or more distinct `counted`."""
    GINI = "gini"
    """Gini coefficient of Σ plus over stores, a store below zero counted as zero."""
    TOP_TENTH = "top_tenth"
    """Share of the largest tenth of stores (rounded up) in Σ plus, a store below zero counted as zero."""
    STOCK = "stock"
    """Σ plus of everything up to the end of the period."""
    STOCK_SHARE = "stock_share"
    """Σ plus / Σ over of everything up to the end of the period."""

    @property
    def of_stock(self) -> bool:
        return self in (How.STOCK, How.STOCK_SHARE)


class MeasureUnknown(Refusal):
    """No measure of this name: `measure`."""

    code: ClassVar[str] = "measure_unknown"


class DimensionUnknown(Refusal):
    """A measure is not divided or filtered by this: `measure`, `dimension`."""

    code: ClassVar[str] = "dimension_unknown"


@dataclass(frozen=True)
class Measure:
    """One measure. Words for people: locales `measure.<name>`, and `dimension.<name>` for its dimensions.

    `fact` names the rows (`analytics.measures.facts.FACTS`); `minimum_cell` is in residents.
    """

    name: str
    unit: Unit
    fact: str
    how: How
    dimensions: tuple[str, ...]
    minimum_cell: int = SMALLEST_CELL
    audience: tuple[Audience, ...] = (Audience.CITY, Audience.STORE, Audience.PUBLIC)
