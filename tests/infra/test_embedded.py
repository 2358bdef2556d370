"""The embedded PostgreSQL keeps what was committed, whatever is killed, and belongs to its users alone."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.database import binaries, keep, postmaster
from infra.database.binaries import Account, ServerFailed
from infra.database.embedded import EmbeddedPostgres
from infra.database.server_files import APP, MIGRATOR, FolderRefused, private_folder
from tests.data_folder import data_folder

WRITE_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from infra.database.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
    await server.start()
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Its name needs quoting everywhere."""
    with data_folder("tanabata's folder, ") as made:
        yield made


def embedded(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, durable=False)


async def ask(server: EmbeddedPostgres, question: str, role: str = MIGRATOR) -> object:
    connection = await asyncpg.connect(
        host=str(server.socket_dir), port=postmaster.PORT, user=role, database="tanabata"
    )
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def kill_everything(server: EmbeddedPostgres) -> None:
    """`kill -9` of the postmaster and all its children at once."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in (server.pid, *map(int, children)):
        if b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes():  # one that has just ended has none
            os.kill(pid, signal.SIGKILL)


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def sleeper(account: Account) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], **account.drop())


async def until_gone(pid: int) -> None:
    for _ in range(500):
        if not postmaster.alive(pid):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"process {pid} lives on")


async def test_data_survives_a_stop_and_the_roles_are_kept_apart(folder: Path) -> None:
    async with embedded(folder) as server:
        assert await ask(server, "SHOW listen_addresses") == ""
        assert await ask(server, "SHOW server_encoding") == "UTF8"
        assert await ask(server, "SELECT datlocale FROM pg_database WHERE datname = 'tanabata'") == "C.UTF-8"
        await ask(server, "CREATE TABLE kept AS SELECT 1 AS x")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(server, "CREATE TABLE public.mine (x int)", role=APP)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(server, "DELETE FROM kept", role=APP)
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await ask(server, "SELECT 1", role="postgres")
        pid = server.pid
    assert not postmaster.alive(pid)
    async with embedded(folder) as server:
        assert await ask(server, "SELECT count(*) FROM kept") == 1


async def test_the_server_is_nobody_special_and_out_of_the_terminals_reach(folder: Path) -> None:
    async with embedded(folder) as server:
        owner = owner_of(server.pid)
        assert owner != 0
        assert owner == (os.geteuid() or server.pgdata.stat().st_uid)
        assert os.getsid(server.pid) != os.getsid(0)
        for closed in (server.pgdata, server.socket_dir):
            assert closed.stat().st_mode & 0o777 == 0o700
        assert server.socket_dir.parent != folder, "a comma in the path: the socket must live elsewhere"
        socket_dir = server.socket_dir
    assert not socket_dir.exists()


async def test_by_default_a_commit_is_on_the_disk(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await ask(server, f"SHOW {setting}") == "on"


async def test_after_killing_everything_the_next_start_recovers_by_itself(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    await first.start()
    await ask(first, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS x")
    kill_everything(first)
    await until_gone(first.pid)
    assert (first.pgdata / postmaster.NOTE).exists()
    async with embedded(folder) as second:
        assert await ask(second, "SELECT count(*) FROM kept") == 1000
    await first.stop()


async def test_a_dead_servers_number_may_belong_to_a_stranger(folder: Path) -> None:
    server = embedded(folder)
    await server.start()
    kill_everything(server)
    await until_gone(server.pid)
    account = Account(server.pgdata.stat().st_uid, server.pgdata.stat().st_gid)
    with sleeper(account) as stranger:
        try:
            for note in (server.pgdata / postmaster.NOTE, server.socket_dir / f"{postmaster.SOCKET}.lock"):
                note.write_text(note.read_text().replace(str(server.pid), str(stranger.pid), 1))
            async with embedded(folder) as second:
                assert second.pid != stranger.pid
            assert stranger.poll() is None, "a stranger's process was signalled"
        finally:
            stranger.kill()
    await server.stop()


async def test_a_server_that_outlived_us_is_taken_over(folder: Path) -> None:
    program = [sys.executable, "-c", WRITE_AND_DIE, str(folder)]
    killed = await asyncio.to_thread(
        subprocess.run, program, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    pid = int(killed.stdout)
    assert postmaster.alive(pid)
    async with embedded(folder) as server:
        assert server.pid == pid
    await until_gone(pid)


async def test_the_last_user_stops_the_server(folder: Path) -> None:
    first, second = embedded(folder), embedded(folder)
    await asyncio.gather(first.start(), second.start())
    pid = first.pid
    assert second.pid == pid
    await first.stop()
    assert await ask(second, "SELECT 1") == 1
    await second.stop()
    await second.stop()
    assert not postmaster.alive(pid)
    with pytest.raises(ServerFailed):
        _ = second.pid


async def test_an_interrupted_creation_is_begun_again(folder: Path) -> None:
    server = embedded(folder)
    starting = asyncio.create_task(server.start())
    for _ in range(1_000):
        if (folder / "postgres.new").exists():
            break
        await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not (folder / "postgres").exists()
    async with server:
        assert await ask(server, "SELECT 1") == 1


async def test_what_postgresql_says_is_told(folder: Path) -> None:
    async with embedded(folder):
        pass
    (folder / "postgres" / "global" / "pg_control").rename(folder / "postgres" / "elsewhere")
    with pytest.raises(ServerFailed, match="pg_control"):
        await embedded(folder).start()
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ServerFailed, match="made by PostgreSQL 12"):
        await embedded(folder).start()


async def test_a_full_disk_is_told_in_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that runs already may let nobody in: commands say why, as of all that a person can put right."""

    async def full(**_given: object) -> None:
        raise asyncpg.DiskFullError("could not write init file: No space left on device")

    async with embedded(folder):
        other = embedded(folder)
        monkeypatch.setattr(asyncpg, "connect", full)
        with pytest.raises(ServerFailed, match="No space left on device"):
            await other.start()
        monkeypatch.undo()
        async with other as joined:
            assert await ask(joined, "SELECT 1") == 1


