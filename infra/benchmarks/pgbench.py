"""PostgreSQL's own benchmark as the measure: TPC-B, and the least that a payment could be.

Both run on the same server with the same settings as the payments over HTTP, in the same run, so that a
ratio means something on any machine.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from infra.benchmarks import tables
from infra.benchmarks.checks import owner
from infra.benchmarks.naive import Small
from infra.database.binaries import environment, programs, server_account
from infra.database.embedded import EmbeddedPostgres
from infra.database.migrate import create_database, drop_database, named
from infra.database.postmaster import PORT
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP, MIGRATOR

SMALL_DATABASE = "bench_minimal"
TPCB_CLIENTS, MINIMAL_CLIENTS, THREADS = 16, 32, 2
_PATIENCE_S = 600.0
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_FAILED = re.compile(r"number of failed transactions: ([0-9]+)")


class PgbenchFailed(Exception):
    """pgbench did not do what it was asked; the message has its words."""


@dataclass(frozen=True)
class Pgbench:
    """The program, and the server that it talks to."""

    server: EmbeddedPostgres
    scale: int

    @property
    def _tpcb(self) -> str:
        return f"bench_tpcb_{self.scale}"

    @property
    def _script(self) -> Path:
        return self.server.data_dir / "minimal-payment.sql"

    async def prepare(self, handle: DatabaseHandle, payers: int) -> DatabaseHandle:
        """Its databases and its script. TPC-B's is kept for the next run; returns the small schema's."""
        async with owner(handle) as connection:
            if not await tables.is_there(connection, self._tpcb):
                unfinished = f"{self._tpcb}_unfinished"
                await drop_database(handle.migrator_url, unfinished)
                await create_database(handle.migrator_url, unfinished)
                await self._run(unfinished, "--initialize", f"--scale={self.scale}", "--quiet")
                await tables.rename(connection, unfinished, self._tpcb)
        await drop_database(handle.migrator_url, SMALL_DATABASE)
        await create_database(handle.migrator_url, SMALL_DATABASE)
        small = DatabaseHandle(
            self.server.dsn(APP, SMALL_DATABASE), named(handle.migrator_url, SMALL_DATABASE), "public"
        )
        async with owner(small) as connection:
            await connection.run_sync(Small.metadata.create_all)
            await tables.fill(connection, payers)
        _write(self._script, tables.MINIMAL_PAYMENT)
        return small

    async def tpcb(self, seconds: int) -> float:
        """Transactions of TPC-B a second. pgbench empties its history table and tidies up before each run."""
        return await self._timed(self._tpcb, TPCB_CLIENTS, seconds)

    async def minimal(self, seconds: int, payers: int, tills: int) -> float:
        """Minimal payments a second, each in a transaction of its own."""
        given = (f"--file={self._script}", "--no-vacuum", f"--define=payers={payers}", f"--define=tills={tills}")
        return await self._timed(SMALL_DATABASE, MINIMAL_CLIENTS, seconds, *given)

    async def _timed(self, database: str, clients: int, seconds: int, *words: str) -> float:
        how = (f"--client={clients}", f"--jobs={THREADS}", f"--time={seconds}", "--protocol=prepared")
        said = await self._run(database, *how, *words)
        rate, failed = _TPS.search(said), _FAILED.search(said)
        if rate is None or failed is None or int(failed[1]):
            raise PgbenchFailed(f"pgbench counted no rate, or failures:\n{said}")
        return float(rate[1])

    async def _run(self, database: str, *words: str) -> str:
        program = programs(server_account(self.server.pgdata), self.server.data_dir) / "pgbench"
        where = (f"--host={self.server.socket_dir}", f"--port={PORT}", f"--username={MIGRATOR}")
        process = await asyncio.create_subprocess_exec(
            program,
            *where,
            *words,
            database,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(),
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise PgbenchFailed(f"pgbench ended with code {process.returncode}:\n{err.decode(errors='replace')}")
        return out.decode(errors="replace")


def _write(path: Path, text: str) -> None:
    path.write_text(text)
