"""Lists of values as PostgreSQL writes arrays in text: `{1,2,NULL}`.

A driver that takes a Python list asks of each element whether it is a list itself; for the thousands of
values of a batch that question costs more than everything else. A text is one value.
Source: PostgreSQL's manual, "Array Input and Output Syntax" (section 8.15.6) and the input of each type.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Integer, LargeBinary, SmallInteger, Text, Uuid

Writer = Callable[[Any], str]


class NoArrayText(TypeError):
    """Values of this type are not written as an array here."""


def _text(value: str) -> str:
    if value.isidentifier() and len(value) != 4:  # letters, digits and underscores, and not the word NULL
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bytes(value: bytes) -> str:
    return '"\\\\x' + value.hex() + '"'


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise NoArrayText("an instant carries its offset")
    return '"' + value.isoformat() + '"'


def _truth(value: bool) -> str:
    return "t" if value else "f"


_WRITERS: tuple[tuple[type[Any], Writer], ...] = (
    (Uuid, str),
    (BigInteger, int.__repr__),
    (SmallInteger, int.__repr__),
    (Integer, int.__repr__),
    (Boolean, _truth),
    (Text, _text),
    (LargeBinary, _bytes),
    (DateTime, _instant),
    (Date, date.isoformat),
)


def writer_for(kind: object) -> Writer:
    """How one value of a SQL type is written within an array. Raises NoArrayText for a type unknown here."""
    for known, writer in _WRITERS:
        if isinstance(kind, known):
            return writer
    raise NoArrayText(type(kind).__name__)


def array_text(values: Sequence[Any], writer: Writer) -> str:
    """The array of these values; None is NULL. A text of the word NULL stays a text, since texts are quoted."""
    if None in values:
        return "{" + ",".join(["NULL" if value is None else writer(value) for value in values]) + "}"
    return "{" + ",".join(map(writer, values)) + "}"
