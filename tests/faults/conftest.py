"""A durable server of these tests' own, which they may kill, and a small town on it."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest_asyncio

from infra.benchmarks.ground import clone, drop, template
from infra.benchmarks.townspeople import Ground, ground
from infra.database.embedded import EmbeddedPostgres
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP, MIGRATOR

PAYERS, TILLS = 200, 10


@dataclass(frozen=True)
class Place:
    """A town in a database of its own, the server under it, and the folder with the installation's keys."""

    postgres: EmbeddedPostgres
    handle: DatabaseHandle
    people: Ground
    data: Path
    name: str
    """The database's."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def durable_postgres() -> AsyncIterator[EmbeddedPostgres]:
    """A commit that this server acknowledged is on the disk. Left-overs are removed with all test servers'."""
    folder = _new_folder()
    try:
        async with EmbeddedPostgres(folder, durable=True) as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def small_town(durable_postgres: EmbeddedPostgres) -> str:
    """The name of the template."""
    return await template(_server(durable_postgres), payers=PAYERS, tills=TILLS, tell=lambda _: None)


@pytest_asyncio.fixture
async def place(durable_postgres: EmbeddedPostgres, small_town: str, tmp_path: Path) -> AsyncIterator[Place]:
    """A copy of the town, dropped afterwards."""
    name = f"faults_{token_hex(4)}"
    handle = await clone(_server(durable_postgres), small_town, name)
    try:
        yield Place(durable_postgres, handle, ground(PAYERS, TILLS), tmp_path, name)
    finally:
        await durable_postgres.start()  # a test that failed may have left it dead
        await drop(_server(durable_postgres), name)


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tanabata-test-"))
    folder.chmod(0o711)  # as root, the server's unprivileged user must be able to walk in
    return folder


def _server(postgres: EmbeddedPostgres) -> DatabaseHandle:
    return DatabaseHandle(postgres.dsn(APP), postgres.dsn(MIGRATOR), "tanabata")
