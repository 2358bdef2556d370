"""Somebody asks for a proof: one wish waits at a time, and whoever asks meanwhile has that one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.kit.audit import record
from services.kit.db import Tx
from services.proof.keep import ASKED
from services.proof.read import standing

_TAKE_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


@dataclass(frozen=True)
class ProofAsked:
    """A wish for a proof, and since when it waits."""

    id: UUID
    asked_at: datetime


async def ask(tx: Tx, account_id: UUID) -> ProofAsked:
    """Ask for a proof of the books as they are now; the worker makes it.

    While a wish waits for which no proof has begun, that one is the answer, whoever had it: the proof that will
    answer it looks at the books later than now.
    """
    await tx.connection.exec_driver_sql(_TAKE_TURN, (ASKED,))
    waiting = (await standing(tx, None)).waiting
    if waiting is None:
        return ProofAsked(await record(tx, account_id, ASKED), tx.now)
    return ProofAsked(waiting.id, waiting.asked_at)
