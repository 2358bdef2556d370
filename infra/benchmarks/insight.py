"""`make bench-insight`: the lake and its figures, cold, and a day's refresh beside payments (docs/performance.md).

Every step is a process that has just started and has nothing in its memory; the operating system's cache is as it is.
What the refresh agrees with is the ledger, so a wrong lake is a failed run and not a figure.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from analytics.lake.manifest import read_manifest
from infra.benchmarks import checks, cpu, ground
from infra.benchmarks.plan import Outcome
from infra.benchmarks.processes import counting, serving
from infra.benchmarks.results import Findings, Goal, Measurement
from infra.benchmarks.run import data_folder
from infra.benchmarks.stage import SCHEMA, Sizes, Stage, Subject, staged
from infra.console import complain, out, run, tell
from infra.database.provision import DatabaseHandle
from infra.database.server_files import ANALYST, APP, MIGRATOR
from infra.held import held_back
from infra.rests import Asks, asks_of
from services.kit.clock import civil_date

PAYMENTS: Final = 10_000_000
WATCHED_S: Final = 24.0
"""Payments are watched so long, with refreshes one after the other beside them: three or four that are held back."""

_COPY: Final = "bench_insight"
_CONNECTIONS: Final = "2"


class ChildFailed(Exception):
    """A process of analytics ended with this exit code; its words are on the error stream."""


@dataclass(frozen=True)
class Step:
    """One cold process: seconds, its own processor time and PostgreSQL's, its largest memory, what it did."""

    name: str
    seconds: float
    cpu_s: float
    postgres_cpu_s: float
    peak_mb: float
    counts: Mapping[str, int]


async def measure(stage: Stage, payments: int) -> dict[str, Any]:
    """The part `insight` of `bench.json`: `steps`, `beside` payments, `problems`."""
    server = DatabaseHandle(
        stage.postgres.dsn(APP), stage.postgres.dsn(MIGRATOR), SCHEMA, None, stage.postgres.dsn(ANALYST)
    )
    sizes = stage.sizes
    template = await ground.template(
        server, payers=sizes.payers, tills=sizes.tills, postings=3 * payments, tell=stage.tell
    )
    await ground.drop(server, _COPY)
    handle = replace(await ground.clone(server, template, _COPY), analyst_url=server.inside(_COPY).analyst_url)
    root = stage.folder / "lake"
    shutil.rmtree(root, ignore_errors=True)
    try:
        end = date(civil_date(await _now(handle)).year, 1, 1)
        steps = [await _step(stage, handle, work, root, end) for work in ("refresh", "scan", "dashboard")]
        end = _last_paid(root) + timedelta(days=1)
        await _step(stage, handle, "refresh", root, end - timedelta(days=1))  # the last day is not in the lake now
        steps.append(replace(await _step(stage, handle, "refresh", root, end), name="day"))
        async with serving(handle, stage.folder) as starting:
            findings = Findings(Measurement(_COPY))
            subject = Subject(findings, handle, await starting.ready())
            beside = await _beside(stage, subject, root, end)
            problems = list(findings.problems)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        await asyncio.shield(ground.drop(server, _COPY))
    return {"payments": payments, "steps": [_plain(each) for each in steps], "beside": beside, "problems": problems}


def _last_paid(root: Path) -> date:
    """The last day with a payment: a town's history ends before its year does, and an empty day costs nothing."""
    return max(part.day for part in read_manifest(root).parts("spending") if part.day is not None)


async def _beside(stage: Stage, subject: Subject, root: Path, end: date) -> dict[str, Any]:
    """A third of the most that can be paid: alone, beside a process that only counts, and while days are refreshed."""
    most = (await stage.repeat(subject)).outcome.per_s
    quiet = (await stage.repeat(subject, most / 3, WATCHED_S)).outcome
    async with counting():
        reference = (await stage.repeat(subject, most / 3, WATCHED_S)).outcome
    paying = asyncio.create_task(stage.repeat(subject, most / 3, WATCHED_S))
    refreshes, seconds = 0, []
    async with checks.house(subject.handle) as database:
        asks = asks_of(database)
        while not paying.done():
            await _step(stage, subject.handle, "refresh", root, end - timedelta(days=1), asks)
            begun = await asks()
            day = await _step(stage, subject.handle, "refresh", root, end, asks)
            refreshes += 2
            if begun and await asks():  # else it was beside what is prepared before payments, or proven after them
                seconds.append(day.seconds)
    during: Outcome = (await paying).outcome
    return {
        "payments_per_s": round(most / 3, 1),
        "refreshes": refreshes,
        "seconds": round(statistics.median(seconds), 2) if seconds else None,
        "p99_quiet_ms": round(quiet.p99_ms, 3),
        "p99_counting_ms": round(reference.p99_ms, 3),
        "p99_during_ms": round(during.p99_ms, 3),
        "ratio_counting": round(reference.p99_ms / quiet.p99_ms, 2),
        "ratio_p99": round(during.p99_ms / quiet.p99_ms, 2),
    }


