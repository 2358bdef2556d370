"""The database of the tests: one server a worker, built once by the real migrations, cloned for each test.

TEST_DATABASE_URL names another server instead (its login must be allowed to create databases and roles),
for instance Debian's PostgreSQL 15.
"""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.util import find_spec
from secrets import token_hex
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database import connect, postmaster
from infra.database.embedded import EmbeddedPostgres
from infra.database.locks import FileLock
from infra.database.migrate import create_database, drop_database, migrate, named
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP, MIGRATOR
from tests.memory import left_over, quick_folder

# No duration is asserted. What decides about a commit finds the same for the same code; `make test-long` searches on.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)
settings.load_profile("repeatable")

# A machine that others use, too, may keep a new connection waiting longer than a resident should; who looks for
# the limit itself sets it.
connect.CONNECT_S = 10.0

# The command line speaks the language of its terminal (`infra.console.reading`), and the tests read English.
os.environ["LC_ALL"] = "C.UTF-8"

# An environment without PySpark has nothing to try there; `make test-spark` has one, and fails if it finds no test.
collect_ignore = [] if find_spec("pyspark") else ["spark"]

_PREFIX = "tanabata-test-"
_NEW_S = 60


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseHandle]:
    """A server for this worker, not migrated: the handle's URLs name its first database."""
    url = os.environ.get("TEST_DATABASE_URL")
    if url is not None:
        yield DatabaseHandle(url, url, "tanabata")
        return
    _remove_left_over()
    folder = quick_folder(_PREFIX)
    folder.chmod(0o711)  # as root, the server's unprivileged user must be able to walk in
    server = EmbeddedPostgres(folder, durable=False)
    _apart(server.start())
    try:
        yield DatabaseHandle(server.dsn(APP), server.dsn(MIGRATOR), "tanabata")
    finally:
        _apart(server.stop())
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template_database(database_server: DatabaseHandle) -> Iterator[str]:
    """The name of a database that the real migrations have built and that nobody is connected to."""
    name = f"tanabata_template_{token_hex(4)}"

    async def build() -> None:
        await create_database(database_server.migrator_url, name)
        handle = _inside(database_server, name)
        await migrate(handle.migrator_url, handle.schema, handle.app_url)

    _apart(build())
    yield name
    _apart(drop_database(database_server.migrator_url, name))


@pytest.fixture
async def database(database_server: DatabaseHandle, template_database: str) -> AsyncIterator[DatabaseHandle]:
    """A database of the test's own, dropped afterwards."""
    name = f"tanabata_test_{token_hex(6)}"
    await create_database(database_server.migrator_url, name, template_database)
    yield _inside(database_server, name)
    await drop_database(database_server.migrator_url, name)


@pytest.fixture
def database_url(database: DatabaseHandle) -> str:
    """The URL of the test's own database, with the application's login."""
    return database.app_url


@pytest.fixture
async def engine(database: DatabaseHandle) -> AsyncIterator[AsyncEngine]:
    """The test's own database with the application's rights."""
    async with AsyncExitStack() as stack:
        engine = database.app_engine()
        stack.push_async_callback(engine.dispose)
        yield engine


@pytest.fixture
async def migrator_engine(database: DatabaseHandle) -> AsyncIterator[AsyncEngine]:
    """The test's own database with its owner's rights, for breaking what the application cannot."""
    async with AsyncExitStack() as stack:
        engine = database.migrator_engine()
        stack.push_async_callback(engine.dispose)
        yield engine


def _inside(server: DatabaseHandle, name: str) -> DatabaseHandle:
    return replace(server, app_url=named(server.app_url, name), migrator_url=named(server.migrator_url, name))


def _apart(step: Coroutine[Any, Any, None]) -> None:
    """Run on a loop and a thread of its own: a session's fixtures must not touch the tests' loops."""
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(asyncio.run, step).result()


def _remove_left_over() -> None:
    """Stop and remove the servers of test runs that were killed; a living run holds its lock."""
    for folder in left_over(_PREFIX):
        lock = FileLock(folder / "users.lock")
        status = folder.stat()
        ours = status.st_uid == os.geteuid() and time.time() - status.st_mtime > _NEW_S
        if not ours or not (folder / "users.lock").exists() or not lock.try_alone():
            continue
        found = postmaster.find(folder / "postgres")
        if found is not None:
            os.kill(found.pid, signal.SIGQUIT)
            while postmaster.alive(found.pid):
                time.sleep(0.05)
        shutil.rmtree(folder)
        lock.release()
