"""What runs expressions over a lake's files; and DuckDB within bounds: so much memory, no extension, no network.

Expressions are built with Ibis on tables that are bound to nothing and carry only names and types; an engine makes
SQL of its own dialect of them. In them an instant (`at`, `…_at`) is Tokyo's wall clock without a zone, so that
`.hour()` is an hour that people lived and no time-zone extension is needed; Japan's clocks have not been changed
since 1951.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb
import ibis
import pandas as pd
import pyarrow as pa

from analytics.frames import Dtype, Frame

MEMORY_MB: Final = 700
"""Of DuckDB; with Python, pandas and Arrow beside it a process stays below 1.5 GB."""

_THREADS: Final = 2
_TOKYO_US: Final = 9 * 3_600 * 1_000_000
_IBIS: Final = {
    Dtype.INTEGER: "int64",
    Dtype.TEXT: "string",
    Dtype.TRUTH: "boolean",
    Dtype.REAL: "float64",
    Dtype.DAY: "timestamp(6)",
    Dtype.INSTANT: "timestamp(6)",
}


class Engine(Protocol):
    """Runs expressions over frames that were offered to it. DuckDB here; `analytics.lake.spark` is another."""

    def offer_files(self, frame: Frame, files: Iterable[Path], more: pa.Table | None = None) -> None:
        """Let expressions read a frame from Parquet files, and from the rows of `more` (of its schema) besides."""
        ...

    def run(self, expression: Any) -> pd.DataFrame:
        """What an Ibis expression over `table_of` tables gives; text is `str`, times count microseconds."""
        ...

    def close(self) -> None: ...


class DuckDB:
    """One DuckDB of one process; not to be shared between threads."""

    def __init__(self, memory_mb: int = MEMORY_MB) -> None:
        spill = tempfile.mkdtemp(prefix="tanabata-lake-")
        self._clean_up = weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        self._duckdb = duckdb.connect(
            ":memory:",
            config={
                "threads": _THREADS,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": spill,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )

    def close(self) -> None:
        self._duckdb.close()
        self._clean_up()

    def offer_files(self, frame: Frame, files: Iterable[Path], more: pa.Table | None = None) -> None:
        names = [str(file) for file in files]
        more = more if more is not None else _empty(frame)
        self._duckdb.register(f"{frame.name}$more", more)
        sources = [f'SELECT * FROM "{frame.name}$more"']  # noqa: S608
        if names:
            listed = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
            sources.insert(0, f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)")  # noqa: S608
        wall = ", ".join(
            f'make_timestamp(epoch_us("{column.name}") + {_TOKYO_US}) AS "{column.name}"'
            for column in frame.columns
            if column.dtype is Dtype.INSTANT
        )
        columns = f"* REPLACE ({wall})" if wall else "*"
        self._duckdb.execute(
            f'CREATE OR REPLACE VIEW "{frame.name}" AS SELECT {columns} FROM ({" UNION ALL ".join(sources)})'  # noqa: S608
        )

    def run(self, expression: Any) -> pd.DataFrame:
        found: pa.Table = self._duckdb.sql(str(ibis.to_sql(expression, dialect="duckdb"))).to_arrow_table()
        data: pd.DataFrame = found.to_pandas()
        return data


def table_of(frame: Frame) -> Any:
    """A frame as an Ibis table that is bound to no engine."""
    return ibis.table({column.name: _IBIS[column.dtype] for column in frame.columns}, name=frame.name)


def _empty(frame: Frame) -> pa.Table:
    return pa.Table.from_pandas(frame.empty(), preserve_index=False)
