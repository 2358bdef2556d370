"""What is measured, how the figures are brought together, and the goals they are held to. Pure.

The shape of `bench.json` is a promise: `Report.plain` is the only place that writes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.benchmarks.figures import median, microseconds_each
from infra.benchmarks.plan import Door, Outcome

TPCB, MINIMAL, NAIVE = "tpcb_per_s", "minimal_per_s", "naive_orm_per_s"
FIRST = "pay_zipf_128"
"""The result that others are compared with."""
HALF_LOAD = "pay_half_load"


@dataclass(frozen=True)
class Measurement:
    """One result to be measured, on a database and a server of its own."""

    name: str
    connections: int = 128
    door: Door = Door.WALLET
    one_store: bool = False
    long_ledger: bool = False
    """On the ledger with millions of rows, not on the empty one."""
    plain: bool = False
    """One by one through FastAPI, without the fast path."""
    half_load: bool = False
    """Arrivals at half the rate that `FIRST` reached in the same run."""


MEASUREMENTS = (
    Measurement(FIRST),
    Measurement("pay_10m_rows_128", long_ledger=True),
    Measurement("pay_zipf_32", connections=32),
    Measurement("pay_one_store_128", one_store=True),
    Measurement("pay_codes_128", door=Door.STORE),
    Measurement(HALF_LOAD, half_load=True),
    Measurement("pay_plain_128", plain=True),
)
QUICK = tuple(each for each in MEASUREMENTS if each.name in {FIRST, "pay_one_store_128", "pay_codes_128"})


@dataclass(frozen=True)
class Cpu:
    """Seconds of processor time while payments were taken."""

    python_s: float
    postgres_s: float
    load_s: float


@dataclass(frozen=True)
class Repetition:
    outcome: Outcome
    cpu: Cpu


@dataclass
class Findings:
    """What one measurement has brought so far. Warm-ups are counted and checked, but not timed."""

    measurement: Measurement
    payers: int = 0
    """Who pays: everybody that the warm-up reached."""
    repetitions: list[Repetition] = field(default_factory=list)
    acknowledged: int = 0
    stored: int = 0
    proofs: list[bool] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return median([each.outcome.per_s for each in self.repetitions])

    def plain(self, tpcb_per_s: float) -> dict[str, Any]:
        """The result as `bench.json` has it."""
        outcomes = [each.outcome for each in self.repetitions]
        paid = sum(each.acknowledged for each in outcomes)
        cpu = [each.cpu for each in self.repetitions]
        return {
            "name": self.measurement.name,
            "per_s": round(self.per_s, 1),
            "ratio_tpcb": round(self.per_s / tpcb_per_s, 3),
            "p50_ms": round(median([each.p50_ms for each in outcomes]), 3),
            "p99_ms": round(median([each.p99_ms for each in outcomes]), 3),
            "cpu_us": {
                "python": round(microseconds_each(sum(each.python_s for each in cpu), paid), 1),
                "postgres": round(microseconds_each(sum(each.postgres_s for each in cpu), paid), 1),
                "load": round(microseconds_each(sum(each.load_s for each in cpu), paid), 1),
            },
            "acknowledged": self.acknowledged,
            "stored": self.stored,
            "proof_clean": bool(self.proofs) and all(self.proofs),
            "connections": self.measurement.connections,
            "payers": self.payers,
            "requests_per_s": round(median([each.requests / each.elapsed_s for each in outcomes]), 1),
            "repetitions_per_s": [round(each.per_s, 1) for each in outcomes],
            "problems": list(self.problems),
        }


@dataclass(frozen=True)
class Goal:
    """A figure that a result must reach (`at_least`) or stay within."""

    name: str
    words: str
    found: float
    bound: float
    at_least: bool
    judged: bool = True
    """Whether what it is compared with is itself to be believed."""

    @property
    def reached(self) -> bool | None:
        """None for what is not judged."""
        if not self.judged:
            return None
        return self.found >= self.bound if self.at_least else self.found <= self.bound


TPCB_GOALS = {FIRST: 2.0, "pay_one_store_128": 1.6}
FIRST_GOALS = {"pay_10m_rows_128": 0.9, "pay_codes_128": 0.7}
MOST_P99_OF_P50 = 5.0
MOST_P99_OF_QUIET = 2.0
MOST_QUIET_OF_HALF_LOAD = 5.0
"""Beyond so many times the p99 of `pay_half_load`, a quiet p99 is not quiet.

