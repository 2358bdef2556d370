"""The data of a chart: tidy rows with declared columns, and the table and the CSV that say the same.

Law: a figure is written once. The chart, its table, the CSV and the sheet of the workbook read the same rows,
so none of them can differ from another by a yen. Words are the caller's: `say(key, **params)` is
`locales.text` of one language, and no text stands in this package.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

import pandas as pd

from analytics.frames import UNKNOWN, Column, Dtype, Frame
from analytics.sheet_text import neutral

OTHERS: Final = "others"
"""The value of a text column in a row that sums what the rows above it left out."""

ALL: Final = "all"
"""The value of a text column where the rows are not divided by it."""

_SPECIAL: Final = (UNKNOWN, OTHERS, ALL)

Cell = str | int | float | pd.Timestamp


class Say(Protocol):
    """The text of a key in one language, its places filled."""

    def __call__(self, key: str, /, **params: object) -> str: ...


class Kind(Enum):
    """What a column holds, and with it how pandas keeps it and how people read it."""

    NAME = "name"
    """A name or a code that is the same in every language, apart from `unknown` and `others`."""
    WORD = "word"
    """A code that has a word under `insight.<column>.<code>`."""
    YEN = "yen"
    COUNT = "count"
    HOUR = "hour"
    SHARE = "share"
    """From 0 to 1; people read a percentage."""
    DAY = "day"
    MONTH = "month"
    """The first day of the month."""

    @property
    def dtype(self) -> Dtype:
        """As what pandas holds it."""
        if self in {Kind.NAME, Kind.WORD}:
            return Dtype.TEXT
        if self in {Kind.DAY, Kind.MONTH}:
            return Dtype.DAY
        return Dtype.REAL if self is Kind.SHARE else Dtype.INTEGER

    @property
    def is_number(self) -> bool:
        return self.dtype in {Dtype.INTEGER, Dtype.REAL}


_FORMS: Final[Mapping[Kind, str]] = {
    Kind.YEN: "{:,}",
    Kind.COUNT: "{:,}",
    Kind.SHARE: "{:.1%}",
    Kind.DAY: "{:%Y-%m-%d}",
    Kind.MONTH: "{:%Y-%m}",
}

Called = Mapping[str, Mapping[str, str]]
"""By column, what its values are called where people read them; a value that is missing stands for itself."""


@dataclass(frozen=True)
class Field:
    """A column of a chart's data. Its heading is the text `insight.column.<name>`.

    `adds`: the rows' values together are a figure too, which a sheet may total.
    """

    name: str
    kind: Kind
    meaning: str
    allowed: tuple[str, ...] = ()
    adds: bool = False

    def head(self, say: Say) -> str:
        return say(f"insight.column.{self.name}")

    def word(self, value: Any, say: Say) -> str:
        """A value as people read it where it stands in a line of text, not in a column of numbers."""
        if self.kind is Kind.WORD:
            return say(f"insight.{self.name}.{value}")
        if self.kind is Kind.NAME:
            return say(f"insight.value.{value}") if value in _SPECIAL else str(value)
        if self.kind is Kind.HOUR:
            return say("insight.hour", hour=int(value))
        return _FORMS[self.kind].format(value)


@dataclass(frozen=True)
class Table:
    """The rows of a chart for people: headings in their language, numbers as numbers."""

    fields: tuple[Field, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def written(self, say: Say) -> tuple[tuple[str, ...], ...]:
        """Every cell as text; words are words already."""
        return tuple(
            tuple(
                cell if isinstance(cell, str) else field.word(cell, say)
                for field, cell in zip(self.fields, row, strict=True)
            )
            for row in self.rows
        )

    def csv(self) -> str:
        """RFC 4180 with a heading; days as 2026-04-01, shares from 0 to 1, and no text that a sheet would run."""
        into = io.StringIO()
        writer = csv.writer(into)
        writer.writerow([neutral(head) for head in self.heads])
        for row in self.rows:
            writer.writerow([_plain(field, cell) for field, cell in zip(self.fields, row, strict=True)])
        return into.getvalue()


def frame_of(name: str, grain: str, fields: tuple[Field, ...], key: tuple[str, ...]) -> Frame:
    """The declaration of a chart's data as a frame, which checks what it is given."""
    columns = (Column(f.name, f.kind.dtype, f.meaning, allowed=f.allowed) for f in fields)
    return Frame(name, grain, tuple(columns), key)


def table_of(data: pd.DataFrame, fields: tuple[Field, ...], say: Say, called: Called) -> Table:
    """The table of rows that conform: codes become words, numbers stay what they are."""
    columns = [[_cell(field, value, say, called) for value in data[field.name]] for field in fields]
    return Table(fields, tuple(field.head(say) for field in fields), tuple(zip(*columns, strict=True)))


def records_of(data: pd.DataFrame, fields: tuple[Field, ...], say: Say, called: Called) -> list[Mapping[str, Any]]:
    """The rows for a chart's specification: JSON values, words in place of codes, days as 2026-04-01."""
    columns = [[_json(field, value, say, called) for value in data[field.name]] for field in fields]
    names = [field.name for field in fields]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _cell(field: Field, value: Any, say: Say, called: Called) -> Cell:
    if field.kind.dtype is Dtype.TEXT:
        return called.get(field.name, {}).get(value) or field.word(value, say)
    if field.kind.dtype is Dtype.DAY:
        return pd.Timestamp(value)
    return float(value) if field.kind is Kind.SHARE else int(value)


def _json(field: Field, value: Any, say: Say, called: Called) -> Any:
    cell = _cell(field, value, say, called)
    return f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else cell


def _plain(field: Field, cell: Cell) -> str:
    if isinstance(cell, pd.Timestamp):
        return f"{cell:%Y-%m}" if field.kind is Kind.MONTH else f"{cell:%Y-%m-%d}"
    return neutral(cell) if isinstance(cell, str) else repr(cell)
