"""Where files that live for seconds go: into memory, if the machine has some to spare.

A database of a test is some hundred files, made and removed; on a busy disk that took ten times as long as the test.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only `mkdtemp` makes folders in it; elsewhere than on Linux there is none
ENOUGH_BYTES: Final = 4 * 1024**3
"""For the servers of a few workers: each has some hundred megabytes of log, and the largest town of the tests."""


def quick_folder(prefix: str, memory: Path = IN_MEMORY) -> Path:
    """A new folder of our own: in memory where at least `ENOUGH_BYTES` are free, else where others make theirs."""
    room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ENOUGH_BYTES
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if room else None))


def left_over(prefix: str) -> Iterator[Path]:
    """Folders that `quick_folder` has made, in memory or not."""
    for place in {IN_MEMORY, Path(tempfile.gettempdir())}:
        yield from place.glob(f"{prefix}*")
