"""The words by which a figure may be divided and filtered, and how each is read off a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Final

from services.kit.errors import Refusal

_BEYOND: Final = 1 << 63
"""The first whole number that a column of int64 cannot hold."""


class Values(StrEnum):
    """What a dimension's values are: text, whole numbers, or the day with which a period begins."""

    TEXT = "text"
    INTEGER = "integer"
    DAY = "day"


class FilterUnfit(Refusal):
    """A filter names a value that the dimension cannot have: `dimension`."""

    code: ClassVar[str] = "filter_unfit"


class Of(StrEnum):
    """Where a dimension is found: on the row itself, on who spent, or on the store as it was on that day."""

    ROW = "row"
    RESIDENT = "resident"
    STORE = "store"


@dataclass(frozen=True)
class Dimension:
    """One dimension; `read` takes the table where it is found (a row's, a resident's or a store's)."""

    name: str
    values: Values
    of: Of
    read: Callable[[Any], Any]

    def value(self, said: str) -> str | int | date:
        """A filter's value out of its text. Raises FilterUnfit."""
        try:
            match self.values:
                case Values.INTEGER:
                    number = int(said)
                    if not -_BEYOND <= number < _BEYOND:
                        raise FilterUnfit(dimension=self.name)
                    return number
                case Values.DAY:
                    return date.fromisoformat(said)
                case Values.TEXT:
                    return said
        except ValueError:
            raise FilterUnfit(dimension=self.name) from None


def _column(name: str) -> Callable[[Any], Any]:
    return lambda table: table[name]


def _dimensions() -> tuple[Dimension, ...]:
    def row(name: str) -> Dimension:
        return Dimension(name, Values.TEXT, Of.ROW, _column(name))

    def store(name: str) -> Dimension:
        return Dimension(name, Values.TEXT, Of.STORE, _column(name))

    return (
        Dimension("day", Values.DAY, Of.ROW, lambda table: table["day"]),
        Dimension("week", Values.DAY, Of.ROW, lambda table: table["day"].truncate("W")),
        Dimension("month", Values.DAY, Of.ROW, lambda table: table["day"].truncate("M")),
        Dimension("hour", Values.INTEGER, Of.ROW, lambda table: table["at"].hour().cast("int64")),
        Dimension("weekday", Values.INTEGER, Of.ROW, lambda table: table["day"].day_of_week.index().cast("int64")),
        *(row(name) for name in ("programme", "purse", "mode", "kind", "origin", "draw", "stratum", "coupon")),
        Dimension("store", Values.TEXT, Of.ROW, _column("store")),
        *(store(name) for name in ("merchant", "category", "district", "store_class")),
        Dimension("age_band", Values.TEXT, Of.RESIDENT, _column("age_band")),
        Dimension("home_district", Values.TEXT, Of.RESIDENT, _column("district")),
    )


DIMENSIONS: Final[Mapping[str, Dimension]] = {each.name: each for each in _dimensions()}
"""`week` is its Monday, `month` its first day, `weekday` 0 for Monday to 6; `district`, `category` and
`store_class` are the store's on the day of the payment, `home_district` and `age_band` the resident's."""

PERIODS: Final = ("day", "week", "month")
"""Dimensions along which a stock (what there is at the end of a period) runs on."""