async def _step(
    stage: Stage, handle: DatabaseHandle, work: str, root: Path, end: date, asks: Asks | None = None
) -> Step:
    """One process from its start to its end; held back as the worker does while somebody pays, if it is asked."""
    figures = stage.folder / "insight-step.json"
    arguments = (work, str(root), str(figures), str(os.getpid()), end.isoformat(), _CONNECTIONS)
    before, started = cpu.of_family(stage.postgres.pid), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.benchmarks.insight_child", *arguments),
        stdout=asyncio.subprocess.PIPE,  # its end says that the process may be stopped
        env={**os.environ, "TANABATA_INSIGHT_URI": handle.insight_uri()},
        start_new_session=True,  # as the worker starts it: what steps back is this process, and not the benchmark
    )
    async with held_back(process, asks):
        await process.wait()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise ChildFailed(process.returncode)
    told = json.loads(figures.read_text())
    used = told.pop("cpu_s"), cpu.of_family(stage.postgres.pid) - before
    step = Step(work, seconds, *used, told.pop("peak_mb"), told)
    stage.tell(f"{work}: {seconds:.1f} s, {used[0]:.1f} + {used[1]:.1f} s of processor, {step.peak_mb:.0f} MB")
    return step


def goals(found: Mapping[str, Any]) -> list[Goal]:
    """Goal 6, where the lake has its full size."""
    if found["payments"] < PAYMENTS:
        return []
    by_name = {each["name"]: each for each in found["steps"]}
    bounds = {"refresh": 30.0, "dashboard": 30.0, "day": 2.0}
    seconds = [
        Goal(f"insight_{name}", "seconds", by_name[name]["seconds"], most, at_least=False)
        for name, most in bounds.items()
    ]
    memory = max(each["peak_mb"] for each in found["steps"])
    return [
        *seconds,
        Goal("insight_memory", "MB at most", memory, 1_536.0, at_least=False),
        Goal("insight_beside", "payments' p99 of its quiet value", found["beside"]["ratio_p99"], 1.5, at_least=False),
    ]


def main(
    payments: Annotated[int, typer.Option(min=1_000, max=PAYMENTS, help="In the ledger.")] = PAYMENTS,
    as_json: Annotated[Path, typer.Option("--json", help="The figures go in here, beside what is in it.")] = Path(
        "bench.json"
    ),
    data: Annotated[Path | None, typer.Option(help="The benchmark's own data folder.")] = None,
) -> None:
    """Measure the lake: a cold refresh, the dashboard, a day beside payments."""
    if sys.platform != "linux":
        complain("the benchmark counts processor time as Linux tells it, and runs there only")
        raise typer.Exit(2)
    found = run(lambda: _staged(data or data_folder(), payments))
    report = json.loads(as_json.read_text()) if as_json.exists() else {}
    judged = [{**asdict(goal), "reached": goal.reached} for goal in goals(found)]
    kept = [each for each in report.get("goals", []) if not each["name"].startswith("insight_")]
    report |= {"insight": found, "goals": [*kept, *judged]}
    as_json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    out.print_json(data=found)
    if found["problems"]:
        raise typer.Exit(1)


async def _staged(folder: Path, payments: int) -> dict[str, Any]:
    async with staged(folder, Sizes(seconds=6.0), tell) as stage:
        return await measure(stage, payments)


async def _now(handle: DatabaseHandle) -> Any:
    return (await checks.look(handle)).since


def _plain(step: Step) -> dict[str, Any]:
    plain: dict[str, Any] = {
        name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(step).items()
    }
    return {**{name: value for name, value in plain.items() if name != "counts"}, **step.counts}


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
