"""Somebody asks for a proof: one wish waits at a time, and whoever asks meanwhile has that one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.audit import record
from services.kit.db import Tx
from services.kit.turns import take_turn
from services.proof.keep import ASKED
from services.proof.read import standing


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
    await take_turn(tx, ASKED)
    waiting = (await standing(tx, None)).waiting
    if waiting is None:
        return ProofAsked(await record(tx, account_id, ASKED), tx.now)
    return ProofAsked(waiting.id, waiting.asked_at)
