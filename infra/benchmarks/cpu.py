"""Processor time of processes, as the system counts it (/proc; Linux only).

A server that forks loses none of it: the time of children that have ended is in their parent's account,
so what a whole family used between two readings is a difference of sums.
"""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 11, 12, 13, 14
"""Fields of /proc/<pid>/stat behind the program's name, counted from the state."""


@dataclass(frozen=True)
class Used:
    """Seconds of processor time."""

    own_s: float
    ended_children_s: float
    parent: int


def of_process(pid: int) -> float:
    """What one process has used by itself, in seconds. Raises FileNotFoundError when it has ended."""
    return read_stat((_PROC / str(pid) / "stat").read_text()).own_s


def of_family(pid: int) -> float:
    """What a process and all its children have used, in seconds, those that have ended included."""
    total = 0.0
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            used = read_stat(stat.read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we looked: from now on in its parent's account
        if stat.parent.name == str(pid):
            total += used.own_s + used.ended_children_s
        elif used.parent == pid:
            total += used.own_s
    return total


def read_stat(line: str) -> Used:
    """A line of /proc/<pid>/stat; the program's name in it may hold spaces and brackets."""
    fields = line.rpartition(")")[2].split()
    user, system, gone_user, gone_system = (
        int(fields[at]) * _TICK_S for at in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)
    )
    return Used(user + system, gone_user + gone_system, int(fields[_PARENT]))
