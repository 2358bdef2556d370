"""Where argon2 runs: on two threads of its own, behind a short queue, never in a transaction.

A hash takes about 0.1 s and 64 MiB. In a transaction it would hold a connection for nothing;
on the event loop it would stop everybody; without a limit a hundred sign-ins would take
6 GB. The queue ends where waiting would take longer than a person waits.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.identity.passwords import (
    SALT_BYTES,
    PasswordCost,
    check_new_password,
    hash_password,
    password_fits,
)
from services.identity.people import email_address
from services.kit.errors import Busy
from services.kit.ids import Entropy

THREADS = 2
MAX_WAITING = 32

R = TypeVar("R")


class _Bench:
    """The threads, and how many hashes are on them or wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._taken = 0

    async def work(self, hashing: Callable[[], R]) -> R:
        if self._taken >= THREADS + MAX_WAITING:
            raise Busy(retry_after_seconds=2)
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, hashing)
        finally:
            self._taken -= 1


_BENCH = _Bench()  # one a process: its memory is the process's


async def hash_new_password(email: str, password: str, cost: PasswordCost, entropy: Entropy) -> str:
    """The hash of a password that someone chose, for `staff.py` to keep.

    Raises `EmailMalformed`, `PasswordTooShort`, `PasswordTooLong`, `PasswordGuessable`, and
    `Busy` when too many hashes wait.
    """
    check_new_password(password, email_address(email))
    salt = entropy.take(SALT_BYTES)
    return await _BENCH.work(lambda: hash_password(password, cost, salt))


async def hash_secret(secret: str, cost: PasswordCost, entropy: Entropy) -> str:
    """The hash of a secret that we made ourselves, which nobody guesses easily. Raises `Busy`."""
    salt = entropy.take(SALT_BYTES)
    return await _BENCH.work(lambda: hash_password(secret, cost, salt))


async def compare_password(stored: str | None, password: str, cost: PasswordCost) -> bool:
    """Whether the password fits the hash; None costs the same and never fits. Raises `Busy`."""
    return await _BENCH.work(lambda: password_fits(stored, password, cost))
