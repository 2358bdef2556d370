"""`tanabata audit verify`: whether anybody altered, removed or exchanged what was written.

It walks the hash chains of the audit log and of the ledger from their first entries, as the auditor's
role, and compares them with the anchors outside the database. Exit code 1 when anything is found; each
finding names the entry. With AUDITOR_DATABASE_URL, the anchors and their public key it needs nothing
of the installation's.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import locales
from infra.console import AsLangSays, out, reading, run, tell
from infra.database.connect import JOBS
from infra.database.provision import open_for_audit
from infra.keys import load_anchor_public_key
from infra.ports.anchor_reading import read_anchors
from infra.settings import Settings
from services.kit.anchors import Anchor
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.proof import verify as auditor
from services.proof.chain_walk import Fault, Finding

audit = typer.Typer(no_args_is_help=True, help="The audit log: whether it is what was written.")


@dataclass(frozen=True)
class _Outcome:
    verdicts: tuple[auditor.Verdict, ...]
    of_anchors: tuple[Finding, ...]
    anchors: tuple[Anchor, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.of_anchors, *(each for verdict in self.verdicts for each in verdict.findings))

    @property
    def faults(self) -> int:
        return len(self.of_anchors) + sum(verdict.faults for verdict in self.verdicts)


@audit.callback()
def of_the_log() -> None:
    """The audit log: whether it is what was written."""


@audit.command("verify")
def verify(
    anchors: Annotated[
        list[Path] | None,
        typer.Option(help="A file of anchors; given several times when older ones were put aside.", dir_okay=False),
    ] = None,
    language: AsLangSays = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find edited, missing, exchanged and cut off entries; exit code 1 when there is one."""
    chosen = reading(language)
    outcome = run(partial(_verify, anchors or []))
    if as_json:
        print(json.dumps(_plain(outcome), ensure_ascii=False))
    else:
        _report(outcome, chosen)
    if outcome.faults:
        raise typer.Exit(1)


async def _verify(files: Sequence[Path]) -> _Outcome:
    settings = Settings.from_env(os.environ)
    async with open_for_audit(settings, tell) as handle:
        engine = handle.auditor_engine(limits=JOBS)
        try:
            async with Database(engine, OffsetClock(), SecretEntropy()).begin() as tx:
                await auditor.open_snapshot(tx)
                noted = await auditor.noted_anchors(tx)
                given, found = _given(settings, files, anything=bool(noted))
                found += auditor.missing_anchors(noted, given)
                verdicts = []
                with _progress() as progress:
                    for chain in auditor.known_chains():
                        bar = progress.add_task(chain, total=await auditor.length(tx, chain))
                        verdicts.append(await auditor.verify(tx, chain, given, partial(progress.advance, bar)))
                return _Outcome(tuple(verdicts), tuple(found), tuple(given))
        finally:
            await engine.dispose()


def _given(settings: Settings, files: Sequence[Path], *, anything: bool) -> tuple[list[Anchor], list[Finding]]:
    """The anchors of the files that were named, or of the installation's. Where nothing was ever anchored, a
    missing file is no fault of its own; that anchoring never began is told by the walk."""
    paths = list(files) or [settings.anchors_file]
    if not files and not anything and not paths[0].exists():
        return [], []
    key = load_anchor_public_key(settings.anchor_key_file)
    given: list[Anchor] = []
    found: list[Finding] = []
    for path in paths:
        anchors, faults = read_anchors(path, key)
        given += anchors
        found += faults
    return given, found


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _plain(outcome: _Outcome) -> dict[str, object]:
    chains = [
        {"chain": each.chain, "entries": each.entries, "anchors": each.anchors, "faults": each.faults}
        for each in outcome.verdicts
    ]
    last = auditor.seen_at(outcome.anchors)
    return {
        "clean": not outcome.faults,
        "chains": chains,
        "last_anchor_at": None if last is None else last.isoformat(),
        "findings": [each.plain() for each in outcome.findings],
    }


def _report(outcome: _Outcome, language: str) -> None:
    """What was walked, then one sentence a finding."""
    for each in outcome.verdicts:
        name = locales.text(language, f"audit.chain.{each.chain}")
        said = {"chain": name, "entries": f"{each.entries:,}", "anchors": f"{each.anchors:,}"}
        _say(locales.text(language, "audit.walked", **said))
    if not outcome.anchors:
        _say(locales.text(language, "audit.no_anchors"))
    for finding in outcome.findings:
        _say(_sentence(finding, language))
    if not outcome.faults:
        _say(locales.text(language, "audit.clean"), style="green")
        return
    more = outcome.faults - len(outcome.findings)
    if more > 0:
        _say(locales.text(language, "audit.more", count=f"{more:,}"))
    _say(locales.text(language, "audit.faults", count=f"{outcome.faults:,}"), style="bold red")


def _sentence(finding: Finding, language: str) -> str:
    params = {"position": finding.position, "entry": finding.entry_id} | dict(finding.params)
    chain = locales.text(language, f"audit.chain.{finding.chain}")
    return f"{chain}: {locales.text(language, f'audit.fault.{Fault(finding.fault).value}', **params)}"


def _say(words: str, style: str | None = None) -> None:
    out.print(words, style=style, markup=False, highlight=False, soft_wrap=True)
