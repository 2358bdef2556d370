"""A connection knows its schema and role from its first message, and waits for nothing for ever."""

import asyncio
import traceback
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.database import connect
from infra.database.connect import (
    SERVING,
    BadDatabaseUrl,
    ClockSkew,
    create_engine,
    database_url,
    measure_offset,
    quoted,
    require_same_clock,
)
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP


async def ask(connection: AsyncConnection, question: str) -> object:
    return (await connection.execute(text(question))).scalar_one()


async def test_a_connection_opens_in_its_schema_as_its_role(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await ask(connection, "SELECT current_user") == APP
        assert await ask(connection, "SELECT current_schema()") == "tanabata"
        assert await ask(connection, "SHOW timezone") == "UTC"
        assert await ask(connection, "SHOW idle_in_transaction_session_timeout") == "5s"
        assert await ask(connection, "SHOW lock_timeout") == "2s"
        assert await ask(connection, "SHOW statement_timeout") == "3s"


async def test_another_login_takes_on_the_role_for_good(database: DatabaseHandle) -> None:
    engine = create_engine(database.migrator_url, schema="tanabata", role=APP, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("RESET ROLE"))
            assert await ask(connection, "SELECT current_user") == APP
            with pytest.raises(DBAPIError, match="permission denied"):
                await connection.execute(text("CREATE TABLE mine (x int)"))
    finally:
        await engine.dispose()


async def test_a_slow_statement_ends(database: DatabaseHandle) -> None:
    engine = database.app_engine(limits=replace(SERVING, statement_ms=50))
    try:
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError, match="statement timeout"):
                await connection.execute(text("SELECT pg_sleep(5)"))
    finally:
        await engine.dispose()


async def test_a_silent_client_loses_its_locks(database: DatabaseHandle) -> None:
    engine = database.app_engine(limits=replace(SERVING, idle_in_transaction_ms=50))
    try:
        silent = await engine.connect()
        await silent.execute(text("SELECT pg_advisory_xact_lock(1)"))
        async with engine.connect() as other:
            await other.execute(text("SELECT pg_advisory_xact_lock(1)"))
        with pytest.raises(DBAPIError):
            await silent.execute(text("SELECT 1"))
        await silent.close()
    finally:
        await engine.dispose()


async def test_connections_that_the_server_closed_are_replaced_before_use(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    async with engine.connect() as one, engine.connect() as two:
        pids = {await ask(one, "SELECT pg_backend_pid()"), await ask(two, "SELECT pg_backend_pid()")}
    async with migrator_engine.connect() as connection:
        for pid in pids:
            await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    await asyncio.sleep(0.05)  # the notice of the end must arrive
    async with engine.connect() as one, engine.connect() as two:
        assert await ask(one, "SELECT pg_backend_pid()") not in pids
        assert await ask(two, "SELECT pg_backend_pid()") not in pids


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgres://u:p@h:5433/d", "postgresql+asyncpg://u:p@h:5433/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
        ("postgresql:///d?host=/var/run/postgresql", "postgresql+asyncpg:///d?host=%2Fvar%2Frun%2Fpostgresql"),
    ],
)
def test_urls_are_taken_as_people_write_them(written: str, meant: str) -> None:
    assert database_url(written).render_as_string(hide_password=False) == meant


@pytest.mark.parametrize("url", ["", "mysql://h/d", "postgresql://u@h/d?sllmode=require", "postgresql+psycopg://h/d"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        database_url(url)


def test_only_plain_names_are_quoted() -> None:
    assert quoted("tanabata_1") == '"tanabata_1"'
    for bad in ('a"b', "", "1a", "a b", "x" * 64):
        with pytest.raises(ValueError, match="plain SQL name"):
            quoted(bad)


async def test_the_clocks_of_one_machine_agree(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert abs(await measure_offset(connection)) < timedelta(milliseconds=50)
        assert abs(await require_same_clock(connection)) < timedelta(milliseconds=50)


@pytest.mark.parametrize("seconds", [-2.5, 2.5])
async def test_a_clock_more_than_two_seconds_off_is_refused(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    class SlowClock:
        @staticmethod
        def now(zone: tzinfo) -> datetime:
            return datetime.now(zone) - timedelta(seconds=seconds)

    monkeypatch.setattr(connect, "datetime", SlowClock)
    async with engine.connect() as connection:
        offset = await measure_offset(connection)
        assert abs(offset.total_seconds() - seconds) < 0.1
        with pytest.raises(ClockSkew, match=rf"\{-seconds:+.1f}.* s off"):
            await require_same_clock(connection)


async def test_an_error_does_not_tell_what_was_in_the_statement(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("SELECT 1 / (length(:phone) - 13)"), {"phone": "+819012345678"})
    assert "+819012345678" not in str(caught.value)


async def test_errors_name_the_rule_and_not_the_value(engine: AsyncEngine) -> None:
    """The driver quotes an argument that it cannot send; a log of the failure shall not have it."""
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as refused:
            await connection.exec_driver_sql("SELECT $1::bigint", (73_179_246 * 10**20,))
    said = "".join(traceback.format_exception(refused.value))
    assert "invalid input for query argument $1" in said
    assert "73179246" not in said.replace("73_179_246", "")


async def test_a_connection_that_is_thrown_away_is_ended_without_a_word_to_its_server(
    database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stands still would not answer, and whoever is refused would wait for that as well."""
    engine = database.app_engine(pool_size=1)
    was_over: list[bool] = []
    close = asyncpg.Connection.close

    async def watched(connection: Any, **options: Any) -> None:
        was_over.append(connection.is_closed())
        await close(connection, **options)

    monkeypatch.setattr(asyncpg.Connection, "close", watched)
    try:
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await connection.invalidate()
            assert driver.is_closed()
            assert False not in was_over
    finally:
        await engine.dispose()
