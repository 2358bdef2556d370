"""Who uses the embedded server: file locks, which the system releases even after `kill -9`.

`server.lock` is held alone while a server is started or stopped; `users.lock` is shared by every process
that uses it. The last user stops the server: a `tanabata prove` beside `make run` neither stops the
server under it nor has it stopped under itself.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

_PAUSE = 0.1


class InUse(Exception):
    """The lock was not free within the time allowed."""


class FileLock:
    """A lock on a file; the file itself stays, its content means nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def try_alone(self) -> bool:
        """Take the lock alone, or turn a shared one into that; False when others hold it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with others; False when one holds it alone."""
        return self._try(fcntl.LOCK_SH)

    async def wait_alone(self, patience: float, tell: Callable[[str], None]) -> None:
        """Take the lock alone within `patience` seconds, or raise InUse."""
        for turn in range(int(patience / _PAUSE)):
            if self.try_alone():
                return
            if turn == int(1 / _PAUSE):
                tell("waiting for another process that is starting or stopping the database")
            await asyncio.sleep(_PAUSE)
        raise InUse(f"{self._path} is still held by another process after {patience:.0f} s")

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, kind: int) -> bool:
        descriptor = self._descriptor
        if descriptor is None:
            # Reading is enough for a lock, and works on a file that root made.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._descriptor is None:
                os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True
