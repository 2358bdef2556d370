"""One small play for all tests here, and the same once more through the command line."""

import asyncio
import fcntl
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.database.provision import DatabaseHandle, open_scratch_database
from infra.settings import Settings
from infra.simulation import agenda
from infra.simulation.ending import Outcome
from infra.simulation.play import play
from infra.simulation.scenarios import SCENARIOS, Setting

T = TypeVar("T")

SCENARIO, SCALE, SEED = "hiratsuka-2020", 0.001, 1
CROWDED = timedelta(minutes=20)
"""So long a minute takes in the smallest city, that people act at once there as in the real one."""


@dataclass(frozen=True)
class Commanded:
    """What the command left: its exit code, its words, its files by their path."""

    exit_code: int
    output: str
    files: dict[str, bytes]


@pytest.fixture(scope="session")
def environ(database_server: DatabaseHandle) -> Iterator[dict[str, str]]:
    """The server of the tests as the command line is told of it."""
    given = {
        "DATABASE_URL": database_server.app_url,
        "MIGRATOR_DATABASE_URL": database_server.migrator_url,
        "TANABATA_SCHEMA": database_server.schema,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        yield given


@pytest.fixture(scope="session")
def outcome(environ: dict[str, str], crowded: None, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A play of the smallest city."""

    async def once() -> Outcome:
        async with open_scratch_database(Settings.from_env(environ)) as handle:
            return await play(handle, Setting(SCENARIOS[SCENARIO], SCALE, SEED), lambda _words, _yen: None)

    return one_for_all_workers(tmp_path_factory, "played", lambda: asyncio.run(once()))


@pytest.fixture(scope="session")
def commanded(environ: dict[str, str], crowded: None, tmp_path_factory: pytest.TempPathFactory) -> Commanded:
    """The same play through `tanabata simulate`."""
    folder = tmp_path_factory.mktemp("simulation") / "out"
    return one_for_all_workers(tmp_path_factory, "commanded", lambda: simulate(folder, SCALE, SEED))


@pytest.fixture(scope="session")
def crowded() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agenda, "AT_ONCE_WITHIN", CROWDED)
        yield


def one_for_all_workers(factory: pytest.TempPathFactory, name: str, make: Callable[[], T]) -> T:
    """What takes long is made by one worker; the others wait for it and read what it wrote."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make()
    shared = factory.getbasetemp().parent
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = shared / f"{name}.pickle"
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make()))
        found: T = pickle.loads(kept.read_bytes())  # noqa: S301 - written above, in this very run
        return found


def simulate(folder: Path, scale: float, seed: int) -> Commanded:
    words = ["simulate", SCENARIO, "--scale", str(scale), "--seed", str(seed), "--out", str(folder)]
    result = CliRunner().invoke(app, words)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return Commanded(result.exit_code, result.output, files)
