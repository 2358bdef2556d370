"""What runs in a data directory: the server's own note (`postmaster.pid`), read with suspicion.

After a crash the note stays and its process id may belong to anybody, so a process counts as our server
only when it is alive and was started on this very directory. Nothing else is ever signalled.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

PORT = 5432  # part of a socket's file name only; nothing listens on a network
SOCKET = f".s.PGSQL.{PORT}"
NOTE = "postmaster.pid"


@dataclass(frozen=True)
class Postmaster:
    """A server process: its state is PostgreSQL's word (`starting`, `ready`, `stopping`)."""

    pid: int
    socket_dir: Path
    state: str


def find(pgdata: Path) -> Postmaster | None:
    """The server that runs in this data directory, if one does."""
    try:
        lines = (pgdata / NOTE).read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 5 or not lines[0].strip().isdigit():
        return None
    found = Postmaster(
        pid=int(lines[0]), socket_dir=Path(lines[4]), state=lines[7].strip() if len(lines) > 7 else "starting"
    )
    return found if alive(found.pid) and _is_ours(found, pgdata) else None


def alive(pid: int) -> bool:
    """Whether a process runs; a child of ours that has ended is taken notice of first."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def disown_stale_note(pgdata: Path) -> None:
    """Make a dead server's note harmless, keeping what protects the data.

    PostgreSQL refuses to start while *any* process of the same user has the noted id, which happens for
    good in containers. Our own id stands for "the starter's", which it ignores; the note's shared-memory
    key stays, so that a server process that outlived its postmaster is still found.
    """
    note = pgdata / NOTE
    try:
        descriptor = os.open(note, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "r+") as file:
        lines = file.read().splitlines()
        if lines:
            file.seek(0)
            file.truncate()
            file.write("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    if not lines:  # a full disk or a power cut left it empty, which PostgreSQL takes for a start under way
        note.unlink()


def remove_stale_socket(socket_dir: Path) -> None:
    """Remove a dead server's socket and its lock file; the folder is ours alone."""
    for name in (SOCKET, SOCKET + ".lock"):
        (socket_dir / name).unlink(missing_ok=True)


def _is_ours(found: Postmaster, pgdata: Path) -> bool:
    """A server was started on its data directory; without /proc it must answer on its socket.

    The command line is read, not the working directory, which root may not see inside a container.
    """
    if not Path("/proc/self/cmdline").exists():
        return _answers(found.socket_dir / SOCKET)
    try:
        words = Path(f"/proc/{found.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(pgdata) in words


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
    return True
