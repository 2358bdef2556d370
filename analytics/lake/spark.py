"""Spark instead of DuckDB, for a lake that one machine no longer holds: the same files, the same expressions.

Law: nothing is computed here. Files are offered under the frames' names and expressions are run; what they say is
`analytics.measures`' alone. Needs the extra `spark` and a Java; nothing else imports this module.

`analytics.lake.engine` tells what an instant is in expressions: here, too, Tokyo's wall clock without a zone. Whoever
has a cluster brings its session (`Spark(session)`), and a lake in a folder that all its machines see.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ibis
import pandas as pd
import pyarrow as pa

from analytics.frames import Dtype, Frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_THREADS: Final = 2
_SPARK: Final[Mapping[Dtype, str]] = {
    Dtype.INTEGER: "BIGINT",
    Dtype.TEXT: "STRING",
    Dtype.TRUTH: "BOOLEAN",
    Dtype.REAL: "DOUBLE",
    Dtype.DAY: "TIMESTAMP_NTZ",
    Dtype.INSTANT: "TIMESTAMP",
}


class Spark:
    """An `Engine` on a session that somebody else opened and closes.

    It sets the session's zone to UTC, so that no clock of the machine comes into figures, and keeps arithmetic strict:
    a sum that does not fit 64 bits is an error, as in DuckDB.
    """

    def __init__(self, session: "SparkSession") -> None:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set("spark.sql.ansi.enabled", "true")
        self._session = session
        self._offered: set[str] = set()

    def close(self) -> None:
        for name in self._offered:
            self._session.catalog.dropTempView(name)
        self._offered.clear()

    def offer_files(self, frame: Frame, files: Iterable[Path], more: pa.Table | None = None) -> None:
        declared = ", ".join(f"`{column.name}` {_SPARK[column.dtype]}" for column in frame.columns)
        schema = self._session.createDataFrame([], declared).schema
        names = [str(file) for file in files]
        rows = self._session.read.schema(schema).parquet(*names) if names else None
        if more is not None or rows is None:
            told = more if more is not None else pa.Table.from_pandas(frame.empty(), preserve_index=False)
            beside = self._session.createDataFrame(told, schema)
            rows = beside if rows is None else rows.unionByName(beside)
        walls = [
            f"CAST(`{column.name}` + INTERVAL 9 HOURS AS TIMESTAMP_NTZ) AS `{column.name}`"
            if column.dtype is Dtype.INSTANT
            else f"`{column.name}`"
            for column in frame.columns
        ]
        rows.selectExpr(*walls).createOrReplaceTempView(frame.name)
        self._offered.add(frame.name)

    def run(self, expression: Any) -> pd.DataFrame:
        found: pa.Table = self._session.sql(str(ibis.to_sql(expression, dialect="pyspark"))).toArrow()
        # Truncated times come back with the session's zone, and small numbers small: an expression says what they are.
        data: pd.DataFrame = found.cast(expression.schema().to_pyarrow()).to_pandas()
        return data


@contextmanager
def local_session(threads: int = _THREADS) -> Iterator["SparkSession"]:
    """Spark in this process' own JVM, that listens to nobody but this machine and leaves no file behind."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only who asks for Spark needs to have it

    folder = tempfile.mkdtemp(prefix="tanabata-spark-")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # else it asks the network for its own name
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={folder} -XX:-UsePerfData",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": folder,
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": str(threads),
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(f"local[{threads}]").appName("tanabata")
    session = builder.config(map=settings).getOrCreate()
    try:
        yield session
    finally:
        session.stop()
        shutil.rmtree(folder, ignore_errors=True)
