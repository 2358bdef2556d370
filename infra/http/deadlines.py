"""Requests that may take so long and no longer, all held by one timer.

Law: nobody waits for ever. Every request has the same time, so that the oldest is due first and
one timer is enough: a timer for each would cost more than all else that a fast endpoint does.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

R = TypeVar("R")


class Deadlines:
    """The time of running tasks and of futures, oldest first; a task has one piece of work at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.waiting: dict[asyncio.Future[Any], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def due(self) -> float:
        """When work that begins now is over, by the loop's clock."""
        return asyncio.get_running_loop().time() + self._seconds

    async def within(self, due: float, work: Awaitable[R]) -> R:
        """What `work` gives, done in the running task. Raises TimeoutError when it was not done at `due`."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("work that has a deadline runs in a task")
        self.watch(task, due)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self.waiting or task.cancelling() > 1:
                raise  # by somebody else as well
            raise TimeoutError from None
        finally:
            if self.waiting.pop(task, None) is None:
                task.uncancel()

    def start(self, future: asyncio.Future[Any]) -> None:
        """Cancel the future when the time that begins now is over, unless it is forgotten before."""
        self.watch(future, future.get_loop().time() + self._seconds)  # the running loop is not free to ask for

    def watch(self, future: asyncio.Future[Any], due: float) -> None:
        """Cancel the future at `due`, unless it is forgotten before."""
        self.waiting[future] = due
        if self._timer is None:
            self._timer = future.get_loop().call_at(due, self._cut_off)

    def forget(self, future: asyncio.Future[Any]) -> None:
        """Nobody waits for it any more."""
        self.waiting.pop(future, None)

    def _cut_off(self) -> None:
        self._timer = None
        while self.waiting:
            task, due = next(iter(self.waiting.items()))
            loop = task.get_loop()
            if due > loop.time():
                self._timer = loop.call_at(due, self._cut_off)
                return
            del self.waiting[task]
            task.cancel()