async def test_who_keeps_a_server_running_stays_its_user_after_a_start_that_failed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it would be stopped under them by the next who leaves."""
    monkeypatch.setattr(keep, "LOOK_S", 0.01)
    real, refused, told = asyncpg.connect, 2, asyncio.Event()

    async def full_at_first(**given: object) -> object:
        nonlocal refused
        refused -= 1
        if refused >= 0:
            raise asyncpg.DiskFullError("No space left on device")
        return await real(**given)

    def tell(words: str) -> None:
        if "there again" in words:
            told.set()

    async with embedded(folder) as kept:
        other = embedded(folder)
        await other.start()
        monkeypatch.setattr(asyncpg, "connect", full_at_first)
        keeping = asyncio.create_task(keep.keep_running(kept, tell))
        os.kill(kept.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            await told.wait()
        assert refused < 0
        await other.stop()
        assert await ask(kept, "SELECT 1") == 1
        keeping.cancel()
    assert postmaster.find(folder / "postgres") is None


async def test_folders_that_cannot_serve_are_refused(folder: Path) -> None:
    with pytest.raises(FolderRefused, match="initdb"):
        await embedded(folder.parent / "price $5").start()
    with pytest.raises(FolderRefused, match="cannot be made"):
        await embedded(Path(__file__) / "below").start()
    account = Account(os.geteuid() + 1, os.getegid())
    (folder.parent / "others").mkdir()
    with pytest.raises(FolderRefused, match="belongs to another user"):
        private_folder(folder.parent / "others", account)


def test_closed_programs_are_copied_with_their_libraries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o711)
    account = Account(os.geteuid() or 65_534, os.getegid() or 65_534)
    runs = binaries._runs
    monkeypatch.setattr(binaries, "_runs", lambda *_: False)
    copied = binaries.programs(account, folder)
    assert copied.is_relative_to(folder)
    assert runs(copied, account)
    subprocess.run([copied / "psql", "--version"], check=True, capture_output=True, **account.drop())
