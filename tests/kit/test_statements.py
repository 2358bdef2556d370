"""A statement of the hot path answers the same rows through SQLAlchemy and through the driver."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    Executable,
    Float,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    cast,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit import audit, tables
from services.kit.array_text import NoArrayText
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.ids import SeededEntropy
from services.kit.sets import values_later
from services.kit.statements import Statement
from services.kit.tables import Instant

NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "n": Integer(),
    "id": Uuid(),
    "words": Text(),
    "yen": BigInteger(),
    "content": LargeBinary(),
    "at": Instant,
    "day": Date(),
    "is_new": Boolean(),
}
ROW = st.tuples(
    st.none() | st.uuids(),
    st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.binary(max_size=8),
    st.none() | st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - a bound
    st.none() | st.dates(),
    st.none() | st.booleans(),
)


def everything() -> Executable:
    """A list of each type, single values of each, and a value that is fixed when the statement is built."""
    given_rows = values_later("given", **COLUMNS)
    singles = [cast(bindparam(f"one_{name}", type_=kind), kind).label(f"one_{name}") for name, kind in COLUMNS.items()]
    return select(*given_rows.c, *singles, literal("fixed", Text())).order_by(given_rows.c.n)


EVERYTHING = Statement(everything)


async def both_ways(engine: AsyncEngine, statement: Statement, values: dict[str, Any]) -> list[list[tuple[Any, ...]]]:
    database = Database(engine, SetClock(NOON), SeededEntropy(1))

    async def run(tx: Tx, direct: bool) -> list[tuple[Any, ...]]:
        assert (tx.driver is not None) == direct
        return [tuple(row) for row in await statement.rows(tx, values)]

    return [await database.transact(run, direct, direct=direct) for direct in (False, True)]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=8), single=ROW)
async def test_both_ways_answer_the_same_rows(engine: AsyncEngine, rows: list[Any], single: Any) -> None:
    named = [(n, *row) for n, row in enumerate(rows)]
    values: dict[str, Any] = {f"given_{name}": [row[place] for row in named] for place, name in enumerate(COLUMNS)}
    values |= {f"one_{name}": value for name, value in zip(COLUMNS, (7, *single), strict=True)}
    through_sqlalchemy, through_the_driver = await both_ways(engine, EVERYTHING, values)
    assert through_the_driver == through_sqlalchemy
    assert through_the_driver == [(*row, 7, *single, "fixed") for row in named]


async def test_a_statement_without_an_answer_answers_no_rows_both_ways(engine: AsyncEngine) -> None:
    async def write(tx: Tx, number: int) -> None:
        key = UUID(int=number)
        await tables.finish_deeds(tx, [(key, key, b"f", '{"yen": 1}')])
        await audit.record(tx, key, "noted", key, words='"\\{}')
        found[number] = (await tables.find_deeds(tx, [(key, key)]))[key, key]

    found: dict[int, Any] = {}
    database = Database(engine, SetClock(NOON), SeededEntropy(1))
    for direct in (False, True):
        await database.transact(write, int(direct), direct=direct)
    assert found == {0: (b"f", '{"yen": 1}'), 1: (b"f", '{"yen": 1}')}


async def test_a_statement_is_built_and_compiled_once(engine: AsyncEngine) -> None:
    built = []

    def build() -> Executable:
        built.append(1)
        return select(cast(bindparam("day", type_=Date()), Date()))

    statement = Statement(build)
    assert built == []
    for _ in range(2):
        assert await both_ways(engine, statement, {"day": date(2026, 4, 6)}) == [[(date(2026, 4, 6),)]] * 2
    assert built == [1]


async def test_a_list_of_a_type_that_cannot_be_written_is_refused_when_it_is_built(engine: AsyncEngine) -> None:
    statement = Statement(lambda: select(bindparam("rates", type_=ARRAY(Float()))))
    with pytest.raises(NoArrayText):
        await both_ways(engine, statement, {"rates": [0.5]})
