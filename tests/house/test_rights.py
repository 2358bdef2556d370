"""Every role does with every table exactly what docs/database-rights.md says, tried over its own connections.

A table that the file does not know fails here: whoever makes one says who may do what with it (`make rights`).
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.database.connect import create_engine
from infra.database.migrate import metadata
from infra.database.provision import DatabaseHandle
from infra.database.rights import NOTHING, SECRETS, document
from infra.database.server_files import ANALYST, APP, AUDITOR, MIGRATOR
from services.kit.db import sqlstate

FILE = Path(__file__).parents[2] / "docs" / "database-rights.md"
REFUSED = "42501"
"""Insufficient privilege; what a trigger of tables that are written once answers, too."""

Cell = tuple[str, str]
"""A verb, and the column it is about; no column where it is about the whole table."""

ROW_VERBS = ("add", "delete", "truncate", "shape")
MONEY_AND_AUDIT = re.compile(
    r"ledger_|payment|code_use|audit_|chain_anchor|statement|settlement_close|money_in|expiry|wallet_grant"
)
COUNTED = {"payment_returned"}
"""How much of a payment was given back is counted; its row is altered, and bounded by its CHECK."""


def matrix() -> dict[str, dict[str, str]]:
    """The file: table → role → words."""
    rows = [line.strip("|").split("|") for line in FILE.read_text().splitlines() if line.startswith("| `")]
    roles = [each.strip(" `") for each in next(line for line in FILE.read_text().splitlines() if "table |" in line)
             .strip("|").split("|")[1:]]  # fmt: skip
    return {row[0].strip(" `"): {role: cell.strip() for role, cell in zip(roles, row[1:], strict=True)} for row in rows}


def meant(words: str, columns: list[str]) -> set[Cell]:
    """What a cell allows, verb by verb and column by column."""
    allowed: set[Cell] = set()
    for word in [] if words == NOTHING else words.split("; "):
        verb, _, named = word.partition(": ")
        if verb in ROW_VERBS:
            allowed.add((verb, ""))
        else:
            allowed |= {(verb, column) for column in (named.split(", ") if named else columns)}
    return allowed


def attempts(table: str, columns: list[str]) -> dict[Cell, str]:
    """A statement for everything that somebody could try; none of them would change a row."""
    tried = {
        ("add", ""): f'INSERT INTO "{table}" DEFAULT VALUES',
        ("delete", ""): f'DELETE FROM "{table}" WHERE false',
        ("truncate", ""): f'TRUNCATE "{table}"',
        ("shape", ""): f'ALTER TABLE "{table}" ADD COLUMN breach int',
    }
    for column in columns:
        tried["read", column] = f'SELECT "{column}" FROM "{table}" WHERE false'
        tried["alter", column] = f'UPDATE "{table}" SET "{column}" = DEFAULT WHERE false'
    return tried


async def refused(connection: AsyncConnection, statement: str) -> bool:
    """Whether the statement is not allowed; one that fails for another reason was."""
    part = await connection.begin_nested()
    try:
        await connection.execute(text(statement))
    except Exception as error:
        if sqlstate(error) is None:
            raise
        return sqlstate(error) == REFUSED
    finally:
        await part.rollback()
    return False


@pytest.fixture
async def as_role(database: DatabaseHandle) -> AsyncIterator[Callable[[str], AsyncEngine]]:
    async with AsyncExitStack() as stack:

        def connect(role: str) -> AsyncEngine:
            engines: dict[str, Callable[[], AsyncEngine]] = {
                APP: database.app_engine,
                AUDITOR: database.auditor_engine,
                MIGRATOR: database.migrator_engine,
                ANALYST: lambda: create_engine(
                    database.migrator_url, schema=database.schema, role=ANALYST, pool_size=1
                ),
            }
            engine = engines[role]()
            stack.push_async_callback(engine.dispose)
            return engine

        yield connect


async def shapes(engine: AsyncEngine) -> dict[str, list[str]]:
    query = (
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns "
        "WHERE table_schema = current_schema() GROUP BY table_name"
    )
    async with engine.connect() as connection:
        return {row[0]: row[1] for row in await connection.execute(text(query))}


async def test_the_file_is_what_the_database_says(migrator_engine: AsyncEngine) -> None:
    async with migrator_engine.connect() as connection:
        owner = (await connection.execute(text("SELECT current_user"))).scalar_one()
        assert FILE.read_text() == await document(connection, owner), "run `make rights` and read the difference"


async def test_every_table_has_its_row(migrator_engine: AsyncEngine) -> None:
    assert matrix().keys() == (await shapes(migrator_engine)).keys() >= metadata().tables.keys()


@pytest.mark.parametrize("role", [APP, AUDITOR, ANALYST, MIGRATOR])
async def test_every_cell_is_so(role: str, migrator_engine: AsyncEngine, as_role: Callable[[str], AsyncEngine]) -> None:
    tables, file, wrong, tried = await shapes(migrator_engine), matrix(), [], 0
    async with as_role(role).connect() as connection:
        me = (await connection.execute(text("SELECT current_user"))).scalar_one()
        assert role in (me, MIGRATOR)
        for table, columns in tables.items():
            allowed = meant(file[table][role], columns)
            for cell, statement in attempts(table, columns).items():
                tried += 1
                # In its schema the analyst does not even find a table.
                named = statement.replace(f'"{table}"', f'tanabata."{table}"', 1)
                if cell[0] == "truncate" and cell not in allowed:
                    named += " CASCADE"  # else a foreign key would refuse it before the guard is asked
                if await refused(connection, named) != (cell not in allowed):
                    wrong.append((table, *cell, "allowed" if cell not in allowed else "refused"))
        await connection.rollback()
    assert not wrong, wrong
    assert tried > 500


def test_the_application_only_adds_to_the_money_and_the_audit_log() -> None:
    checked = 0
    for table, cells in matrix().items():
        assert not {"delete", "truncate", "shape"} & set(cells[APP].split("; ")), table
        if MONEY_AND_AUDIT.match(table) and table not in COUNTED:
            checked += 1
            assert cells[APP] == "read; add", table
            assert cells[MIGRATOR] == "read; add; shape", table
    assert checked >= 15


async def test_the_auditor_reads_everything_but_secrets(migrator_engine: AsyncEngine) -> None:
    unread = set()
    for table, columns in (await shapes(migrator_engine)).items():
        allowed = meant(matrix()[table][AUDITOR], columns)
        assert {verb for verb, _ in allowed} <= {"read"}, table
        unread |= {(table, column) for column in columns if ("read", column) not in allowed}
    assert unread == set(SECRETS)


def test_the_analyst_sees_no_table() -> None:
    assert {cells[ANALYST] for cells in matrix().values()} == {NOTHING}


@pytest.mark.parametrize("role", [APP, AUDITOR, ANALYST])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE tanabata.mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "CREATE VIEW tanabata.mine AS SELECT 1",
        "CREATE FUNCTION tanabata.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "DROP SCHEMA tanabata CASCADE",
        "DROP TABLE tanabata.audit_entry",
        "DROP TRIGGER audit_entry_written_once ON tanabata.audit_entry",
        "ALTER TABLE tanabata.audit_entry DISABLE TRIGGER ALL",
        "ALTER TABLE tanabata.ledger_posting DROP CONSTRAINT ck_ledger_posting_amount",
        "CREATE OR REPLACE FUNCTION tanabata.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "DROP FUNCTION tanabata.refuse_change() CASCADE",
        "GRANT UPDATE ON tanabata.ledger_posting TO PUBLIC",
        "SET session_replication_role = replica",
        "ALTER ROLE tanabata_app SUPERUSER",
        "ALTER SYSTEM SET fsync = off",
        "COPY tanabata.audit_entry FROM PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
async def test_nobody_but_the_migrator_may_alter_anything(
    role: str, statement: str, as_role: Callable[[str], AsyncEngine]
) -> None:
    async with as_role(role).connect() as connection:
        if statement.startswith("ALTER SYSTEM"):
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(Exception, match="permission denied") as caught:
                await connection.execute(text(statement))
            assert sqlstate(caught.value) == REFUSED
            return
        # PostgreSQL grants what one has to give, which is nothing, and may say so in a warning only.
        assert await refused(connection, statement) or not await gives(connection, statement)


async def gives(connection: AsyncConnection, statement: str) -> bool:
    """Whether a GRANT gave anything; every other statement does what it does."""
    if not statement.startswith("GRANT"):
        return True
    part = await connection.begin_nested()
    try:
        await connection.execute(text(statement))
        asked: Any = await connection.execute(
            text("SELECT has_table_privilege('public', 'tanabata.ledger_posting', 'UPDATE')")
        )
        return bool(asked.scalar_one())
    finally:
        await part.rollback()


async def test_a_table_without_a_row_fails_the_build(migrator_engine: AsyncEngine) -> None:
    async with migrator_engine.begin() as connection:
        await connection.execute(text("CREATE TABLE forgotten (x int)"))
        owner = (await connection.execute(text("SELECT current_user"))).scalar_one()
        assert FILE.read_text() != await document(connection, owner)
    assert matrix().keys() != (await shapes(migrator_engine)).keys()


@pytest.mark.parametrize(
    ("role", "grant"),
    [
        (APP, "GRANT DELETE ON ledger_posting TO tanabata_app"),
        (APP, "GRANT UPDATE (result) ON deed TO tanabata_app"),
        (APP, "GRANT UPDATE (amount_yen) ON payment TO tanabata_app"),
        (AUDITOR, "GRANT SELECT (password_hash) ON account TO tanabata_auditor"),
        (AUDITOR, "GRANT INSERT ON audit_entry TO tanabata_auditor"),
        (ANALYST, "GRANT USAGE ON SCHEMA tanabata TO tanabata_analyst; GRANT SELECT (phone) ON account TO PUBLIC"),
        (MIGRATOR, "DROP TRIGGER audit_entry_written_once ON audit_entry"),
        (APP, "REVOKE INSERT ON audit_entry FROM tanabata_app"),
    ],
)
async def test_a_grant_too_much_or_too_little_is_noticed(role: str, grant: str, migrator_engine: AsyncEngine) -> None:
    """The file's own teeth: each of these makes the comparison fail."""
    async with migrator_engine.begin() as connection:
        for statement in grant.split("; "):
            await connection.execute(text(statement))
        owner = (await connection.execute(text("SELECT current_user"))).scalar_one()
        assert FILE.read_text() != await document(connection, owner)
    assert role in matrix()["account"]
