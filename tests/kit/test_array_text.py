"""A list written as PostgreSQL's array text comes back equal, whatever it holds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.array_text import NoArrayText, array_text, writer_for
from services.kit.driver_uuid import driver_uuid

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
WORDS = st.sampled_from(
    [
        *("", "NULL", "null", "Null", " NULL ", '"', "\\", '\\"', "{}", "{1,2}", "a,b", ",", " ", "\n\t\r", "x y"),
        *(
            "名前",
            "NULLx",
            "_",
            "1",
            "a1",
            "nüll",
            "ﬁ",
            "\N{PILE OF POO}",
            "\\x41",
            "'",
            "''",
            "--",
            "\x01",
            "\x0b\x0c",
        ),
    ]
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS)  # noqa: DTZ001 - bounds
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "uuid": (Uuid(), st.uuids() | st.uuids().map(lambda each: driver_uuid(each.bytes))),
    "bigint": (BigInteger(), st.integers(-(2**63), 2**63 - 1)),
    "int": (Integer(), st.integers(-(2**31), 2**31 - 1)),
    "smallint": (SmallInteger(), st.integers(-(2**15), 2**15 - 1)),
    "boolean": (Boolean(), st.booleans()),
    "text": (Text(), TEXT | WORDS),
    "bytea": (LargeBinary(), st.binary(max_size=20)),
    "timestamptz": (DateTime(timezone=True), INSTANTS),
    "date": (Date(), st.dates()),
}
EXTREMES: dict[str, list[Any]] = {
    "bigint": [-(2**63), 2**63 - 1, 0, None],
    "int": [-(2**31), 2**31 - 1],
    "smallint": [-(2**15), 2**15 - 1],
    "text": ["", "NULL", None, "null", '"', "\\", "{", "}", ",", "名", "\\\\", '\\"\\'],
    "bytea": [b"", b"\0", b'"\\', None, bytes(range(256))],
    "timestamptz": [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), None],
    "date": [date.min, date.max, None],
    "uuid": [UUID(int=0), UUID(int=2**128 - 1), None],
    "boolean": [True, False, None],
}


async def through_postgresql(engine: AsyncEngine, kind: str, values: Sequence[Any]) -> list[Any]:
    """The same list, written here, read by PostgreSQL and told back by the driver."""
    written = array_text(values, writer_for(KINDS[kind][0]))
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        return [row[0] for row in await driver.fetch(f"SELECT unnest($1::text::{kind}[])", written)]


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_extreme_values_come_back_equal(engine: AsyncEngine, kind: str) -> None:
    assert await through_postgresql(engine, kind, EXTREMES[kind]) == EXTREMES[kind]
    assert await through_postgresql(engine, kind, []) == []
    assert await through_postgresql(engine, kind, [None]) == [None]


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_list_comes_back_equal(engine: AsyncEngine, kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | KINDS[kind][1], max_size=12))
    assert await through_postgresql(engine, kind, values) == values


@given(st.text(max_size=6))
@example("NULL")
@example("null")
def test_a_text_is_never_the_word_null(value: str) -> None:
    written = array_text([value], writer_for(Text()))
    assert written.upper() != "{NULL}"


def test_an_instant_without_its_offset_is_refused() -> None:
    with pytest.raises(NoArrayText):
        array_text([datetime(2026, 4, 6)], writer_for(DateTime()))  # noqa: DTZ001 - the point of it


def test_a_type_that_is_unknown_here_is_refused() -> None:
    with pytest.raises(NoArrayText):
        writer_for(Float())
