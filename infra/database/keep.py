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
    """Until cancelled. What recovers or starts already is left alone; a start that fails is told and tried again.

    A start that failed has left the server to its other users, if there are any: it is joined again, too.
    """
    pause_s, left = LOOK_S, False
    while True:
        await asyncio.sleep(pause_s)
        if left or postmaster.find(server.pgdata) is None:
            left = not await _start(server, tell)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S) if left else LOOK_S


async def _start(server: EmbeddedPostgres, tell: Callable[[str], None]) -> bool:
    tell("the database has ended; starting it again")
    try:
        await server.start()
    except (ServerFailed, FolderRefused, InUse, asyncpg.PostgresError, OSError) as error:
        tell(f"the database cannot be started: {error}")
        return False
    tell("the database is there again")
    return True
