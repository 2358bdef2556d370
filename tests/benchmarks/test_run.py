"""The whole machine on a very small town: processes, databases, counting, proof, figures, exit code."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer import Typer
from typer.testing import CliRunner, Result

from infra.benchmarks import checks, run, settling, stage
from infra.benchmarks.checks import After, Before, compare, owner
from infra.benchmarks.plan import Outcome
from infra.benchmarks.results import MEASUREMENTS, Findings
from infra.benchmarks.settling import Amounts, Settled, Work
from infra.database.provision import DatabaseHandle
from infra.settings import PROJECT
from tests.memory import quick_folder

SIZES = stage.Sizes(
    payers=40,
    tills=3,
    postings=0,
    tpcb_scale=1,
    rounds=1,
    seconds=60.0,  # the number of payments ends a repetition, never the time
    reference_seconds=1,
    most_payments=200,
)
NAMES = ("pay_zipf_128", "pay_codes_128", "pay_half_load", "pay_plain_128")
SOME = tuple(replace(each, connections=8) for each in MEASUREMENTS if each.name in NAMES)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One data folder for these tests, where root's server may go; its template is built once."""
    path = quick_folder("tanabata-bench-test-")
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MEASUREMENTS", SOME)
    monkeypatch.setattr(run, "QUICK", SOME[:1])
    monkeypatch.setattr(run, "Sizes", lambda: SIZES)
    monkeypatch.setattr(run, "QUICK_SIZES", SIZES)
    monkeypatch.setattr(settling, "run", settled)


async def settled(_stage: stage.Stage, per_s: float, amounts: Amounts) -> list[Settled]:
    """What a settlement beside payments would bring; tests of its own try the real one."""
    assert per_s > 0
    assert amounts == Amounts()
    done, seen = Work(1.0, {"lots": 9}), Outcome(9, 9, 9, elapsed_s=1.0, load_cpu_s=0.1, p50_ms=1.0, p99_ms=2.0)
    return [Settled("expire_100k", done, done, seen, seen, seen, Findings(SOME[0], proofs=[True]))]


def invoke(folder: Path, *words: str) -> Result:
    app = Typer()
    app.command()(run.main)
    return CliRunner().invoke(app, [f"--data={folder / 'data'}", f"--json={folder / 'bench.json'}", *words])


@pytest.mark.usefixtures("small")
def test_a_run_accounts_for_every_payment_and_writes_its_figures(folder: Path) -> None:
    done = invoke(folder, f"--chart={folder / 'bench.svg'}")
    assert done.exit_code == 0, done.output
    found = json.loads((folder / "bench.json").read_text())
    assert found.keys() == {"machine", "settings", "references", "results", "settling", "goals", "faults"}
    assert found["settings"]["fsync"] == found["settings"]["synchronous_commit"] == "on"
    assert found["settings"].keys() >= {"full_page_writes", "wal_level", "shared_buffers", "max_wal_size"}
    assert found["machine"].keys() >= {"cpu", "cores", "memory_gib", "python"}
    assert found["references"].keys() == {"tpcb_per_s", "minimal_per_s", "naive_orm_per_s"}
    assert [each["name"] for each in found["results"]] == [each.name for each in SOME]
    for each in found["results"]:
        assert each["acknowledged"] == each["stored"] == 40 + 200  # everybody once, then the repetition
        assert each["proof_clean"] is True
        assert each["cpu_us"].keys() == {"python", "postgres", "load"}
        assert {type(each[name]) for name in ("per_s", "ratio_tpcb", "p50_ms", "p99_ms")} == {float}
        assert each["problems"] == []
    assert [each["name"] for each in found["settling"]] == ["expire_100k"]
    assert found["faults"] == []
    drawn = (folder / "bench.svg").read_text()
    assert drawn.startswith("<svg")
    assert "signed pay codes" in drawn


@pytest.mark.usefixtures("small")
def test_a_lost_payment_is_told_and_fails_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lose_one(handle: DatabaseHandle, before: Before, acknowledged: Sequence[str]) -> After:
        async with owner(handle) as connection:
            await connection.execute(text("SET session_replication_role = replica"))
            await connection.execute(text("DELETE FROM payment WHERE id = :id"), {"id": acknowledged[-1]})
        return await compare(handle, before, acknowledged)

    monkeypatch.setattr(checks, "compare", lose_one)
    done = invoke(folder, "--quick")
    assert done.exit_code == 1, done.output
    found: dict[str, Any] = json.loads((folder / "bench.json").read_text())
    [result] = found["results"]
    assert result["acknowledged"] == result["stored"] + 2  # one of the warm-up, one of the repetition
    assert result["proof_clean"] is False
    assert any("1 acknowledged payments are not in the table" in words for words in found["faults"])


def test_the_data_lies_beside_the_towns_own_and_root_can_walk_there() -> None:
    folder = run.data_folder()
    assert folder.name.endswith("-bench")
    assert folder.parent == PROJECT or os.geteuid() == 0
