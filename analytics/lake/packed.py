"""A view's columns as bytes: many rows in one answer, each column one value that numpy reads where it lies.

A row that is sent as a row costs more on both sides than what is in it. Law: what is unpacked is what the view told,
value by value and in one order of rows, or nothing; a value that is empty and a word that nobody listed are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.frames import SPENDING

MODES: Final = next(column.allowed for column in SPENDING.columns if column.name == "mode")
_POSTGRES_EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01 in UTC, from which PostgreSQL counts microseconds."""

Columns = Mapping[str, npt.NDArray[Any]]
"""Columns of one length by name: numbers and instants (microseconds since 1970) as int64, truth as bool, words as
their places in a list."""


class Misread(Exception):
    """A column of `view` has not one value for every row: there was an empty one, or a word that is not listed."""


@dataclass(frozen=True)
class Packing:
    """How PostgreSQL writes a value as bytes (its own binary format), and how numpy reads them."""

    sent: str
    dtype: str
    since_us: int = 0


def _one_of(words: tuple[str, ...]) -> Packing:
    places = " ".join(f"WHEN '{word}' THEN '\\x{place:02x}'::bytea" for place, word in enumerate(words))
    return Packing(f"CASE {{}} {places} END", "u1")


_WHOLE: Final = Packing("int8send({})", ">i8")
_INSTANT: Final = Packing("timestamptz_send({})", ">i8", _POSTGRES_EPOCH_US)
_TRUTH: Final = Packing("boolsend({})", "?")

PACKED: Final[Mapping[str, Mapping[str, Packing]]] = {
    "payments": {"payment": _WHOLE, "shop": _WHOLE, "mode": _one_of(MODES), "at": _INSTANT, "emptied": _TRUTH},
    "legs": {"leg": _WHOLE, "payment": _WHOLE},
    "takings": {"leg": _WHOLE, "lot": _WHOLE, "paid_yen": _WHOLE, "premium_yen": _WHOLE},
}
"""Views that are read in this way, with what is read of each."""

_COUNT: Final = "rows"


def statement(view: str) -> str:
    """The SELECT whose one row is the view's columns."""
    columns = [f"string_agg({how.sent.format(name)}, ''::bytea) AS {name}" for name, how in PACKED[view].items()]
    return f"SELECT count(*) AS {_COUNT}, {', '.join(columns)} FROM {view}"  # noqa: S608  # names of ours


def unpacked(view: str, told: pa.Table) -> Columns:
    """The columns of a view from the answer to its `statement`. Raises Misread."""
    rows = told[_COUNT][0].as_py()
    found = {}
    for name, how in PACKED[view].items():
        data = told[name][0].as_buffer()
        values = np.frombuffer(b"" if data is None else data, how.dtype)
        if len(values) != rows:
            raise Misread(view, name)
        found[name] = values.astype("i8") + how.since_us if how.dtype == ">i8" else values
    return found
