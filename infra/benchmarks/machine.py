"""The machine that a run was made on, as far as it explains the figures."""

import os
import platform
from pathlib import Path

_CPUINFO, _MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")


def machine() -> dict[str, str | int | float]:
    """Model and number of cores, memory, kernel, Python. Linux only, as all of the benchmark."""
    return {
        "cpu": _field(_CPUINFO.read_text(), "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_field(_MEMINFO.read_text(), "MemTotal").split()[0]) / 2**20, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _field(text: str, name: str) -> str:
    """The first value of a `name : value` list; some processors have no model's name."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
