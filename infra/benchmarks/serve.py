"""The server under test, a process of its own with one worker: `python -m infra.benchmarks.serve`.

It is the product's own app behind the product's own web server. Only the platform's jobs are left out,
which in a city run in another process. It says its port when it is ready, and it ends at SIGTERM or when
its input ends, so that it never outlives who started it.
"""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from starlette.types import ASGIApp

from infra.benchmarks.plan import ISSUER
from infra.companion import until_parent_ends
from infra.database.provision import DatabaseHandle
from infra.server import create_app
from infra.settings import Settings
from infra.web_server import WebServer, web_server

READY = "bench-port:"
_BACKLOG = 1_024
_NEVER_REACHED = 9_000_000
"""Requests a minute: they are counted as in a city, and none is refused."""


async def serve(app: ASGIApp) -> None:
    """Serve on a free port of this machine until we are told, or left alone."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(_BACKLOG)
        server = web_server(app)
        stop = asyncio.create_task(_when_to_stop(server))
        print(f"{READY}{listener.getsockname()[1]}", flush=True)
        await server.serve(sockets=[listener])
        stop.cancel()


async def _when_to_stop(server: WebServer) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    waits = [asyncio.create_task(told.wait()), asyncio.create_task(until_parent_ends())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
    server.should_exit = True


async def _serve_town(handle: DatabaseHandle, data: Path, *, plain: bool) -> None:
    settings = Settings(
        host="127.0.0.1",
        port=0,
        database_url=None,
        migrator_database_url=None,
        schema=handle.schema,
        data_dir=data,
        public_url=ISSUER,
        requests_per_account=_NEVER_REACHED,
        requests_per_address=_NEVER_REACHED,
    )
    await serve(await create_app(handle, settings, jobs=False, plain=plain))


def main(
    app_url: Annotated[str, typer.Option(help="The database, as the application.")],
    migrator_url: Annotated[str, typer.Option(help="The database, as its owner.")],
    schema: Annotated[str, typer.Option(help="The city's schema.")],
    data: Annotated[Path, typer.Option(help="The folder with the installation's keys.")],
    plain: Annotated[bool, typer.Option(help="Answer payments one by one, through FastAPI.")] = False,
) -> None:
    """Serve one city for a benchmark."""
    uvloop.run(_serve_town(DatabaseHandle(app_url, migrator_url, schema), data, plain=plain))


if __name__ == "__main__":
    typer.run(main)
