"""An embedded PostgreSQL: started when needed, shared while used, stopped by its last user.

Law: an acknowledged commit survives whatever happens to us. The server is a process of its own session,
so the terminal's Ctrl-C reaches only us and we stop it cleanly; when we are killed it lives on, and the
next start takes it over. When everything was killed, the next start waits for crash recovery as long as
that takes. Only a unix socket in a closed folder leads to it, and the system vouches for who connects.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
from sqlalchemy import URL

from infra.database import postmaster
from infra.database.binaries import Account, ServerFailed, environment, programs, server_account
from infra.database.locks import FileLock
from infra.database.postmaster import PORT, Postmaster
from infra.database.server_files import (
    ACTING,
    MIGRATOR,
    FolderRefused,
    private_folder,
    socket_folder,
    write_settings,
)
from infra.settings import may_walk_to

_PAUSE = 0.02
_RECOVERY_LIMIT = 3_600.0  # crash recovery reads at most max_wal_size; an hour means something is wrong
_STOP_LIMIT = 60.0
_ORPHAN_LIMIT = 30.0
_ORPHANS = "pre-existing shared memory block"


class EmbeddedPostgres:
    """One data folder and the server on it. Use as `async with EmbeddedPostgres(folder) as server`.

    `durable=False` gives up the promise for speed; only tests may. `tell` hears of what takes long.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, tell: Callable[[str], None] = lambda _: None) -> None:
        self.data_dir = data_dir.resolve()
        self.pgdata = self.data_dir / "postgres"
        self._durable = durable
        self._tell = tell
        self._server_lock = FileLock(self.data_dir / "server.lock")
        self._users_lock = FileLock(self.data_dir / "users.lock")
        self._running: Postmaster | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the server, or join the one that runs. Raises ServerFailed, FolderRefused, InUse."""
        account = server_account(self.pgdata)
        _make_data_dir(self.data_dir, account)
        try:
            await self._server_lock.wait_alone(_RECOVERY_LIMIT, self._tell)
            self._users_lock.try_shared()  # nobody holds it alone without the server's lock
            self._running = await self._answering(account)
        except BaseException:
            self._server_lock.release()
            await self.stop()
            raise
        self._server_lock.release()

    async def stop(self) -> None:
        """Leave the server; the last to leave stops it, cleanly. May be called again."""
        if not self._users_lock.held:
            return
        try:
            await self._server_lock.wait_alone(_RECOVERY_LIMIT, self._tell)
            if self._users_lock.try_alone():
                await self._shut_down()
        finally:
            self._users_lock.release()
            self._server_lock.release()
            self._running = None

    @property
    def socket_dir(self) -> Path:
        """The folder of the running server's socket."""
        if self._running is None:
            raise ServerFailed("the embedded PostgreSQL has not been started")
        return self._running.socket_dir

    @property
    def pid(self) -> int:
        """The running server's process id."""
        if self._running is None:
            raise ServerFailed("the embedded PostgreSQL has not been started")
        return self._running.pid

    def dsn(self, role: str, database: str = "tanabata") -> str:
        """A SQLAlchemy URL over the socket; peer authentication needs no password."""
        query = {"host": str(self.socket_dir), "port": str(PORT)}
        url = URL.create("postgresql+asyncpg", username=role, database=database, query=query)
        return url.render_as_string(hide_password=False)

    async def _answering(self, account: Account) -> Postmaster:
        """The server, with its roles and database. One that was killed may take a while to disappear."""
        for _ in range(int(_ORPHAN_LIMIT)):
            joined = await self._join()
            found = joined or await self._launch(account)
            try:
                await _ensure_roles_and_database(found.socket_dir)
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
                if joined is None:
                    raise
                self._tell("it does not answer; waiting for it to recover or to end")
                await asyncio.sleep(1)
            except asyncpg.InsufficientResourcesError as error:  # a full disk, or no connection left
                raise ServerFailed(f"PostgreSQL runs on {self.pgdata}, but cannot work: {error}") from error
            else:
                return found
        raise ServerFailed(f"a PostgreSQL server runs on {self.pgdata}, but does not answer")

    async def _join(self) -> Postmaster | None:
        """The server that runs already, once it is ready; None when none does, or it was stopping."""
        found = postmaster.find(self.pgdata)
        if found is None:
            return None
        self._tell(f"joining the database that is already running (process {found.pid})")
        return await self._until_ready(found.pid)

    async def _launch(self, account: Account) -> Postmaster:
        folder = programs(account, self.data_dir)
        if not self.pgdata.exists():
            await self._initialise(folder, account)
        _same_version(self.pgdata, folder)
        socket_dir = socket_folder(self.data_dir, account)
        private_folder(self.data_dir / "log", account)
        arguments = write_settings(self.data_dir, socket_dir, account, durable=self._durable)
        for _ in range(int(_ORPHAN_LIMIT)):
            postmaster.disown_stale_note(self.pgdata)
            postmaster.remove_stale_socket(socket_dir)
            process = self._spawn([folder / "postgres", "-D", self.pgdata, *arguments], account)
            process.returncode = 0  # it may outlive us: from here on it is known by its id alone
            ready = await self._until_ready(process.pid)
            if ready is not None:
                return ready
            if _ORPHANS not in self._said():
                break
            self._tell("waiting for processes of a killed server to end")
            await asyncio.sleep(1)
        with suppress(OSError):
            socket_dir.rmdir()
        raise ServerFailed(f"PostgreSQL did not start:\n{self._said()}")

    async def _initialise(self, folder: Path, account: Account) -> None:
        """Make the database under another name: one that was interrupted is never taken for a whole one."""
        if any(sign in str(self.data_dir) for sign in '"$`\\\n'):
            raise FolderRefused(f'initdb cannot work in a folder named with " $ ` or \\: {self.data_dir}')
        self._tell("creating the database")
        unfinished = self.data_dir / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        private_folder(unfinished, account)
        words = ["-D", unfinished, "-U", MIGRATOR, "--auth=peer", "--encoding=UTF8", "--no-instructions"]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        hurry = [] if self._durable else ["--no-sync"]
        process = self._spawn([folder / "initdb", *map(str, words), *locale, *hurry], account)
        try:
            for _ in range(int(_RECOVERY_LIMIT / _PAUSE)):
                if process.poll() is not None:
                    break
                await asyncio.sleep(_PAUSE)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode != 0:
            raise ServerFailed(f"initdb failed:\n{self._said()}")
        unfinished.rename(self.pgdata)

    def _spawn(self, command: list[str | Path], account: Account) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, out of reach of the terminal's Ctrl-C."""
        log = self.data_dir / "start.log"
        log.unlink(missing_ok=True)
        with log.open("xb") as output:
            return subprocess.Popen(  # noqa: S603 - our own program, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=environment(),
                start_new_session=True,
                **account.drop(),
            )

    async def _until_ready(self, pid: int) -> Postmaster | None:
        """Wait while the server starts or recovers; None when it ended instead."""
        for turn in range(int(_RECOVERY_LIMIT / _PAUSE)):
            found = postmaster.find(self.pgdata)
            if found is not None and found.pid == pid and found.state == "ready":
                return found
            if not postmaster.alive(pid):
                return None
            if turn and turn % int(2 / _PAUSE) == 0:
                state = found.state if found else "starting"
                self._tell(f"the database is {state}: {turn * _PAUSE:.0f} s so far")
            await asyncio.sleep(_PAUSE)
        raise ServerFailed(f"PostgreSQL is not ready after {_RECOVERY_LIMIT:.0f} s:\n{self._said()}")

    async def _shut_down(self) -> None:
        """A fast shutdown: transactions under way are rolled back, everything committed is kept."""
        found = postmaster.find(self.pgdata)
        if found is None:
            return
        for how, patience in ((signal.SIGINT, _STOP_LIMIT), (signal.SIGQUIT, _STOP_LIMIT)):
            with suppress(ProcessLookupError):
                os.kill(found.pid, how)
            for _ in range(int(patience / _PAUSE)):
                if not postmaster.alive(found.pid):
                    with suppress(OSError):
                        found.socket_dir.rmdir()
                    return
                await asyncio.sleep(_PAUSE)
            self._tell("the database does not stop; stopping it harder")
        raise ServerFailed(f"PostgreSQL (process {found.pid}) did not stop")

    def _said(self) -> str:
        """The last words of the program that was started, and of the server's own log."""
        texts = [self.data_dir / "start.log", *sorted((self.data_dir / "log").glob("*.log"), key=_changed)[-1:]]
        return "\n".join(text.read_text(errors="replace")[-2_000:] for text in texts if text.exists())


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def _make_data_dir(data_dir: Path, account: Account) -> None:
    """The data folder: closed, except that root's server must be able to walk through it."""
    try:
        for folder in reversed([data_dir, *data_dir.parents]):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # whatever the umask says
    except OSError as error:
        raise FolderRefused(f"{data_dir} cannot be made: {error.strerror}; set TANABATA_DATA") from error
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise FolderRefused(f"{data_dir} belongs to another user; set TANABATA_DATA to a folder of your own")
    if not may_walk_to(data_dir, account.uid, account.gid):
        raise FolderRefused(
            f"the database runs as {account.name or account.uid}, who may not enter {data_dir}; "
            "set TANABATA_DATA to a folder that this user may walk to"
        )


def _same_version(pgdata: Path, folder: Path) -> None:
    """A database of another major version needs pg_upgrade, and is never touched by us."""
    made_by = (pgdata / "PG_VERSION").read_text().strip()
    said = subprocess.check_output([folder / "postgres", "--version"], env=environment(), text=True)  # noqa: S603
    ours = said.split()[-1].split(".")[0]
    if made_by != ours:
        raise ServerFailed(f"{pgdata} was made by PostgreSQL {made_by}, but this is {ours}: dump and restore it")


async def _ensure_roles_and_database(socket_dir: Path) -> None:
    """Once a cluster: the roles that own nothing, and the database."""
    connection = await asyncpg.connect(host=str(socket_dir), port=PORT, user=MIGRATOR, database="postgres", timeout=30)
    try:
        for role in ACTING:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await connection.execute(f"CREATE ROLE {role} LOGIN")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'tanabata'"):
            await connection.execute("CREATE DATABASE tanabata")
    finally:
        await connection.close()
