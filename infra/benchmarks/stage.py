"""Everything that stands while a benchmark runs: databases, servers, the generator, the reference.

Every measurement has a database and a server of its own from the first repetition to the last, so that
rounds can take turns; between its turns a server does nothing. What was cloned is dropped at the end,
what was built at length (the template) stays for the next run.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from infra.benchmarks import checks, cpu, ground
from infra.benchmarks.pgbench import Pgbench
from infra.benchmarks.plan import Door, Order, Outcome
from infra.benchmarks.processes import Generator, Served, generator, serving, serving_naive
from infra.benchmarks.results import Cpu, Findings, Measurement, Repetition
from infra.database.embedded import EmbeddedPostgres
from infra.database.locks import FileLock, InUse
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP, MIGRATOR

Tell = Callable[[str], None]

SCHEMA = "tanabata"
WARM_UP_S = 25.0
"""A slower server is warmed up with fewer people, and then only those pay."""
TOKENS_RENEWED_S = 22 * 60.0
"""These tokens live for half an hour, and nothing that is begun with them takes five minutes. When they are renewed
every server has to get to know them again, which takes two minutes of a run."""
HEADROOM = 1.5
"""How many more requests are made than the last rate would need."""
FIRST_GUESS_PER_S = 15_000.0


@dataclass(frozen=True)
class Sizes:
    """How large and how long."""

    payers: int = ground.PAYERS
    tills: int = ground.TILLS
    postings: int = 10_000_000
    tpcb_scale: int = 50
    rounds: int = 3
    seconds: float = 8.0
    reference_seconds: int = 5
    most_payments: int = 1_000_000
    """Of one repetition: all of its requests are in memory before the clock starts."""


QUICK_SIZES = Sizes(seconds=4.0, reference_seconds=3)


@dataclass
class Subject:
    """What one measurement is made on, and what it has brought so far."""

    findings: Findings
    handle: DatabaseHandle
    served: Served
    warm_since: float = -math.inf
    per_s: float = FIRST_GUESS_PER_S
    seed: int = 0


@dataclass
class Stage:
    """The benchmark's world; see `staged`."""

    sizes: Sizes
    folder: Path
    postgres: EmbeddedPostgres
    pgbench: Pgbench
    load: Generator
    small: DatabaseHandle
    tell: Tell
    signed_in: float = -math.inf
    naive_seed: int = 0

    async def warm(self, subject: Subject) -> None:
        """One untimed payment of every payer, so that nobody's token or phone is a stranger when the clock runs."""
        if time.monotonic() - self.signed_in > TOKENS_RENEWED_S:
            await self.load.sign_in()
            self.signed_in = time.monotonic()
        if subject.warm_since >= self.signed_in:
            return
        subject.findings.payers = self.sizes.payers
        subject.per_s = FIRST_GUESS_PER_S
        order = self.order(subject, WARM_UP_S)
        outcome, _ = await self.perform(subject, replace(order, warm_up=True, per_s=None))
        subject.per_s = _rate(outcome)
        subject.findings.payers = max(outcome.payments, 1)
        subject.warm_since = time.monotonic()

    async def repeat(self, subject: Subject, per_s: float | None = None, seconds: float | None = None) -> Repetition:
        """One timed repetition, of the usual length unless told; a rate makes arrivals independent of answers."""
        await self.warm(subject)
        subject.per_s = max(subject.per_s, per_s or 0.0)
        order = self.order(subject, seconds or self.sizes.seconds)
        outcome, used = await self.perform(subject, replace(order, per_s=per_s))
        subject.per_s = _rate(outcome)
        repetition = Repetition(outcome, used)
        subject.findings.repetitions.append(repetition)
        return repetition

    def order(self, subject: Subject, seconds: float) -> Order:
        """A repetition for the generator; each has chances of its own, and all are the same in every run."""
        measurement = subject.findings.measurement
        subject.seed += 1
        return Order(
            door=measurement.door,
            port=subject.served.port,
            connections=measurement.connections,
            seconds=seconds,
            most_payments=min(int(seconds * subject.per_s * HEADROOM), self.sizes.most_payments),
            payers=subject.findings.payers,
            tills=1 if measurement.one_store else self.sizes.tills,
            seed=subject.seed,
            acknowledged_file=str(self.folder / "acknowledged.txt"),
        )

    async def perform(self, subject: Subject, order: Order) -> tuple[Outcome, Cpu]:
        """Prepare, count, send, count again, and hold every acknowledgement against the table."""
        findings = subject.findings
        await self.load.prepare(order)
        before = await checks.look(subject.handle)
        python, postgres = cpu.of_process(subject.served.pid), cpu.of_family(self.postgres.pid)
        outcome = await self.load.go(order)
        used = Cpu(
            cpu.of_process(subject.served.pid) - python,
            cpu.of_family(self.postgres.pid) - postgres,
            outcome.load_cpu_s,
        )
        after = await checks.compare(subject.handle, before, _lines(order.acknowledged_file))
        findings.acknowledged += outcome.acknowledged
        findings.stored += after.stored
        findings.problems += [*outcome.problems, *after.problems]
        proof = await checks.proof(subject.handle, before.since)
        findings.proofs.append(proof.clean)
        findings.problems += [f"broken law {each.name}: {each.example}" for each in proof.broken]
        return outcome, used

    async def naive(self, subject: Served, seconds: float) -> float:
        """Payments of the ORM application a second. Its books are not ours to prove."""
        self.naive_seed += 1
        order = Order(
            door=Door.NAIVE,
            port=subject.port,
            connections=NAIVE_CONNECTIONS,
            seconds=seconds,
            most_payments=min(int(seconds * NAIVE_MOST_PER_S), self.sizes.most_payments),
            payers=self.sizes.payers,
            tills=self.sizes.tills,
            seed=self.naive_seed,
            acknowledged_file=str(self.folder / "acknowledged-naive.txt"),
        )
        await self.load.prepare(order)
        outcome = await self.load.go(order)
        if outcome.problems:
            raise NaiveFailed("; ".join(outcome.problems))
        return _rate(outcome)


