"""`tanabata worker`: the platform's own jobs in a process of their own, or once, for a scheduler.

The server runs the same jobs; any number of them together have one effect.
"""

import os
from typing import Annotated

import typer

from infra import worker as jobs
from infra.console import out, run, tell
from infra.database.connect import JOBS, require_same_clock
from infra.database.provision import open_database
from infra.keys import load_keys
from infra.settings import Settings
from infra.town import build_town
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due and stop; exit code 1 if a job failed.")] = False,
) -> None:
    """Expire points, settle checkouts, close periods, seal journals."""
    failed = run(lambda: _work(once))
    if failed:
        raise typer.Exit(1)


async def _work(once: bool) -> list[str]:
    """The names of the jobs that failed."""
    settings = Settings.from_env(os.environ)
    async with open_database(settings, tell) as handle:
        engine = handle.app_engine(pool_size=4, limits=JOBS)
        try:
            async with engine.connect() as connection:
                clock = OffsetClock(await require_same_clock(connection))
            every = _jobs(Database(engine, clock, SecretEntropy()), settings)
            if not once:
                tell("working - Ctrl-C stops")
                await jobs.run_forever(every)
            done = await jobs.run_once(every)
        finally:
            await engine.dispose()
    for name, count in done.items():
        out.print(f"{name}: {'failed' if count is None else count}")
    return [name for name, count in done.items() if count is None]


def _jobs(database: Database, settings: Settings) -> tuple[jobs.Job, ...]:
    state = settings.data_dir / "sandbox-checkout.sqlite3"
    town = build_town(database, load_keys(settings.data_dir), public_url=settings.public_url, state=state)
    return jobs.jobs(town.jobs, town.checkout)
