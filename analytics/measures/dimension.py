"""The words by which a figure may be divided and filtered, and how each is read off a row."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Final

from analytics.words import WORDS
from services.kit.errors import Refusal


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
    """One dimension; `read` takes the table where it is found (a row's, a resident's or a store's).

    `can_be` says of a value of the right type whether a row could have it.
    """

    name: str
    values: Values
    of: Of
    read: Callable[[Any], Any]
    can_be: Callable[[Any], bool] = bool

    def value(self, said: str) -> str | int | date:
        """A filter's value out of its text, as an answer writes it. Raises FilterUnfit, also for a value that no row
        can have: an hour of 24, a week that begins on a Tuesday, a category of another name would be zero yen."""
        try:
            value: str | int | date = said
            if self.values is Values.INTEGER:
                value = int(said)
            elif self.values is Values.DAY:
                value = date.fromisoformat(said)
        except ValueError:
            raise FilterUnfit(dimension=self.name) from None
        if str(value) != said or not self.can_be(value):
            raise FilterUnfit(dimension=self.name)
        return value


def _column(name: str) -> Callable[[Any], Any]:
    return lambda table: table[name]


def _one_of(values: Container[Any]) -> Callable[[Any], bool]:
    return lambda value: value in values


def _word_of(column: str) -> Callable[[Any], bool]:
    """One of the column's words; any text that is not empty where it has none."""
    return _one_of(WORDS[column]) if column in WORDS else bool


def _dimensions() -> tuple[Dimension, ...]:
    def row(name: str) -> Dimension:
        return Dimension(name, Values.TEXT, Of.ROW, _column(name), _word_of(name))

    def store(name: str) -> Dimension:
        return Dimension(name, Values.TEXT, Of.STORE, _column(name), _word_of(name))

    def weekday(table: Any) -> Any:
        return table["day"].day_of_week.index().cast("int64")

    return (
        Dimension("day", Values.DAY, Of.ROW, lambda table: table["day"]),
        Dimension("week", Values.DAY, Of.ROW, lambda table: table["day"].truncate("W"), lambda day: day.weekday() == 0),
        Dimension("month", Values.DAY, Of.ROW, lambda table: table["day"].truncate("M"), lambda day: day.day == 1),
        Dimension("hour", Values.INTEGER, Of.ROW, lambda table: table["at"].hour().cast("int64"), _one_of(range(24))),
        Dimension("weekday", Values.INTEGER, Of.ROW, weekday, _one_of(range(7))),
        *(row(name) for name in ("programme", "purse", "mode", "kind", "origin", "draw", "stratum", "coupon")),
        row("store"),
        *(store(name) for name in ("merchant", "category", "district", "store_class")),
        Dimension("age_band", Values.TEXT, Of.RESIDENT, _column("age_band"), _word_of("age_band")),
        Dimension("home_district", Values.TEXT, Of.RESIDENT, _column("district")),
    )


DIMENSIONS: Final[Mapping[str, Dimension]] = {each.name: each for each in _dimensions()}
"""`week` is its Monday, `month` its first day, `weekday` 0 for Monday to 6; `district`, `category` and
`store_class` are the store's on the day of the payment, `home_district` and `age_band` the resident's."""

PERIODS: Final = ("day", "week", "month")
"""Dimensions along which a stock (what there is at the end of a period) runs on."""