NAIVE_CONNECTIONS = 32
NAIVE_MOST_PER_S = 3_000


class NothingPaid(Exception):
    """Not one payment was acknowledged, so that there is no rate; the message says what came instead."""


class NaiveFailed(Exception):
    """The ORM application answered with something else than payments."""


@asynccontextmanager
async def staged(folder: Path, sizes: Sizes, tell: Tell, *, durable: bool = True) -> AsyncIterator[Stage]:
    """A server of our own at `folder`, the references' databases on it, and a generator.

    `durable=False` gives up honest figures for speed; only tests may.
    """
    async with EmbeddedPostgres(folder, durable=durable, tell=tell) as postgres, _alone(folder):
        handle = DatabaseHandle(postgres.dsn(APP), postgres.dsn(MIGRATOR), SCHEMA)
        pgbench = Pgbench(postgres, sizes.tpcb_scale)
        tell("preparing the references: pgbench's tables, and a small schema")
        small = await pgbench.prepare(handle, sizes.payers)
        async with generator(sizes.payers, sizes.tills, folder) as load:
            yield Stage(sizes, folder, postgres, pgbench, load, small, tell)


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Two runs at once would measure, and drop, each other. Raises InUse."""
    lock = FileLock(folder / "bench.lock")
    if not lock.try_alone():
        raise InUse(f"another benchmark runs in {folder}; wait for it, or name another folder with --data")
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def subjects(stage: Stage, measurements: Sequence[Measurement]) -> AsyncIterator[list[Subject]]:
    """For each measurement a fresh copy of its template, and a server on it."""
    server = DatabaseHandle(stage.postgres.dsn(APP), stage.postgres.dsn(MIGRATOR), SCHEMA)
    async with AsyncExitStack() as stack:
        copies = [await stack.enter_async_context(_copy(stage, server, each)) for each in measurements]
        stage.tell("starting the servers")
        starting = [
            await stack.enter_async_context(serving(handle, stage.folder, plain=each.plain))
            for each, handle in zip(measurements, copies, strict=True)
        ]
        yield [
            Subject(Findings(each), handle, await server_of_it.ready())
            for each, handle, server_of_it in zip(measurements, copies, starting, strict=True)
        ]


@asynccontextmanager
async def naive_served(stage: Stage) -> AsyncIterator[Served]:
    """The ORM application on the small schema."""
    async with serving_naive(stage.small.migrator_url) as starting:
        yield await starting.ready()


@asynccontextmanager
async def _copy(stage: Stage, server: DatabaseHandle, measurement: Measurement) -> AsyncIterator[DatabaseHandle]:
    sizes = stage.sizes
    postings = sizes.postings if measurement.long_ledger else 0
    template = await ground.template(server, payers=sizes.payers, tills=sizes.tills, postings=postings, tell=stage.tell)
    name = f"bench_{measurement.name}"
    await ground.drop(server, name)
    stage.tell(f"copying {template} for {measurement.name}")
    handle = await ground.clone(server, template, name)
    try:
        yield handle
    finally:
        await asyncio.shield(ground.drop(server, name))


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _rate(outcome: Outcome) -> float:
    """Distinct acknowledged payments a second. Raises NothingPaid."""
    if not outcome.acknowledged:
        raise NothingPaid("; ".join(outcome.problems) or "no payment was sent")
    return outcome.per_s
