"""`tanabata prove`: recompute everything from the postings and compare with every other table.

Exit code 0 when every law holds, 1 when one does not. It reads one snapshot and may run while the
city pays; a broken law names one of the rows that break it.
"""

import json
import os
from typing import Annotated

import typer
from rich.table import Column, Table

from infra.console import out, run, tell
from infra.database.connect import JOBS
from infra.database.provision import open_database
from infra.settings import Settings
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.proof.proof import Proof
from services.proof.prove import prove as recompute


def prove(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Prove the books, every law from the postings alone; exit code 1 when one is broken."""
    proof = run(_prove)
    if as_json:
        print(json.dumps(proof.plain()))
    else:
        out.print(_table(proof))
        broken = len(proof.broken)
        out.print(f"[bold red]{broken} of {len(proof.checks)} laws are broken" if broken else "[green]clean")
    if not proof.clean:
        raise typer.Exit(1)


async def _prove() -> Proof:
    async with open_database(Settings.from_env(os.environ), tell) as handle:
        engine = handle.app_engine(pool_size=1, limits=JOBS)
        try:
            async with Database(engine, OffsetClock(), SecretEntropy()).begin() as tx:
                return await recompute(tx)
        finally:
            await engine.dispose()


def _table(proof: Proof) -> Table:
    longest = max(len(check.name) for check in proof.checks)
    table = Table(
        Column("law", no_wrap=True, min_width=longest),
        Column("expected", justify="right"),
        Column("found", justify="right"),
        "",
        "broken by",
    )
    for check in proof.checks:
        verdict = "[green]holds" if check.ok else "[bold red]broken"
        table.add_row(check.name, f"{check.expected:,}", f"{check.found:,}", verdict, check.example or "")
    return table
