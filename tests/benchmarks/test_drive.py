"""The generator against servers that misbehave: each kind of misbehaviour is told, and none ends in silence."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import pytest

from infra.benchmarks.drive import ClosedLoop, Drive, OpenLoop
from infra.benchmarks.plan import Repeat

Answering = Callable[[int, bytes], bytes]


def answer(status: str, body: str, *, replayed: bool = False) -> bytes:
    mark = "idempotent-replay: true\r\n" if replayed else ""
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{mark}\r\n{body}".encode()


class Books:
    """A server's memory: the first request of an id makes a payment, later ones find it."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}
        self.requests = 0
        self.lock = threading.Lock()

    def answer(self, request: bytes) -> bytes:
        with self.lock:
            self.requests += 1
            replayed = request in self.known
            number = self.known.setdefault(request, len(self.known))
            return answer("201 Created", f'{{"payment_id":"{number:036}"}}', replayed=replayed)


@contextmanager
def server(connected: Callable[[socket.socket], None]) -> Iterator[int]:
    """A thread a connection; `connected` serves it until it ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=serve, args=(connection,))
                thread.start()
                threads.append(thread)

        def serve(connection: socket.socket) -> None:
            with connection:
                connected(connection)

        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for each in threads:
            each.join()


def each_request(connection: socket.socket) -> Iterator[bytes]:
    while data := connection.recv(65_536):
        yield data


def requests(count: int) -> list[bytes]:
    return [b"request %d" % number for number in range(count)]


def run(drive: Drive, port: int, connections: int = 4, patience_s: float = 30.0) -> Drive:
    drive.connect(port, connections)
    try:
        drive.run(patience_s)
    finally:
        drive.close()
    return drive


def closed(count: int, repeats: Sequence[Repeat] | None = None) -> ClosedLoop:
    return ClosedLoop(requests(count), repeats or [Repeat.NEVER] * count, 60.0)


def serving(answering: Callable[[bytes], bytes]) -> Callable[[socket.socket], None]:
    def connected(connection: socket.socket) -> None:
        for request in each_request(connection):
            connection.sendall(answering(request))

    return connected


@pytest.mark.parametrize("repeat", [Repeat.AT_ONCE, Repeat.AFTERWARDS])
@pytest.mark.parametrize("open_loop", [False, True])
def test_every_payment_is_acknowledged_once_and_repeats_are_sent(repeat: Repeat, *, open_loop: bool) -> None:
    books, count = Books(), 50
    repeats = [repeat if number % 2 else Repeat.NEVER for number in range(count)]
    with server(serving(books.answer)) as port:
        drive: Drive
        if open_loop:
            drive = OpenLoop(requests(count), repeats, [number / 10_000 for number in range(count)])
        else:
            drive = closed(count, repeats)
        run(drive, port)
    assert drive.told() == ()
    assert drive.begun == len(books.known) == count
    assert books.requests == drive.created == len(drive.latencies) == count + count // 2
    assert drive.marked_replays == count // 2
    assert all(body is not None for body in drive.answers)


def test_a_status_that_is_not_201_is_told_and_acknowledges_nothing() -> None:
    books = Books()

    def answering(request: bytes) -> bytes:
        return answer("503 Busy", "{}") if request == b"request 3" else books.answer(request)

    with server(serving(answering)) as port:
        drive = run(closed(10), port)
    assert drive.told() == ("status 503: b'{}'",)
    assert [number for number, body in enumerate(drive.answers) if body is None] == [3]


@pytest.mark.parametrize("repeat", [Repeat.AT_ONCE, Repeat.AFTERWARDS])
def test_a_repeat_that_is_answered_differently_is_told(repeat: Repeat) -> None:
    books = Books()

    def answering(request: bytes) -> bytes:
        books.answer(request)
        return answer("201 Created", f'{{"payment_id":"{books.requests}"}}', replayed=True)

    with server(serving(answering)) as port:
        drive = run(closed(1, [repeat]), port)
    [words] = drive.told()
    assert words.startswith("a repeat was answered differently")


def test_a_connection_that_is_lost_is_told_and_the_others_go_on() -> None:
    books = Books()

    def connected(connection: socket.socket) -> None:
        for request in each_request(connection):
            if request == b"request 1":
                return
            connection.sendall(books.answer(request))

    with server(connected) as port:
        drive = run(closed(20), port)
    [words] = drive.told()
    assert words.startswith("a connection was closed")
    assert [number for number, body in enumerate(drive.answers) if body is None] == [1]


def test_a_server_that_falls_silent_does_not_hold_the_generator_for_ever() -> None:
    def connected(connection: socket.socket) -> None:
        for _ in each_request(connection):
            pass

    with server(connected) as port:
        drive = run(closed(20), port, patience_s=0.2)
    [words] = drive.told()
    assert words.startswith("4 requests were not answered")


def test_bytes_that_nobody_asked_for_are_told() -> None:
    books = Books()

    def connected(connection: socket.socket) -> None:
        for request in each_request(connection):
            connection.sendall(books.answer(request) + b"HTTP/1.1 200 OK\r\n\r\n")

    with server(connected) as port:
        drive = run(closed(1), port, connections=1)
    assert drive.told()[0].startswith("no answer of HTTP")


def test_an_answer_in_pieces_is_put_together() -> None:
    books, turn = Books(), threading.Event()

    def connected(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in each_request(connection):
            for byte in books.answer(request):
                connection.sendall(bytes([byte]))
                turn.wait(0.001)

    with server(connected) as port:
        drive = run(closed(2), port, connections=1)
    assert drive.told() == ()
    assert None not in drive.answers


def test_of_many_problems_a_few_are_told_and_the_rest_counted() -> None:
    with server(serving(lambda _: answer("500 Oh", ""))) as port:
        drive = run(closed(20), port)
    assert drive.told() == ("status 500: b''",) * 5 + ("and 15 more",)


def test_the_clock_of_an_open_loop_runs_from_when_a_request_was_meant_to_be_sent() -> None:
    count = 50
    with server(serving(Books().answer)) as port:
        drive = run(OpenLoop(requests(count), [Repeat.NEVER] * count, [0.0] * count), port, connections=1)
    # All were due at one instant and went one after the other: each waited for all those before it.
    assert all(early < late for early, late in pairwise(drive.latencies))
    assert len(drive.latencies) == count


def test_nothing_new_is_begun_when_the_time_is_over() -> None:
    with server(serving(Books().answer)) as port:
        drive = run(ClosedLoop(requests(10), [Repeat.NEVER] * 10, -1.0), port)
    assert drive.begun == 0
    assert drive.told() == ()
