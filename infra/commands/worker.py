"""`tanabata worker`: the platform's own jobs in a process of their own, or once, for a scheduler.

`tanabata up` starts it beside its server; any number of them together have one effect.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infra import worker as jobs
from infra.apart import nightly
from infra.companion import until_parent_ends
from infra.console import out, run, tell
from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle, open_database, open_server
from infra.keys import load_anchor_key, load_keys
from infra.ports.anchor_file import AnchorFile
from infra.ports.sandbox_checkout import SandboxCheckout
from infra.settings import Settings
from infra.timekeeping import keep_time, offset_of
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.kit.priority import step_back

_CONNECTIONS = 4
_NICE = 5
"""Beside a server the jobs give way to payments wherever both want the same core."""


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due and stop; exit code 1 if a job failed.")] = False,
    beside: Annotated[bool, typer.Option("--beside", hidden=True, help="End when standard input ends.")] = False,
) -> None:
    """Expire points, settle checkouts, close periods, watch stores, seal and anchor, refresh the lake and look."""
    logging.basicConfig(level=logging.WARNING if beside or once else logging.INFO, format="%(message)s")
    if once:
        failed = run(_once)
        if failed:
            raise typer.Exit(1)
    else:
        run(_beside if beside else _alone)


async def _once() -> list[str]:
    """The names of the jobs that failed."""
    settings = Settings.from_env(os.environ)
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed:,.0f} done"), TimeElapsedColumn())
    async with open_database(settings, tell) as handle, _jobs(handle, settings) as every:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:

            def watch(job: jobs.Job) -> jobs.Told:
                bar = progress.add_task(job.name, total=None)
                return lambda more: progress.update(bar, advance=more)

            done = await jobs.run_once(every, watch)
    for name, count in done.items():
        out.print(f"{name}: {'failed' if count is None else count}")
    return [name for name, count in done.items() if count is None]


async def _alone() -> None:
    settings = Settings.from_env(os.environ)
    async with open_database(settings, tell, keep=True) as handle, _jobs(handle, settings) as every:
        tell("working - Ctrl-C stops")
        await jobs.run_forever(every)


async def _beside() -> None:
    """The database is open and migrated by the server that started us; its end is ours."""
    step_back(_NICE)
    settings = Settings.from_env(os.environ)
    parent = asyncio.create_task(until_parent_ends())
    async with open_server(settings) as handle, _jobs(handle, settings) as every:
        working = asyncio.create_task(jobs.run_forever(every))
        await asyncio.wait((working, parent), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        parent.cancel()
        await asyncio.gather(working, parent, return_exceptions=True)


@asynccontextmanager
async def _jobs(handle: DatabaseHandle, settings: Settings) -> AsyncIterator[tuple[jobs.Job, ...]]:
    """Every job on connections of their own, with a clock that is corrected as the server's is."""
    engine = handle.app_engine(pool_size=_CONNECTIONS, limits=JOBS)
    try:
        clock = OffsetClock(await offset_of(engine))
        checkout = SandboxCheckout(
            path=settings.data_dir / "sandbox-checkout.sqlite3",
            public_url=settings.public_url,
            secret=load_keys(settings.data_dir, settings.token_key, settings.token_keys_believed).webhook_secret,
            clock=clock,
            deliver=_no_payer_here,
        )
        anchors = AnchorFile(settings.anchors_file, load_anchor_key(settings.anchor_key_file))
        keeping = asyncio.create_task(keep_time(engine, clock))
        try:
            database = Database(engine, clock, SecretEntropy())
            yield jobs.jobs(database, checkout, anchors, *nightly(database), settings.stores)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            checkout.close()
    finally:
        await engine.dispose()


async def _no_payer_here(_body: bytes, _headers: Mapping[str, str]) -> int:
    """The jobs ask the channel; its webhooks come from where its page is served."""
    raise AssertionError("no payer pays at the sandbox through the worker")
