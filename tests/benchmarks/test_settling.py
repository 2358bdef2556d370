"""Settlement and expiry beside payments, on a very small town: everything is counted, checked and proven."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.benchmarks import settling
from infra.benchmarks.settling import Amounts, Settled, Work
from infra.benchmarks.stage import Sizes, staged
from infra.console import tell
from services.kit.db import Database
from tests.memory import quick_folder

SIZES = Sizes(payers=40, tills=3, postings=0, tpcb_scale=1, most_payments=200)
AMOUNTS = Amounts(stores=4, payments=200, lots=60)
PER_S = 200.0


@pytest.fixture
def folder() -> Iterator[Path]:
    path = quick_folder("tanabata-bench-test-")
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


async def measured(folder: Path) -> list[Settled]:
    async with staged(folder / "data", SIZES, tell, durable=False) as stage:
        return await settling.run(stage, PER_S, AMOUNTS)


async def test_a_close_and_an_expiry_beside_payments_are_counted_checked_and_proven(folder: Path) -> None:
    closed, expired = await measured(folder)
    for each in (closed, expired):
        assert each.faults == []
        found = each.plain()
        assert found["proof_clean"] is True
        assert found["acknowledged"] == found["stored"] > SIZES.payers
        assert found["problems"] == []
    assert closed.busy.counts.keys() == {"statements", "transfers", "bytes"}
    assert closed.busy.counts["statements"] == AMOUNTS.stores
    assert closed.busy.counts["bytes"] == 122 * (closed.busy.counts["transfers"] + 3)
    assert expired.busy.counts == {"lots": AMOUNTS.lots}


async def test_work_that_differs_beside_payments_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = settling.expire, []

    async def lazy(database: Database) -> Work:
        calls.append(1)
        return await real(database) if len(calls) == 1 else Work(0.0, {"lots": 0}, ("nothing was done",))

    monkeypatch.setattr(settling, "expire", lazy)
    _, expired = await measured(folder)
    assert expired.faults == [
        "expire_100k: nothing was done",
        f"expire_100k: alone it did {{'lots': {AMOUNTS.lots}}}, beside payments {{'lots': 0}}",
    ]