Both are the same payments at half the greatest rate, in the same run; the one before settlement has a longer history
or expired lots beside it, which cost a part more and not several times as much. A disturbed minute showed 765 ms where
20 are usual: beside it any work looks harmless, so that the ratio is told and not judged.
"""


def goals(results: Sequence[Mapping[str, Any]], settling: Sequence[Mapping[str, Any]] = ()) -> list[Goal]:
    """The goals that can be judged by these results."""
    by_name = {each["name"]: each for each in results}
    found = [
        Goal(name, "times TPC-B", by_name[name]["ratio_tpcb"], bound, at_least=True)
        for name, bound in TPCB_GOALS.items()
        if name in by_name
    ]
    if FIRST in by_name:
        first = by_name[FIRST]["per_s"]
        found += [
            Goal(name, f"of {FIRST}", round(by_name[name]["per_s"] / first, 3), bound, at_least=True)
            for name, bound in FIRST_GOALS.items()
            if name in by_name
        ]
    half = by_name.get(HALF_LOAD)
    if half is not None:
        ratio = round(half["p99_ms"] / half["p50_ms"], 2)
        found.append(Goal(HALF_LOAD, "p99 of p50", ratio, MOST_P99_OF_P50, at_least=False))
    return found + [
        Goal(
            *(each["name"], "payments' p99 of its quiet value", each["ratio_p99"], MOST_P99_OF_QUIET),
            at_least=False,
            judged=not disturbed(each, half),
        )
        for each in settling
    ]


def disturbed(settled: Mapping[str, Any], half_load: Mapping[str, Any] | None) -> list[str]:
    """In words, why a settlement's ratio says nothing: its quiet payments were not. Nothing without a half load."""
    if half_load is None or settled["p99_quiet_ms"] <= MOST_QUIET_OF_HALF_LOAD * half_load["p99_ms"]:
        return []
    return [
        f"the quiet p99 of {settled['p99_quiet_ms']:.1f} ms is more than {MOST_QUIET_OF_HALF_LOAD:.0f} times that of"
        f" pay_half_load in this run ({half_load['p99_ms']:.1f} ms): the machine was disturbed, the ratio is not judged"
    ]


@dataclass(frozen=True)
class Report:
    """A whole run."""

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    references: Mapping[str, Sequence[float]]
    findings: Sequence[Findings]
    settling: Sequence[Mapping[str, Any]] = ()
    """Settlement and expiry beside payments, in their own shape."""
    further_faults: Sequence[str] = ()
    """Theirs, and what the full proofs at the end found."""

    @property
    def faults(self) -> list[str]:
        """Why this run proves nothing but a fault; none when every payment is accounted for."""
        found = [f"{each.measurement.name}: {words}" for each in self.findings for words in each.problems]
        found += [
            f"{each.measurement.name}: {each.acknowledged} payments were acknowledged, {each.stored} are stored"
            for each in self.findings
            if each.acknowledged != each.stored
        ]
        found += [
            f"{each.measurement.name}: the proof was not clean"
            for each in self.findings
            if not each.proofs or not all(each.proofs)
        ]
        return [*found, *self.further_faults]

    def plain(self) -> dict[str, Any]:
        """The content of `bench.json`."""
        tpcb = median(self.references[TPCB])
        results = [each.plain(tpcb) for each in self.findings]
        half = next((each for each in results if each["name"] == HALF_LOAD), None)
        return {
            "machine": dict(self.machine),
            "settings": dict(self.settings),
            "references": {name: round(median(values), 1) for name, values in self.references.items()},
            "results": results,
            "settling": [{**each, "warnings": disturbed(each, half)} for each in self.settling],
            "goals": [{**vars(each), "reached": each.reached} for each in goals(results, self.settling)],
            "faults": self.faults,
        }
