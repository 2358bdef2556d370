"""Every declared measure says through Spark what it says through DuckDB, to the last digit.

No tolerance is given: both sum and count whole numbers, and divide once, at the end, by the same IEEE division.
"""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from analytics.frames import FRAMES
from analytics.lake.lake import Lake
from analytics.lake.spark import Spark
from analytics.lake.write import schema_of, write_frames
from analytics.measures.ask import ask, compare
from analytics.measures.dimension import DIMENSIONS, Values
from analytics.measures.measure import Measure
from analytics.measures.question import MOST_DIMENSIONS, Question
from analytics.measures.registry import MEASURES
from tests.spark.conftest import AT, CITY, Two

# PySpark leaves it to the collector to close the socket through which an answer came.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

MIDDLE = CITY.use_from + timedelta(days=5)
EVERY = pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)


@EVERY
def test_every_measure_by_all_its_dimensions(measure: Measure, both: Two) -> None:
    turns = -(-len(measure.dimensions) // MOST_DIMENSIONS)
    divided = [measure.dimensions[turn::turns] for turn in range(turns)]
    assert {name for by in divided for name in by} == set(measure.dimensions)
    cells = []
    for by in [(), *divided]:
        question = Question(measure.name, by)
        answer = ask(both.duckdb, question)
        pd.testing.assert_frame_equal(ask(both.spark, question), answer, check_exact=True)
        cells.append(len(answer))
    assert min(cells) == 1 < max(cells), "there is something to divide"


@EVERY
def test_every_measure_filtered_in_one_period_beside_another(measure: Measure, both: Two) -> None:
    question = Question(
        measure.name,
        measure.dimensions[:2],
        {name: _some(measure, name, both) for name in {"week", measure.dimensions[-1]} & set(measure.dimensions)},
        CITY.drawn_day,
        MIDDLE,
    )
    after = MIDDLE + timedelta(days=1), CITY.use_to + timedelta(days=1)
    expected = compare(both.duckdb, question, *after)
    assert any(len(answer) for answer in expected)
    for answer, known in zip(compare(both.spark, question, *after), expected, strict=True):
        pd.testing.assert_frame_equal(answer, known, check_exact=True)


def _some(measure: Measure, name: str, both: Two) -> tuple[str, ...]:
    """The greater half of the values that a dimension has, as a question names them."""
    values = ask(both.duckdb, Question(measure.name, (name,)))[name]
    if DIMENSIONS[name].values is Values.DAY:
        values = values.dt.date.astype("str")
    return tuple(values.iloc[len(values) // 2 :])


def test_rows_that_are_in_no_file_yet_count_beside_those_that_are(root: Path, session: SparkSession, both: Two) -> None:
    """As `open_live` brings them: the last days out of memory instead of out of their files."""
    frames = {name: both.duckdb.frame(name, first=MIDDLE) for name in ("spending", "lots", "expiries")}
    live = {
        name: schema_of(FRAMES[name]).empty_table().from_pandas(data, schema=schema_of(FRAMES[name]))
        for name, data in frames.items()
    }
    with Lake(root, live, live_from=MIDDLE, as_of=AT, engine=partial(Spark, session)) as beside:
        for question in (Question("sales", ("day", "hour")), Question("remaining", ("day",))):
            pd.testing.assert_frame_equal(ask(beside, question), ask(both.duckdb, question), check_exact=True)


def test_a_lake_without_a_row_answers_the_same(tmp_path: Path, session: SparkSession) -> None:
    write_frames(tmp_path, {}, AT)
    with Lake(tmp_path) as known, Lake(tmp_path, engine=partial(Spark, session)) as lake:
        for question in (Question("average_payment"), Question("store_gini", ("category",)), Question("remaining")):
            pd.testing.assert_frame_equal(ask(lake, question), ask(known, question), check_exact=True)


def test_what_was_offered_is_taken_away_with_the_lake(root: Path, session: SparkSession) -> None:
    with Lake(root, engine=partial(Spark, session.newSession())) as lake:
        ask(lake, Question("sales"))
    assert not session.catalog.listTables()
