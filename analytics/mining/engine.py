"""How mining computes what is too large for pandas: DuckDB over the very frames that were given.

Nothing is read or written but memory and, when that is short, a folder that is gone afterwards; no extension
is loaded, since loading one would need a network.
"""

import atexit
import tempfile
from functools import cache
from typing import Any, Final

import duckdb
import pandas as pd
import pyarrow as pa

from analytics.frames import TOKYO, Dtype, Frame

MEMORY_LIMIT: Final = "2GB"
"""What DuckDB itself may hold before it spills; the frames that are given and returned come on top."""

_THREADS: Final = 2


def query(sql: str, /, *values: Any, **tables: pd.DataFrame) -> pd.DataFrame:
    """The answer of one statement over `tables`, each under its keyword's name; `values` fill its question marks.

    The order of rows is the statement's: one without ORDER BY promises none.
    """
    with _engine().cursor() as connection:
        for name, data in tables.items():
            connection.register(name, pa.Table.from_pandas(data, preserve_index=False))
        answer: pd.DataFrame = connection.execute(sql, list(values)).df()
        for name in tables:
            connection.unregister(name)
    return answer


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One engine a process, since starting one costs more than a small question; it holds no table of its own."""
    spill = tempfile.TemporaryDirectory(prefix="tanabata-mining-")
    atexit.register(spill.cleanup)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "preserve_insertion_order": "false",
        "temp_directory": spill.name,
        "threads": str(_THREADS),
    }
    return duckdb.connect(config=settings)


def shaped(frame: Frame, data: pd.DataFrame) -> pd.DataFrame:
    """`data` with the frame's columns, types and key order, so that equal content is an equal frame."""
    columns = {column.name: _typed(data[column.name], column.dtype) for column in frame.columns}
    return frame.conform(pd.DataFrame(columns).sort_values(list(frame.key), ignore_index=True))


def _typed(values: Any, dtype: Dtype) -> Any:
    if dtype is Dtype.INSTANT:
        values = pd.to_datetime(values, utc=True).dt.tz_convert(TOKYO)
    return values.astype(dtype.value)
