"""The types of columns; one of another type that says the same is converted where nothing is lost or guessed.

Frames come from files, databases and other engines, each with types of its own for one meaning: integers of other
widths or that could be empty, texts as objects or categories, instants of another zone or unit. A real number is
never taken for an amount, for it has been through a division or an empty cell; a time without a zone is never
taken for an instant.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pandas.api import types

TOKYO: Final = "Asia/Tokyo"

_EXACT_IN_REALS: Final = 2**53
"""Up to here a whole number has a float64 of its own."""

_DAY_US: Final = 24 * 3_600_000_000
_MOST: Final = 2**63

Column = pd.Series


class Dtype(StrEnum):
    """How pandas holds a column (pandas 3: text is `str`, instants count microseconds)."""

    INTEGER = "int64"
    TEXT = "str"
    TRUTH = "bool"
    REAL = "float64"
    DAY = "datetime64[us]"
    INSTANT = "datetime64[us, Asia/Tokyo]"


class Lossy(Exception):
    """The values cannot be had in the other type as they are."""


def converted(values: "Column[Any]", dtype: Dtype) -> "Column[Any]":
    """The same values in the declared type. Raises Lossy where something would be lost or guessed."""
    if _says_nothing(values):
        return pd.Series(index=values.index, dtype=dtype.value)
    return _CONVERTING[dtype](values)


def _says_nothing(values: "Column[Any]") -> bool:
    """Whether a column without a value has no type either: what pandas and Arrow make of None alone, and of no rows."""
    arrow = isinstance(values.dtype, pd.ArrowDtype) and pa.types.is_null(values.dtype.pyarrow_dtype)
    return bool((arrow or types.is_object_dtype(values.dtype)) and values.isna().all())


def at_midnight(days: "Column[Any]") -> bool:
    """Whether every day is one, without a time; the column is a Dtype.DAY, NaT left aside."""
    known = days.dropna()
    return bool((known.to_numpy().view("int64") % _DAY_US == 0).all())


def on_their_day(instants: "Column[Any]", days: "Column[Any]") -> bool:
    """Whether each day is the civil date in Japan of its instant; Dtype.INSTANT and Dtype.DAY, none of them NaT."""
    return bool((instants.dt.tz_localize(None).dt.normalize() == days).all())


def summable(*columns: "Column[Any]") -> bool:
    """Whether no sum of some of the whole numbers in these columns of one length can leave int64."""
    if columns[0].empty:
        return True
    largest = sum(max(abs(int(amounts.min())), abs(int(amounts.max()))) for amounts in columns)
    return largest * len(columns[0]) < _MOST or sum(abs(int(each)) for amounts in columns for each in amounts) < _MOST


def _whole(values: "Column[Any]") -> "Column[Any]":
    """Integers of any width or engine, none of them empty, as int64. Raises Lossy."""
    if not types.is_integer_dtype(values.dtype) or values.isna().any() or (values > 2**63 - 1).any():
        raise Lossy
    return values.astype("int64")


def _text(values: "Column[Any]") -> "Column[Any]":
    """Texts in objects, categories or another engine's strings. Raises Lossy."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.dtype.categories.dtype)
    elif isinstance(values.dtype, pd.ArrowDtype) and pa.types.is_dictionary(values.dtype.pyarrow_dtype):
        values = values.astype(pd.ArrowDtype(values.dtype.pyarrow_dtype.value_type))
    if types.infer_dtype(values, skipna=True) not in {"string", "empty"}:
        raise Lossy
    try:
        return values.astype("str")
    except UnicodeEncodeError as error:
        raise Lossy from error  # half of a sign that takes two


def _truth(values: "Column[Any]") -> "Column[Any]":
    """Truth values of another engine, none of them empty. Raises Lossy."""
    if not types.is_bool_dtype(values.dtype) or values.isna().any():
        raise Lossy
    return values.astype("bool")


def _real(values: "Column[Any]") -> "Column[Any]":
    """Real numbers of another width, and whole ones that a float64 tells apart. Raises Lossy."""
    if types.is_float_dtype(values.dtype):
        return values.astype("float64")
    if not types.is_integer_dtype(values.dtype) or (values.dropna().abs() > _EXACT_IN_REALS).any():
        raise Lossy
    return values.astype("float64")


def _day(values: "Column[Any]") -> "Column[Any]":
    """Dates without a zone in another unit of time, or Arrow's. Raises Lossy."""
    values = _plain_time(values)
    if not types.is_datetime64_dtype(values.dtype):
        raise Lossy
    return _in_microseconds(values)


def _instant(values: "Column[Any]") -> "Column[Any]":
    """Instants of another zone or unit, or Arrow's, in Japan's. Raises Lossy for times without a zone."""
    values = _plain_time(values)
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        raise Lossy
    return _in_microseconds(values.dt.tz_convert(TOKYO))


def _plain_time(values: "Column[Any]") -> "Column[Any]":
    """Arrow's dates and timestamps as pandas' own, in the same zone and unit; whatever else as it is."""
    if not isinstance(values.dtype, pd.ArrowDtype):
        return values
    kind = values.dtype.pyarrow_dtype
    if pa.types.is_date(kind):
        return values.astype("datetime64[s]")
    if not pa.types.is_timestamp(kind):
        return values
    plain: Any = f"datetime64[{kind.unit}]" if kind.tz is None else pd.DatetimeTZDtype(kind.unit, kind.tz)
    return values.astype(plain)


def _in_microseconds(values: "Column[Any]") -> "Column[Any]":
    try:
        found: Column[Any] = values.dt.as_unit("us")
    except pd.errors.OutOfBoundsDatetime as error:
        raise Lossy from error
    if (found.dropna() != values.dropna()).any():
        raise Lossy  # something shorter than a microsecond is cut off
    return found


_CONVERTING: "Final[Mapping[Dtype, Callable[[Column[Any]], Column[Any]]]]" = {
    Dtype.INTEGER: _whole,
    Dtype.TEXT: _text,
    Dtype.TRUTH: _truth,
    Dtype.REAL: _real,
    Dtype.DAY: _day,
    Dtype.INSTANT: _instant,
}
