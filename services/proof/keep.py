"""Write a proof down, and that somebody asked for one: both in the audit log, which is sealed and never altered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.kit.audit import record
from services.kit.db import Tx
from services.proof.proof import Proof

PROVEN: Final = "books.proven"
ASKED: Final = "books.proof_asked"


@dataclass(frozen=True)
class Proven:
    """A full proof, and the instant at which it began."""

    began_at: datetime
    proof: Proof


@dataclass(frozen=True)
class ProofAsked:
    """Since when somebody waits for a proof."""

    asked_at: datetime


async def keep(tx: Tx, found: Proven) -> None:
    """Keep a proof with every law's figures. Raises ValueError for one of a part, which says nothing of the books."""
    if found.proof.since is not None:
        raise ValueError("a proof of what is new is not a proof of the books")
    checks = [[check.name, check.expected, check.found, check.example] for check in found.proof.checks]
    clean = found.proof.clean
    await record(tx, None, PROVEN, began_at=found.began_at.isoformat(), clean=clean, checks=checks)


async def ask(tx: Tx, account_id: UUID) -> ProofAsked:
    """Ask for a proof of the books as they are now; the worker makes it."""
    await record(tx, account_id, ASKED)
    return ProofAsked(tx.now)
