"""Write down that a proof begins, and what it found: in the audit log, which is sealed and never altered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.kit.audit import record
from services.kit.db import Tx
from services.proof.proof import Proof

PROVEN: Final = "books.proven"
ASKED: Final = "books.proof_asked"
BEGUN: Final = "books.proof_begun"


@dataclass(frozen=True)
class Proven:
    """A full proof, and the instant at which it was said to begin."""

    began_at: datetime
    proof: Proof


async def begin(tx: Tx, _: None) -> datetime:
    """Say that a proof begins, before it looks: its instant, so that it answers older wishes and none that come now."""
    await record(tx, None, BEGUN)
    return tx.now


async def keep(tx: Tx, found: Proven) -> None:
    """Keep a proof with every law's figures. Raises ValueError for one of a part, which says nothing of the books."""
    if found.proof.since is not None:
        raise ValueError("a proof of what is new is not a proof of the books")
    checks = [[check.name, check.expected, check.found, check.example] for check in found.proof.checks]
    clean = found.proof.clean
    await record(tx, None, PROVEN, began_at=found.began_at.isoformat(), clean=clean, checks=checks)
