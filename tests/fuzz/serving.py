"""The staged town behind a real socket, on a thread of its own: fuzzers are not asynchronous."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from infra.access.callers import CALLERS
from tests.access.ground import Ground
from tests.access.stage import StagedTown

_START_S = 30


class Served:
    """A served town; `base` is its address, and its callers' tokens are made here."""

    def __init__(self, base: str, town: StagedTown) -> None:
        self.base = base
        self.town = town

    def token(self, name: str) -> str | None:
        """The token of a caller by name; None for nobody."""
        [caller] = [each for each in CALLERS if each.name == name]
        return self.town.token_of(caller)


@contextmanager
def served(ground: Ground) -> Iterator[Served]:
    """A clone of the staged town, served until the body ends; then its books are proven."""
    ready, stop = threading.Event(), threading.Event()
    found: list[Served | BaseException] = []

    def work() -> None:
        try:
            asyncio.run(_serve(ground, found, ready, stop))
        except BaseException as error:
            found.insert(0, error)  # also what was broken by the end
            ready.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        assert ready.wait(_START_S), "the server did not start"
        if isinstance(found[0], BaseException):
            raise found[0]
        yield found[0]
    finally:
        stop.set()
        thread.join(_START_S)
    if isinstance(found[0], BaseException):
        raise found[0]


async def _serve(
    ground: Ground, found: list[Served | BaseException], ready: threading.Event, stop: threading.Event
) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    async with ground.town() as town:
        config = uvicorn.Config(
            town.built.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        found.append(Served(f"http://127.0.0.1:{listener.getsockname()[1]}", town))
        ready.set()
        while not stop.is_set():  # noqa: ASYNC110 - an event of another thread
            await asyncio.sleep(0.05)
        server.should_exit = True
        await serving
        await town.must_prove()
