"""`tanabata conformance`: the fifteen invariants, each run as built and with the mutant that trips it."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from infra.conformance.run import examine_all, examine_matrix
from infra.conformance.table import Verdict, page
from infra.console import complain, out, run, tell
from infra.database.provision import open_scratch_database
from infra.settings import Settings


def conformance(
    write: Annotated[Path | None, typer.Option("--write", help="Write the table as a page to this file.")] = None,
    matrix: Annotated[bool, typer.Option("--matrix", help="Run every invariant against every mutant.")] = False,
) -> None:
    """Try the ledger's invariants on databases of their own; exit code 1 when one is not shown to hold."""
    verdicts, tripped = run(lambda: _examine(matrix))
    out.print(_table(verdicts))
    if write is not None and all(verdict.shown for verdict in verdicts):
        write.write_text(page(verdicts), encoding="utf-8")
        tell(f"written to {write}")
    astray = {name: found for name, found in tripped.items() if found != [name]}
    for name, found in astray.items():
        complain(f"the mutant of {name} trips {', '.join(found) or 'nothing'}")
    if astray or not all(verdict.shown for verdict in verdicts):
        raise typer.Exit(1)


async def _examine(matrix: bool) -> tuple[list[Verdict], dict[str, list[str]]]:
    async with open_scratch_database(Settings.from_env(os.environ), tell) as template:
        return await examine_all(template, tell), await examine_matrix(template, tell) if matrix else {}


def _table(verdicts: list[Verdict]) -> Table:
    table = Table("", "invariant", "as built", "with its mutant", "seen")
    for number, verdict in enumerate(verdicts, start=1):
        built = "[green]holds" if verdict.as_built is None else f"[bold red]tripped: {verdict.as_built}"
        mutated = "[bold red]holds" if verdict.with_mutant is None else "[green]tripped"
        table.add_row(str(number), verdict.row.says, built, mutated, verdict.with_mutant or "")
    return table
