"""Settlement and expiry at full size while stores take payments: how long they take, and what a payment notices.

Each is done twice on equal databases: alone, to know how long it takes, and under payments that arrive at
half the greatest rate, beside which it rests between its pieces: it takes longer than the payments are watched.
Their p99 is compared with that of the same payments just before, and with that beside a process that only counts;
where these payments before were disturbed themselves, `results.disturbed` says so and nothing is judged.
What comes out is checked: the bank file by the strict reader, the books by the proof.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.benchmarks import checks, due, ground
from infra.benchmarks.figures import median
from infra.benchmarks.pattern import APPROVER, OFFICER, PROGRAMME
from infra.benchmarks.plan import Order, Outcome
from infra.benchmarks.processes import counting, serving
from infra.benchmarks.results import Findings, Measurement
from infra.benchmarks.stage import SCHEMA, Stage, Subject
from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP, MIGRATOR
from infra.rests import TIMES
from infra.timekeeping import offset_of
from infra.worker import close_at_leisure, expire_points
from services.kit.clock import OffsetClock, civil_date
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.settlement.approve import ApproveFile, approve
from services.settlement.calendar import BankCalendar
from services.settlement.close import Close
from services.settlement.pay_out import Download, download
from services.settlement.propose import ProposeFile, propose
from services.settlement.zengin import read_transfer_file

LEAST_S = 5.0
"""Payments are watched at least so long: a p99 of a moment says nothing."""


@dataclass(frozen=True)
class Amounts:
    """How much there is to do."""

    stores: int = 2_000
    payments: int = 1_000_000
    lots: int = 100_000


@dataclass(frozen=True)
class Work:
    """What was done, in how many seconds, and what is wrong with it, in sentences."""

    seconds: float
    counts: dict[str, int]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settled:
    """One result."""

    name: str
    alone: Work
    busy: Work
    quiet: Outcome
    counting: Outcome
    """Payments beside a process that only counts."""
    during: Outcome
    findings: Findings

    @property
    def faults(self) -> list[str]:
        """Why this result proves nothing but a fault."""
        found = [*self.findings.problems, *self.alone.problems, *self.busy.problems]
        if self.alone.counts != self.busy.counts:
            found.append(f"alone it did {self.alone.counts}, beside payments {self.busy.counts}")
        return [f"{self.name}: {words}" for words in found]

    def plain(self) -> dict[str, Any]:
        """The result as `bench.json` has it."""
        return {
            "name": self.name,
            "seconds": round(self.busy.seconds, 2),
            "seconds_alone": round(self.alone.seconds, 2),
            "p99_quiet_ms": round(self.quiet.p99_ms, 3),
            "p99_counting_ms": round(self.counting.p99_ms, 3),
            "p99_during_ms": round(self.during.p99_ms, 3),
            "ratio_counting": round(self.counting.p99_ms / self.quiet.p99_ms, 2),
            "ratio_p99": round(self.during.p99_ms / self.quiet.p99_ms, 2),
            "p50_quiet_ms": round(self.quiet.p50_ms, 3),
            "p50_during_ms": round(self.during.p50_ms, 3),
            "payments_per_s": round(median([self.quiet.per_s, self.during.per_s]), 1),
            "acknowledged": self.findings.acknowledged,
            "stored": self.findings.stored,
            "proof_clean": all(self.findings.proofs),
            **self.busy.counts,
            "problems": self.faults,
        }


async def run(stage: Stage, per_s: float, amounts: Amounts = Amounts()) -> list[Settled]:
    """`close_1m` and `expire_100k`, beside payments that arrive at `per_s`."""
    server = DatabaseHandle(stage.postgres.dsn(APP), stage.postgres.dsn(MIGRATOR), SCHEMA)
    payers, tell = stage.sizes.payers, stage.tell
    history = await ground.template(
        server, payers=payers, tills=amounts.stores, postings=3 * amounts.payments, tell=tell
    )
    plain = await ground.template(server, payers=payers, tills=stage.sizes.tills, tell=tell)
    async with _copy(server, history, "bench_to_close") as handle:
        tell("closing every day but the last")
        await due.one_close_for_all(handle)
        closed = await _measured(stage, server, "close_1m", "bench_to_close", settle, per_s)
    async with _copy(server, plain, "bench_to_expire") as handle:
        tell(f"granting {amounts.lots:,} lots that have expired since")
        await due.lots_that_expired(handle, amounts.lots, payers)
        expired = await _measured(stage, server, "expire_100k", "bench_to_expire", expire, per_s)
    return [closed, expired]


async def settle(database: Database) -> Work:
    """From the close to the approved bank file, as the officers and the job do it."""
    [day] = await due.closings(database)
    started = time.perf_counter()
    books = await close_at_leisure(database, Close(PROGRAMME, day.closing_date, None))
    calendar, today = BankCalendar(), civil_date(database.clock.now())
    pay_day = today if calendar.is_business_day(today) else calendar.next_business_day(today)
    pay_day = max(pay_day, books.transfer_date)
    proposed = await database.transact(propose, ProposeFile(PROGRAMME, pay_day, OFFICER))
    file = proposed.file
    await database.transact(approve, ApproveFile(file.id, file.sha256, APPROVER))
    content = (await database.transact(download, Download(file.id, OFFICER))).content
    seconds = time.perf_counter() - started
    [batch] = read_transfer_file(content, pay_day)
    written = (len(batch.transfers), sum(each.amount_yen for each in batch.transfers))
    held_yen = sum(each.amount_yen for each in proposed.held)
    problems = []
    if written != (file.transfers, file.total_yen):
        problems.append(f"the bank file says {written}, its record {(file.transfers, file.total_yen)}")
    if file.total_yen + held_yen != books.payout_yen:
        problems.append(f"{books.payout_yen} yen are due, the file and what is held make {file.total_yen + held_yen}")
    counts = {"statements": books.statements, "transfers": file.transfers, "bytes": len(content)}
    return Work(seconds, counts, tuple(problems))


async def expire(database: Database) -> Work:
    """Everything that is due, as the job does it."""
    started = time.perf_counter()
    lots = await expire_points(database)
    return Work(time.perf_counter() - started, {"lots": lots})


async def _measured(
    stage: Stage,
    server: DatabaseHandle,
    name: str,
    template: str,
    work: Callable[[Database], Awaitable[Work]],
    per_s: float,
) -> Settled:
    async with _copy(server, template, f"bench_{name}_alone") as handle:
        alone = await _do(handle, work)
    stage.tell(f"{name}: {alone.seconds:.1f} s alone")
    async with _copy(server, template, f"bench_{name}") as handle, serving(handle, stage.folder) as starting:
        findings = Findings(Measurement(name, half_load=True))
        subject = Subject(findings, handle, await starting.ready())
        await stage.warm(subject)
        quiet, _ = await _pay(stage, subject, per_s, max(LEAST_S, alone.seconds), None)
        async with counting():
            reference, _ = await _pay(stage, subject, per_s, max(LEAST_S, alone.seconds), None)
        during, busy = await _pay(stage, subject, per_s, max(LEAST_S, TIMES * alone.seconds), work)
        proof = await checks.proof(handle)
        findings.proofs.append(proof.clean)
        findings.problems += [f"broken law {each.name}: {each.example}" for each in proof.broken]
    if busy is None:
        raise AssertionError("unreachable")
    stage.tell(
        f"{name}: {busy.seconds:.1f} s beside payments, p99 {quiet.p99_ms:.1f} then {during.p99_ms:.1f} ms"
        f" ({reference.p99_ms:.1f} beside a process that counts)"
    )
    return Settled(name, alone, busy, quiet, reference, during, findings)


async def _pay(
    stage: Stage,
    subject: Subject,
    per_s: float,
    seconds: float,
    work: Callable[[Database], Awaitable[Work]] | None,
) -> tuple[Outcome, Work | None]:
    """Payments for some seconds, and the work meanwhile, which begins with them."""
    subject.per_s = max(subject.per_s, per_s)
    order = replace(stage.order(subject, seconds), per_s=per_s)
    await stage.load.prepare(order)
    before = await checks.look(subject.handle)
    async with asyncio.TaskGroup() as group:
        paying = group.create_task(stage.load.go(order))
        working = group.create_task(_do(subject.handle, work)) if work else None
    outcome = paying.result()
    after = await checks.compare(subject.handle, before, _acknowledged(order))
    subject.findings.acknowledged += outcome.acknowledged
    subject.findings.stored += after.stored
    subject.findings.problems += [*outcome.problems, *after.problems]
    return outcome, working.result() if working else None


def _acknowledged(order: Order) -> list[str]:
    return Path(order.acknowledged_file).read_text().splitlines()


async def _do(handle: DatabaseHandle, work: Callable[[Database], Awaitable[Work]]) -> Work:
    """The work on connections of its own, with the clock and the limits of the platform's jobs."""
    engine = handle.app_engine(pool_size=2, limits=JOBS)
    try:
        return await work(Database(engine, OffsetClock(await offset_of(engine)), SecretEntropy()))
    finally:
        await engine.dispose()


@asynccontextmanager
async def _copy(server: DatabaseHandle, template: str, name: str) -> AsyncIterator[DatabaseHandle]:
    await ground.drop(server, name)
    handle = await ground.clone(server, template, name)
    try:
        yield handle
    finally:
        await asyncio.shield(ground.drop(server, name))
