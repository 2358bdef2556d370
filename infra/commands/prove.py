"""`tanabata prove`: recompute everything from the postings and compare with every other table.

Exit code 0 when every law holds, 1 when one does not. It reads one snapshot and may run while the
city pays; a broken law names one of the rows that break it. `--since` asks only of what was written
since an instant, given that everything before was proven, and says which laws it did not ask
(docs/algorithms/proof.md).
"""

import json
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import typer
from rich.table import Column, Table

from infra.console import out, run, tell
from infra.database.connect import JOBS
from infra.database.provision import open_for_audit
from infra.settings import Settings
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.proof.proof import Proof
from services.proof.prove import prove as recompute

MOST_MINUTES = 60 * 24 * 366
"""Beyond a year there is no reason not to prove everything."""


def prove(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Prove only what is new since then, for instance 2026-04-06T12:00+09:00."),
    ] = None,
    since_minutes: Annotated[
        int | None, typer.Option(min=1, max=MOST_MINUTES, help="Prove only what is new since so many minutes.")
    ] = None,
) -> None:
    """Prove the books, every law from the postings alone; exit code 1 when one is broken."""
    now = datetime.now(UTC)
    proof = run(partial(_prove, _instant(since, since_minutes, now)))
    if as_json:
        print(json.dumps(proof.plain()))
    else:
        out.print(_table(proof))
        _conclude(proof)
    if not proof.clean:
        raise typer.Exit(1)


def _instant(since: str | None, minutes: int | None, now: datetime) -> datetime | None:
    """Since when; None to prove everything. Raises BadParameter for what is not an instant of the past."""
    if since is None:
        return None if minutes is None else now - timedelta(minutes=minutes)
    if minutes is not None:
        raise typer.BadParameter("give an instant or minutes, not both", param_hint="--since")
    try:
        instant = datetime.fromisoformat(since)
    except ValueError:
        wrong = f"{since!r} is not an instant such as 2026-04-06T12:00+09:00"
        raise typer.BadParameter(wrong, param_hint="--since") from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{since!r} has no offset; write for instance {since}+09:00", param_hint="--since")
    if instant > now:
        raise typer.BadParameter(f"{since!r} is yet to come", param_hint="--since")
    return instant


async def _prove(since: datetime | None) -> Proof:
    async with open_for_audit(Settings.from_env(os.environ), tell) as handle:
        engine = handle.auditor_engine(limits=JOBS)
        try:
            async with Database(engine, OffsetClock(), SecretEntropy()).begin() as tx:
                return await recompute(tx, since)
        finally:
            await engine.dispose()


def _table(proof: Proof) -> Table:
    longest = max(len(name) for name in (*(check.name for check in proof.checks), *proof.not_asked))
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
    for name in proof.not_asked:
        table.add_row(name, "", "", "[yellow]not asked", "")
    return table


def _conclude(proof: Proof) -> None:
    broken = len(proof.broken)
    verdict = f"[bold red]{broken} of {len(proof.checks)} laws are broken" if broken else "[green]clean"
    if proof.since is None:
        out.print(verdict)
        return
    out.print(f"{verdict}[/], of what is new since {proof.since.isoformat()}")
    out.print(f"[yellow]incremental: {len(proof.not_asked)} laws were not asked; only a full proof asks all of them")
