"""A small invented city, its lake on the disk, and the two engines that are asked about it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from analytics.lake.lake import Lake
from analytics.lake.spark import Spark, local_session
from analytics.synthetic.write import write_city
from tests.factories.cities import SMALL

AT = datetime(2026, 3, 1, tzinfo=UTC)
CITY = replace(SMALL, residents=150, stores=30, use_to=SMALL.use_from + timedelta(days=11))
"""Few days are few files, which is what Spark's time goes into; everything else that a city has is there."""


@dataclass(frozen=True)
class Two:
    """The same lake, asked through DuckDB and through Spark."""

    duckdb: Lake
    spark: Lake


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(CITY, np.random.default_rng(1), folder, AT, lambda *_: None)
    return folder


@pytest.fixture(scope="session")
def session() -> Iterator[SparkSession]:
    """On a machine whose clock is far from Japan's: no figure may hear of it. Questions are many and small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Pacific/Auckland")
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
        with local_session() as session:
            session.conf.set("spark.sql.shuffle.partitions", "1")
            yield session


@pytest.fixture(scope="session")
def both(root: Path, session: SparkSession) -> Iterator[Two]:
    with Lake(root) as by_duckdb, Lake(root, engine=partial(Spark, session)) as by_spark:
        yield Two(by_duckdb, by_spark)
