"""`tanabata doctor`: whether this installation can be trusted with money, check by check.

It looks and changes nothing, except that the embedded database is started for as long as the look takes.
"""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.console import CAN_BE_PUT_RIGHT, out, tell
from infra.database.connect import MAX_SKEW, measure_offset
from infra.database.migrate import OLDEST_SUPPORTED, current, head
from infra.database.provision import open_server
from infra.database.server_files import APP
from infra.settings import Settings

_APPEND_ONLY = ("ledger_journal", "ledger_posting", "audit_entry", "audit_seal", "chain_anchor")
_CHANGES = ("UPDATE", "DELETE", "TRUNCATE")


@dataclass(frozen=True)
class Check:
    """One question and its answer; `detail` says what was found and, when it is not ok, what to do."""

    name: str
    ok: bool
    detail: str


Question = Callable[[AsyncConnection, str], Coroutine[None, None, Check]]


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check this installation; exit code 1 when something is wrong."""
    checks = asyncio.run(_examine())
    sound = all(check.ok for check in checks)
    if as_json:
        print(json.dumps({"ok": sound, "checks": [asdict(check) for check in checks]}, ensure_ascii=False))
    else:
        table = Table("check", "", "found")
        for check in checks:
            table.add_row(check.name, "[green]ok" if check.ok else "[bold red]wrong", check.detail)
        out.print(table)
    if not sound:
        raise typer.Exit(1)


async def _examine() -> list[Check]:
    checks = [_python()]
    try:
        settings = Settings.from_env(os.environ)
        async with open_server(settings, tell) as handle:
            checks.append(_folders(settings.data_dir))
            checks += await _ask(handle.app_engine(), handle.schema, [_version, _clock, _append_only, _role])
            checks += await _ask(handle.migrator_engine(), handle.schema, [_migrations])
    except (*CAN_BE_PUT_RIGHT, DBAPIError, OSError) as error:
        checks.append(Check("database reachable", False, str(getattr(error, "orig", None) or error)))
    return checks


async def _ask(engine: AsyncEngine, schema: str, questions: list[Question]) -> list[Check]:
    checks = []
    try:
        async with engine.connect() as connection:
            for question in questions:
                checks.append(await question(connection, schema))  # noqa: PERF401 - each waits for the last
    except DBAPIError as error:
        checks.append(Check("questions to the database", False, str(error.orig)))
    finally:
        await engine.dispose()
    return checks


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version)


def _folders(data_dir: Path) -> Check:
    """Only we may write in the data folder, and nobody else may look into the database or at the keys."""
    wrong = []
    for folder, forbidden in ((data_dir, 0o022), (data_dir / "postgres", 0o077), (data_dir / "keys", 0o077)):
        mode = stat.S_IMODE(folder.stat().st_mode) if folder.exists() else 0
        if mode & forbidden:
            wrong.append(f"{folder} has mode {mode:o}: chmod {mode & ~forbidden:o} it")
    return Check("data folder closed", not wrong, "; ".join(wrong) or str(data_dir))


async def _version(connection: AsyncConnection, _: str) -> Check:
    number = (await connection.execute(text("SHOW server_version"))).scalar_one()
    ok = int(str(number).split(".", maxsplit=1)[0]) >= OLDEST_SUPPORTED
    return Check("database reachable", ok, f"PostgreSQL {number}; at least {OLDEST_SUPPORTED} is needed")


async def _clock(connection: AsyncConnection, _: str) -> Check:
    offset = await measure_offset(connection)
    ms = offset.total_seconds() * 1_000
    allowed = MAX_SKEW.total_seconds()
    return Check("clock", abs(offset) <= MAX_SKEW, f"database {ms:+.1f} ms from here; at most {allowed:.0f} s")


async def _migrations(connection: AsyncConnection, schema: str) -> Check:
    has, wants = await current(connection, schema), head()
    remedy = "" if has == wants else "; run: tanabata migrate"
    return Check("migrations at head", has == wants, f"has {has}, program wants {wants}{remedy}")


async def _append_only(connection: AsyncConnection, schema: str) -> Check:
    """Ledger and audit log cannot be rewritten with the application's rights; one not made yet is not wrong."""
    question = text(
        "SELECT has_table_privilege(:role, to_regclass(:table)::oid, :change) "
        "OR (:change = 'UPDATE' AND has_any_column_privilege(:role, to_regclass(:table)::oid, 'UPDATE'))"
    )
    wrong = []
    for table in _APPEND_ONLY:
        for change in _CHANGES:
            named = {"role": APP, "table": f"{schema}.{table}", "change": change}
            if (await connection.execute(question, named)).scalar_one():
                wrong.append(f"{APP} may {change} {table}")
    return Check("ledger append-only", not wrong, "; ".join(wrong) or f"{APP} may only add and read")


async def _role(connection: AsyncConnection, schema: str) -> Check:
    """An owner may grant itself everything, so the role owns no table and is no superuser."""
    found = await connection.execute(
        text(
            "SELECT r.rolsuper OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid) "
            "FROM pg_roles r WHERE r.rolname = current_user"
        )
    )
    me = (await connection.execute(text("SELECT current_user"))).scalar_one()
    ok = not found.scalar_one() and me == APP
    return Check(
        "application role", ok, f"acts as {me} in {schema}" + ("" if ok else f"; must be {APP}, owning nothing")
    )
