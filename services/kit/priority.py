"""Which processes the operating system lets run first: long work steps back behind payments.

Law: a process steps back and never forward again. A niceness counts among the processes of one session only, where
Linux groups them so (as it does by default), so the group steps back as well, where it is the process's own.
Source: sched(7), "The autogroup feature".
"""

import os
import sys
from pathlib import Path

NICENESS = 10
"""Of 19: with a payment beside it such a process has about a tenth of a core, and all of it without."""

PROC = Path("/proc")


def step_back(niceness: int = NICENESS, *, proc: Path = PROC) -> None:
    """Let this very process step back: one that does long work and nothing else."""
    os.nice(niceness)
    if sys.platform == "linux":
        group_steps_back(os.getpid(), niceness, proc=proc)


def group_steps_back(pid: int, niceness: int = NICENESS, *, proc: Path = PROC) -> bool:
    """Let a process step back with its whole session, if it began that session; whether it was done.

    Of a session that another process began it is not ours to say. Linux only.
    """
    group = proc / str(pid) / "autogroup"
    try:
        if os.getsid(pid) != pid or int(group.read_text().split()[-1]) >= niceness:
            return False
        group.write_text(str(niceness))
    except (OSError, ValueError, IndexError):
        return False  # no such groups here, or not ours to say: it has stepped back as far as it can
    return True
