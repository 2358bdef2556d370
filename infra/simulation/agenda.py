"""What is going to happen, in the order of its time; what happens may add to it.

Law: what one person does happens in its order. What different people do within a minute happens at
once, as in a town, unless something that concerns more than one of them comes between.
"""

import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count

Event = Callable[[], Awaitable[None]]

AT_ONCE_WITHIN = timedelta(minutes=1)
MOST_AT_ONCE = 16
"""So many the platform serves without sending anybody away; it has room for a few times as many."""


class Agenda:
    """Events by their instant; those of the same instant in the order in which they were added."""

    def __init__(self) -> None:
        self._events: list[tuple[datetime, int, int | None, Event]] = []
        self._turn = count()

    def add(self, at: datetime, event: Event, who: int | None = None) -> None:
        """`who` is the one person whom the event concerns; None where it concerns others, too."""
        heapq.heappush(self._events, (at, next(self._turn), who, event))

    def next(self) -> tuple[datetime, list[Event]] | None:
        """What happens next, at once, taken off the agenda, and the last one's instant; None when nothing is left."""
        if not self._events:
            return None
        at, _, who, event = heapq.heappop(self._events)
        together, people, until = [event], {who}, at + AT_ONCE_WITHIN
        while who is not None and len(together) < MOST_AT_ONCE and self._events:
            following, _, other, _ = self._events[0]
            if following >= until or other is None or other in people:
                break
            at, _, _, event = heapq.heappop(self._events)
            together.append(event)
            people.add(other)
        return at, together
