"""What is going to happen, in the order of its time; what happens may add to it."""

import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count

Event = Callable[[], Awaitable[None]]


class Agenda:
    """Events by their instant; those of the same instant in the order in which they were added."""

    def __init__(self) -> None:
        self._events: list[tuple[datetime, int, Event]] = []
        self._turn = count()

    def add(self, at: datetime, event: Event) -> None:
        heapq.heappush(self._events, (at, next(self._turn), event))

    def next(self) -> tuple[datetime, Event] | None:
        """The next event, taken off the agenda; None when nothing is left."""
        if not self._events:
            return None
        at, _, event = heapq.heappop(self._events)
        return at, event
