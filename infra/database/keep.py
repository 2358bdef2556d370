"""The embedded server is started again when it has ended by itself: killed, out of memory, on a disk that was full.

Law: only a server that nobody runs is started, under the lock of whoever starts or stops one; as long as we use it
nobody else stops it, so that an end is never somebody's wish.
"""

import asyncio
from collections.abc import Callable

import asyncpg

from infra.database import postmaster
from infra.database.binaries import ServerFailed
from infra.database.embedded import EmbeddedPostgres
from infra.database.locks import InUse
from infra.database.server_files import FolderRefused

LOOK_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Between two looks; after a start that failed the pause is doubled each time, up to the longest."""


async def keep_running(server: EmbeddedPostgres, tell: Callable[[str], None]) -> None:
    """Until cancelled. What recovers or starts already is left alone; a start that fails is told and tried again."""
    pause_s = LOOK_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = LOOK_S if await _is_there(server, tell) else min(2 * pause_s, LONGEST_PAUSE_S)


async def _is_there(server: EmbeddedPostgres, tell: Callable[[str], None]) -> bool:
    if postmaster.find(server.pgdata) is not None:
        return True
    tell("the database has ended; starting it again")
    try:
        await server.start()
    except (ServerFailed, FolderRefused, InUse, asyncpg.PostgresError, OSError) as error:
        tell(f"the database cannot be started: {error}")
        return False
    tell("the database is there again")
    return True
