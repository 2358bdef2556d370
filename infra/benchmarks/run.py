"""`make bench`: payments over HTTP against the database's own benchmark, in one run on one machine.

Law: a figure counts only when every acknowledged payment is in the table and the books prove clean; the
exit code is 1 when not. A goal that is missed is shown, and is no fault: a slow machine is not a wrong one.
References and results take turns, and medians are compared, so that a noisy minute meets all alike.
"""

import asyncio
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Annotated

import typer

from infra.benchmarks import checks, settling, tables
from infra.benchmarks.chart import draw
from infra.benchmarks.machine import machine
from infra.benchmarks.processes import Served
from infra.benchmarks.results import (
    FIRST,
    MEASUREMENTS,
    MINIMAL,
    NAIVE,
    QUICK,
    TPCB,
    Measurement,
    Report,
)
from infra.benchmarks.settling import Amounts, Settled
from infra.benchmarks.show import show
from infra.benchmarks.stage import QUICK_SIZES, Sizes, Stage, Subject, naive_served, staged, subjects
from infra.console import complain, run, tell
from infra.settings import PROJECT, default_data_dir

AMOUNTS = Amounts()
_PROOFS_AT_ONCE = 2


@dataclass
class Clock:
    """Says which step this is of how many, and how long it has taken so far."""

    steps: int
    tell: Callable[[str], None]
    step: int = 0
    started: float = 0.0

    def next(self, words: str) -> None:
        self.step += 1
        self.say(f"[{self.step}/{self.steps}] {words}")

    def say(self, words: str) -> None:
        if not self.started:
            self.started = time.monotonic()
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        self.tell(f"{minutes:3}:{seconds:02}  {words}")


async def bench(
    folder: Path,
    measurements: Sequence[Measurement],
    sizes: Sizes,
    say: Callable[[str], None],
    *,
    naive: bool,
    amounts: Amounts | None,
    durable: bool = True,
) -> Report:
    """The whole run: rounds of references and results taking turns, then the full proofs.

    `naive` takes the ORM application in among the references; `amounts` says how much is settled and
    expired beside payments, None leaves that out.
    """
    clock = Clock(2 * len(measurements) * sizes.rounds + len(measurements) + (amounts is not None), say)
    clock.say("starting the database")
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(folder, sizes, clock.say, durable=durable))
        found = await stack.enter_async_context(subjects(stage, measurements))
        orm = await stack.enter_async_context(naive_served(stage)) if naive else None
        async with checks.owner(stage.small) as connection:
            settings = await tables.settings(connection)
        references: dict[str, list[float]] = defaultdict(list)
        turns = cycle([TPCB, MINIMAL, TPCB, NAIVE] if naive else [TPCB, MINIMAL])
        for number in range(1, sizes.rounds + 1):
            for subject in found:
                await _refer(stage, orm, next(turns), references, clock)
                await _measure(stage, subject, found, number, clock)
        settled = await _settle(stage, found, amounts, clock) if amounts else []
        faults = [words for each in settled for words in each.faults]
        faults += await _prove_all(found, clock)
        findings = [each.findings for each in found]
        return Report(machine(), settings, references, findings, [each.plain() for each in settled], faults)


async def _refer(stage: Stage, orm: Served | None, name: str, references: dict[str, list[float]], clock: Clock) -> None:
    sizes = stage.sizes
    clock.next(f"reference {name}")
    async with checks.owner(stage.small) as connection:
        await tables.checkpoint(connection)
    if name == TPCB:
        rate = await stage.pgbench.tpcb(sizes.reference_seconds)
    elif name == MINIMAL or orm is None:
        rate = await stage.pgbench.minimal(sizes.reference_seconds, sizes.payers, sizes.tills)
    else:
        rate = await stage.naive(orm, sizes.reference_seconds)
    references[name].append(rate)
    clock.say(f"    {rate:,.0f} a second")


async def _measure(stage: Stage, subject: Subject, found: Sequence[Subject], number: int, clock: Clock) -> None:
    measurement = subject.findings.measurement
    clock.next(f"{measurement.name}, repetition {number} of {stage.sizes.rounds}")
    rate = None
    if measurement.half_load:
        rate = _half_rate(found)
    outcome = (await stage.repeat(subject, rate)).outcome
    clock.say(f"    {outcome.per_s:,.0f} a second, p50 {outcome.p50_ms:.1f} ms, p99 {outcome.p99_ms:.1f} ms")
    for words in subject.findings.problems:
        clock.say(f"    WRONG: {words}")


async def _settle(stage: Stage, found: Sequence[Subject], amounts: Amounts, clock: Clock) -> list[Settled]:
    clock.next("settlement and expiry beside payments")
    return await settling.run(stage, _half_rate(found), amounts)


def _half_rate(found: Sequence[Subject]) -> float:
    """Half of what the first result reached so far in this run."""
    [first] = [each for each in found if each.findings.measurement.name == FIRST]
    return first.findings.per_s / 2


async def _prove_all(found: Sequence[Subject], clock: Clock) -> list[str]:
    """All books, two at a time: nothing is timed any more, and each proof keeps one processor busy."""
    at_once = asyncio.Semaphore(_PROOFS_AT_ONCE)

    async def prove(subject: Subject) -> list[str]:
        async with at_once:
            return await _prove(subject, clock)

    async with asyncio.TaskGroup() as group:
        proving = [group.create_task(prove(subject)) for subject in found]
    return [words for each in proving for words in each.result()]


async def _prove(subject: Subject, clock: Clock) -> list[str]:
    name = subject.findings.measurement.name
    clock.next(f"proving all of {name}")
    proof = await checks.proof(subject.handle)
    return [f"{name}: in the full proof {each.name} is broken: {each.example}" for each in proof.broken]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="The references and three results, in about two minutes.")] = (
        False
    ),
    as_json: Annotated[Path, typer.Option("--json", help="Where the figures go.")] = Path("bench.json"),
    chart: Annotated[Path | None, typer.Option(help="Where a drawing of them goes, as SVG.")] = None,
    data: Annotated[Path | None, typer.Option(help="The benchmark's own data folder.")] = None,
) -> None:
    """Measure payments over HTTP against pgbench on the embedded PostgreSQL."""
    if sys.platform != "linux":
        complain("the benchmark counts processor time as Linux tells it, and runs there only")
        raise typer.Exit(2)
    folder = data or data_folder()
    measurements, sizes = (QUICK, QUICK_SIZES) if quick else (MEASUREMENTS, Sizes())
    tell(f"the benchmark's data is kept in {folder}")
    amounts = None if quick else AMOUNTS
    report = run(lambda: bench(folder, measurements, sizes, tell, naive=not quick, amounts=amounts))
    found = report.plain()
    as_json.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    if chart is not None:
        draw(found, chart)
    show(found)
    for fault in report.faults:
        complain(fault)
    if report.faults:
        raise typer.Exit(1)


def data_folder() -> Path:
    """Beside the data of `make run`, under a name of its own: `.data-bench`, or where root's server may go."""
    usual = default_data_dir(PROJECT, as_root=os.geteuid() == 0)
    return usual.with_name(f"{usual.name}-bench")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
