"""Run invariants, with and without mutants, each on a copy of one migrated database."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from secrets import token_hex

from infra.conformance.ground import Ground, Tripped, stand_on
from infra.conformance.mutants import Mutant
from infra.conformance.table import ROWS, Invariant, Row, Verdict
from infra.database.connect import database_url
from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle

Tell = Callable[[str], None]


@asynccontextmanager
async def a_copy(template: DatabaseHandle) -> AsyncIterator[Ground]:
    """Ground on a copy of a migrated database that nobody is connected to; dropped afterwards.

    A copy that a killed run leaves behind has the name of a scratch database and goes as one.
    """
    source = database_url(template.migrator_url).database
    if source is None:
        raise ValueError("a template has a name")
    name = f"tanabata_scratch_{int(time.time())}_{token_hex(6)}"
    await create_database(template.migrator_url, name, source)
    copy = replace(template, app_url=named(template.app_url, name), migrator_url=named(template.migrator_url, name))
    try:
        async with stand_on(copy) as ground:
            yield ground
    finally:
        await drop_database(template.migrator_url, name)


async def seen(template: DatabaseHandle, invariant: Invariant, mutant: Mutant | None = None) -> str | None:
    """What an invariant saw that may not be; None if it held."""
    async with a_copy(template) as ground, mutant(ground) if mutant else nullcontext():
        try:
            await invariant(ground)
        except Tripped as tripped:
            return str(tripped)
    return None


async def examine(template: DatabaseHandle, row: Row) -> Verdict:
    """One line of the table: as built, and with its mutant."""
    return Verdict(row, await seen(template, row.invariant), await seen(template, row.invariant, row.mutant))


async def tripped_by(template: DatabaseHandle, row: Row, among: Sequence[Row] = ROWS) -> list[str]:
    """The invariants that do not hold with a row's mutant."""
    return [each.name for each in among if await seen(template, each.invariant, row.mutant) is not None]


async def examine_all(template: DatabaseHandle, tell: Tell) -> list[Verdict]:
    verdicts = []
    for row in ROWS:
        verdict = await examine(template, row)
        tell(f"{row.name}: {verdict.as_built or 'holds'}; with the mutant: {verdict.with_mutant or 'holds'}")
        verdicts.append(verdict)
    return verdicts


async def examine_matrix(template: DatabaseHandle, tell: Tell) -> dict[str, list[str]]:
    """For each mutant, by the name of its own invariant, all that it trips."""
    matrix = {}
    for row in ROWS:
        matrix[row.name] = await tripped_by(template, row)
        tell(f"without what holds {row.name}: {', '.join(matrix[row.name]) or 'nothing'} tripped")
    return matrix
