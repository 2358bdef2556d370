"""The books are proven once a day, when the night in Japan is quiet."""

import logging
from collections.abc import Callable
from datetime import date

from services.kit.clock import TOKYO
from services.kit.db import Database, Tx
from services.proof.proof import Proof
from services.proof.prove import prove

FROM_HOUR = 3

log = logging.getLogger(__name__)


class NightlyProof:
    """Proves the books once a day, and once more after a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._proven_on: date | None = None

    async def prove(self, told: Callable[[int], None] = lambda _: None) -> int:
        """1 if it was time; names every broken law in an error of the log."""
        now = self._database.clock.now().astimezone(TOKYO)
        if now.hour < FROM_HOUR or self._proven_on == now.date():
            return 0
        proof = await self._database.transact(_prove, None)
        self._proven_on = now.date()
        if not proof.clean:
            log.error("the books do not prove: %s", ", ".join(check.name for check in proof.broken))
        told(1)
        return 1


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)
