"""`tanabata up`: the database, the server and the worker, until Ctrl-C; then they stop in the other order.

A database of one's own (DATABASE_URL) that is down is waited for: meanwhile everybody is told to come back. The
embedded one is started again when it ends by itself.
The platform's own jobs run in a process of their own (`tanabata worker`), so that nothing they do takes a
payment's turn. The signals are ours for the whole time: the web server must not end the process while the
database still runs, and a signal during a long crash recovery ends the start cleanly.
"""

import asyncio
import os
import signal
import socket
import sys

import typer

from infra.companion import beside
from infra.console import complain, out, run, tell
from infra.database.connect import JOBS, require_same_clock
from infra.database.provision import DatabaseHandle, Unreachable, open_database, require_reachable
from infra.keys import load_keys
from infra.scenarios import demonstration
from infra.settings import Settings
from infra.web_server import WebServer, web_server
from infra.worker import close_periods
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy

_RETRY_S = 1.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORKER = (sys.executable, "-m", "infra.cli", "worker", "--beside")


def up() -> None:
    """Start everything on one machine: database, migrations, server (PORT, DATABASE_URL, TANABATA_DATA)."""
    run(_up, quickly=True)


class _Interruption:
    """What a signal means: give up starting, then stop serving, then (again) stop waiting for requests."""

    def __init__(self) -> None:
        self._starting = asyncio.current_task()
        self._server: WebServer | None = None
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._arrived)

    def serving(self, server: WebServer | None) -> None:
        self._server = server

    def _arrived(self) -> None:
        if self._server is not None:
            self._server.force_exit = self._server.should_exit
            self._server.should_exit = True
        elif self._starting is not None:
            self._starting.cancel()
            self._starting = None  # once: the database must be left in peace while it stops


async def _up() -> None:
    settings = Settings.from_env(os.environ)
    interruption = _Interruption()
    listener = _listen(settings)
    try:
        if await _until_reachable(settings, listener, interruption):
            await _serve(settings, listener, interruption)
    finally:
        listener.close()
    tell("stopped")


async def _until_reachable(settings: Settings, listener: socket.socket, interruption: _Interruption) -> bool:
    """Answer 503 while the database is away. False when we were told to stop. Raises Unreachable for what stays so."""
    try:
        await require_reachable(settings)
    except Unreachable as error:
        if not error.is_away:
            raise
        tell(f"{error} - answering 503 until it is there; Ctrl-C stops")
    else:
        return True
    from infra.http.waiting import busy  # noqa: PLC0415 - as below: what is not asked for is not loaded

    server = web_server(busy(secure=settings.public_url.startswith("https:")))
    interruption.serving(server)
    serving = asyncio.create_task(server.serve(sockets=[listener.dup()]))  # the server closes its own
    try:
        while not serving.done():
            await asyncio.wait((serving,), timeout=_RETRY_S)
            try:
                await require_reachable(settings)
            except Unreachable as error:
                if not error.is_away:
                    raise
            else:
                break
        stopped = server.should_exit
    finally:
        server.should_exit = True
        await serving
        interruption.serving(None)
    return not stopped


async def _serve(settings: Settings, listener: socket.socket, interruption: _Interruption) -> None:
    # Loaded here, because only this command needs the APIs, and loading them takes longer than most work.
    from infra.server import create_app  # noqa: PLC0415

    async with open_database(settings, tell, keep=True) as handle:
        if settings.database_url is None and await _seed(settings, handle):
            tell("built the demonstration town")
        server = web_server(await create_app(handle, settings, jobs=False))
        interruption.serving(server)
        _greet(settings)
        async with beside("worker", _WORKER, tell):
            await server.serve(sockets=[listener])
            tell("stopping")


async def _seed(settings: Settings, handle: DatabaseHandle) -> bool:
    """The demonstration town, in an empty embedded database only: another is somebody's own.

    Its past days are closed before anybody is served, so that its first visitor finds them as she would any day.
    """
    engine = handle.app_engine(pool_size=1, limits=JOBS)
    try:
        async with engine.connect() as connection:
            clock = OffsetClock(await require_same_clock(connection))
        keys = load_keys(settings.data_dir, settings.token_key, settings.token_keys_believed)
        built = await demonstration.seed(engine, clock, SecretEntropy(), keys.code_key)
        if built:
            await close_periods(Database(engine, clock, SecretEntropy()))
        return built
    finally:
        await engine.dispose()


def _greet(settings: Settings) -> None:
    """Where to go, and with which sign-ins."""
    base = settings.public_url
    lines = [
        ("start here", f"{base}/"),
        ("residents", f"{base}/api/wallet/v1/openapi.json"),
        ("stores", f"{base}/api/merchant/v1/openapi.json"),
        ("the city", f"{base}/api/city/v1/openapi.json"),
    ]
    if settings.database_url is None:
        officers = (demonstration.OFFICER, demonstration.APPROVER, demonstration.AUDITOR)
        lines += [
            ("", ""),
            ("sign in", "with what the demonstration town has:"),
            ("residents", f"{', '.join(demonstration.PHONES)}; their codes arrive at {base}/outbox"),
            ("clerks", ", ".join(shop.clerk_email for shop in demonstration.SHOPS)),
            ("the city", ", ".join(officers)),
            ("password", f"{demonstration.PASSWORD} for clerks and the city"),
            ("then", f"tanabata authenticator {demonstration.AUTHENTICATOR}"),
        ]
    for name, value in lines:
        out.print(f"{name:<12}{value}".rstrip(), markup=False, highlight=False, soft_wrap=True)
    tell(f"serving on {base} - Ctrl-C stops")


def _listen(settings: Settings) -> socket.socket:
    """Take the port first: whoever cannot have it should not wait for a database to hear of it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        complain(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Is it running already? Another port: PORT=8001 make run"
        )
        raise typer.Exit(1) from None
    return listener
