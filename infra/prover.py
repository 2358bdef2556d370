"""The books are proven when the night in Japan is quiet, and whenever the city's staff ask for it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from services.kit.db import Database, Tx
from services.proof.keep import Proven, begin, keep
from services.proof.proof import Proof
from services.proof.prove import prove
from services.proof.read import standing

AGAIN_AFTER = timedelta(minutes=5)
"""A proof that could not be finished is no reason to read all the books without a pause."""

log = logging.getLogger(__name__)


class Prover:
    """Proves the books when it is due, and keeps what it found.

    What is due stands in the database, so that a restart forgets nothing and proves nothing twice.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tried_at: datetime | None = None

    async def prove(self, told: Callable[[int], None] = lambda _: None) -> int:
        """1 if it was due; names every broken law in an error of the log."""
        now = self._database.clock.now()
        if self._tried_at is not None and now - self._tried_at < AGAIN_AFTER:
            return 0
        if not (await self._database.transact(standing, None)).is_due(now):
            return 0
        self._tried_at = now
        began_at = await self._database.transact(begin, None)
        proof = await self._database.transact(_prove, None)
        await self._database.transact(keep, Proven(began_at, proof))
        self._tried_at = None
        if not proof.clean:
            log.error("the books do not prove: %s", ", ".join(check.name for check in proof.broken))
        told(1)
        return 1


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)
