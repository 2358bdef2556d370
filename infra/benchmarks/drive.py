"""Requests on their way: many connections, one request at a time on each, every answer looked at.

Closed loop: a connection that was answered sends the next request. Open loop: requests come when they
come; one that finds every connection taken waits for one, and its latency counts from when it was meant
to be sent, so that a slow server cannot hide behind a patient client.

A plain loop over epoll, no event loop of a library: what generates load must cost less than what it loads.
"""

import select
import socket
from abc import ABC, abstractmethod
from array import array
from collections import deque
from collections.abc import Sequence
from time import perf_counter

from infra.benchmarks.plan import Repeat
from infra.benchmarks.wire import NotAnAnswer, read

MOST_PROBLEMS = 5
_CREATED = b"201"
_ROOM = 4_096
_LOOK_UP_S = 0.1
"""At least so often it is looked whether the patience is over."""


class Connection:
    """One keep-alive connection. It knows what it waits for, and since when."""

    __slots__ = ("held", "since", "socket", "waits_for")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.held = b""
        self.since = 0.0
        self.waits_for = -1


class Drive(ABC):
    """One repetition. A job is twice a payment's number, plus one for its repeat."""

    def __init__(self, requests: Sequence[bytes], repeats: Sequence[Repeat]) -> None:
        self._requests = requests
        self._repeats = repeats
        self._connections: dict[int, Connection] = {}
        self._epoll = select.epoll()
        self._due: deque[int] = deque()
        self._under_way = 0
        self.begun = 0
        self.answers: list[bytes | None] = [None] * len(requests)
        self.latencies = array("d")
        self.created = self.marked_replays = 0
        self.last_answer = 0.0
        self._problem_count = 0
        self._problems: list[str] = []

    def connect(self, port: int, count: int) -> None:
        """Open the connections, before the clock starts."""
        for _ in range(count):
            made = Connection(port)
            self._connections[made.socket.fileno()] = made
            self._epoll.register(made.socket.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Close the connections, after the clock has stopped."""
        self._epoll.close()
        for each in self._connections.values():
            each.socket.close()

    def run(self, patience_s: float) -> None:
        """Send everything and hear every answer, for so long at most."""
        limit = perf_counter() + patience_s
        self.start()
        while self._under_way or self.more():
            for descriptor, _ in self.events():
                self._hear(self._connections[descriptor])
            if perf_counter() > limit or not self._connections:
                self.problem(f"{self._under_way} requests were not answered in {patience_s:.0f} s")
                return

    def problem(self, words: str) -> None:
        """Keep the first few of what should never happen, and count the rest."""
        self._problem_count += 1
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(words)

    def told(self) -> tuple[str, ...]:
        """What should never have happened; none when all went well."""
        more = self._problem_count - len(self._problems)
        return (*self._problems, *([f"and {more} more"] if more else []))

    @abstractmethod
    def start(self) -> None:
        """The clock starts: send."""

    @abstractmethod
    def more(self) -> bool:
        """Whether there is anything still to be sent."""

    @abstractmethod
    def events(self) -> list[tuple[int, int]]:
        """Wait for something to do, not for long; the connections that have something to say."""

    @abstractmethod
    def freed(self, connection: Connection, now: float) -> None:
        """The connection has nothing to do any more."""

    def send(self, connection: Connection, job: int, since: float) -> None:
        """Send a job's request; its latency counts from `since`."""
        connection.waits_for = job
        connection.since = since
        self._under_way += 1
        request = self._requests[job >> 1]
        try:
            sent = connection.socket.send(request)
        except OSError as error:
            self._give_up(connection, f"a request could not be sent: {error}")
            return
        if sent != len(request):
            self._give_up(connection, "a request went out in part only")

    def begin(self) -> int:
        """The next new payment's job; its repeat is due right behind it when it is one of those."""
        number = self.begun
        self.begun += 1
        if self._repeats[number] is Repeat.AT_ONCE:
            self._due.append(number << 1 | 1)
        return number << 1

    def _hear(self, connection: Connection) -> None:
        try:
            data = connection.held + connection.socket.recv(_ROOM)
            answer = read(data)
        except (NotAnAnswer, ValueError) as error:
            self._give_up(connection, f"no answer of HTTP: {error}")
            return
        except OSError as error:
            self._give_up(connection, f"a connection was lost: {error}")
            return
        if answer is not None and connection.waits_for >= 0:
            connection.held = b""
            self._answered(connection, *answer)
        elif len(data) == len(connection.held) or connection.waits_for < 0:
            self._give_up(connection, f"a connection was closed, or spoke unasked: {data[:200]!r}")
        else:
            connection.held = data

    def _answered(self, connection: Connection, status: bytes, body: bytes, replayed: bool) -> None:
        now = self.last_answer = perf_counter()
        job = connection.waits_for
        number = job >> 1
        connection.waits_for = -1
        self._under_way -= 1
        self.latencies.append(now - connection.since)
        if status == _CREATED:
            known = self.answers[number]
            if known is None:
                self.answers[number] = body
            elif known != body:
                self.problem(f"a repeat was answered differently: {known[:300]!r}, then {body[:300]!r}")
            self.created += 1
            self.marked_replays += replayed
            if not job & 1 and self._repeats[number] is Repeat.AFTERWARDS:
                self._due.append(job | 1)
        else:
            self.problem(f"status {status.decode('ascii', 'replace')}: {body[:300]!r}")
        self.freed(connection, now)

    def _give_up(self, connection: Connection, why: str) -> None:
        """A connection that is of no more use; what it waited for stays unanswered."""
        self.problem(why)
        if connection.waits_for >= 0:
            self._under_way -= 1
        descriptor = connection.socket.fileno()
        self._epoll.unregister(descriptor)
        del self._connections[descriptor]
        connection.socket.close()


class ClosedLoop(Drive):
    """As many requests under way as there are connections, until the time is over."""

    def __init__(self, requests: Sequence[bytes], repeats: Sequence[Repeat], seconds: float) -> None:
        super().__init__(requests, repeats)
        self._seconds = seconds
        self._deadline = 0.0

    def start(self) -> None:
        now = perf_counter()
        self._deadline = now + self._seconds
        for connection in list(self._connections.values()):
            self.freed(connection, now)

    def more(self) -> bool:
        return False  # whatever there is to send is sent when a connection becomes free

    def events(self) -> list[tuple[int, int]]:
        return self._epoll.poll(_LOOK_UP_S)

    def freed(self, connection: Connection, now: float) -> None:
        if self._due:
            self.send(connection, self._due.popleft(), now)
        elif self.begun < len(self._requests) and now < self._deadline:
            self.send(connection, self.begin(), now)


class OpenLoop(Drive):
    """New payments at given instants, in seconds from the start."""

    def __init__(self, requests: Sequence[bytes], repeats: Sequence[Repeat], instants: Sequence[float]) -> None:
        super().__init__(requests, repeats)
        self._instants = instants
        self._started = 0.0
        self._free: list[Connection] = []
        self._waiting: deque[tuple[int, float]] = deque()

    def start(self) -> None:
        self._free = list(self._connections.values())
        self._started = perf_counter()

    def more(self) -> bool:
        return self.begun < len(self._instants) or bool(self._waiting)

    def events(self) -> list[tuple[int, int]]:
        """Wait with the microseconds of `select`: epoll itself only knows milliseconds."""
        now = perf_counter()
        while self.begun < len(self._instants) and self._started + self._instants[self.begun] <= now:
            intended = self._started + self._instants[self.begun]
            self._waiting.append((self.begin(), intended))
            if self._due:
                self._waiting.append((self._due.popleft(), intended))
        self._pump()
        wait = _LOOK_UP_S
        if self.begun < len(self._instants):
            wait = min(wait, self._started + self._instants[self.begun] - perf_counter())
        if wait > 0:
            select.select([self._epoll], [], [], wait)
        return self._epoll.poll(0)

    def freed(self, connection: Connection, now: float) -> None:
        self._free.append(connection)
        if self._due:
            self._waiting.append((self._due.popleft(), now))
        self._pump()

    def _pump(self) -> None:
        while self._waiting and self._free:
            job, intended = self._waiting.popleft()
            self.send(self._free.pop(), job, intended)
