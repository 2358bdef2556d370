"""Long work gives way to payments: the server's process behind a connection steps back when both want the processor.

PostgreSQL has no priorities of its own. Where its processes are on this machine (the embedded server, or any behind a
Unix socket) the operating system's do. Elsewhere nothing happens, and long work competes as any other.
"""

import os
import sys
from pathlib import Path

from services.kit.priority import NICENESS, PROC, group_steps_back


def give_way(server_pid: int, database: str, *, proc: Path = PROC) -> bool:
    """Let the server's process `server_pid` step back, which serves `database`; whether it was done.

    A number is taken for that process only if it calls itself so, because a server behind a socket may count its
    processes otherwise than we do. That we may not is no fault: then it goes on as before.
    """
    if sys.platform != "linux":
        return False
    try:
        words = (proc / str(server_pid) / "cmdline").read_bytes().decode(errors="replace").split()
    except OSError:
        return False
    if words[:1] != ["postgres:"] or database not in words:
        return False
    try:
        if os.getpriority(os.PRIO_PROCESS, server_pid) < NICENESS:  # and never forward again
            os.setpriority(os.PRIO_PROCESS, server_pid, NICENESS)
    except OSError:
        return False
    group_steps_back(server_pid, proc=proc)  # a process that serves a connection is a session by itself
    return True
