"""`tanabata migrate`: bring the database to this program's shape, and do nothing else."""

import os

from infra.console import out, run, tell
from infra.database.migrate import head
from infra.database.provision import open_database
from infra.settings import Settings


def migrate() -> None:
    """Run every new migration; safe to run again, and by several at once."""
    run(_migrate)


async def _migrate() -> None:
    async with open_database(Settings.from_env(os.environ), tell) as handle:
        out.print(f"schema {handle.schema} is at revision {head()}")
