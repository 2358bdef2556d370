"""What was proven, and whether somebody waits for a proof."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Missing
from services.proof.keep import ASKED, PROVEN
from services.proof.kept import KeptProof, Standing
from services.proof.proof import Check

_STANDING: Final = """
SELECT (SELECT detail->>'began_at' FROM audit_entry WHERE action = $1 ORDER BY id DESC LIMIT 1),
       (SELECT happened_at FROM audit_entry WHERE action = $2 ORDER BY id DESC LIMIT 1)
"""

_PAGE: Final = """
SELECT id, happened_at, detail FROM audit_entry
 WHERE action = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""

_ONE: Final = "SELECT id, happened_at, detail FROM audit_entry WHERE id = $1 AND action = $2"


@dataclass(frozen=True)
class ProofPage:
    """`after` is the id of the last proof that was shown; the newest come first."""

    after: UUID | None
    limit: int


async def standing(tx: Tx, _: None) -> Standing:
    """When the books were last proven, and when somebody last asked."""
    [(began_at, asked_at)] = await _rows(tx, _STANDING, PROVEN, ASKED)
    return Standing(None if began_at is None else datetime.fromisoformat(began_at), asked_at)


async def proofs(tx: Tx, page: ProofPage) -> list[KeptProof]:
    """Kept proofs, newest first."""
    return [_kept(*row) for row in await _rows(tx, _PAGE, PROVEN, page.after, page.limit)]


async def proof(tx: Tx, proof_id: UUID) -> KeptProof:
    """One kept proof. Raises Missing."""
    found = await _rows(tx, _ONE, proof_id, PROVEN)
    if not found:
        raise Missing
    return _kept(*found[0])


def _kept(entry_id: UUID, told_at: datetime, detail: dict[str, Any]) -> KeptProof:
    checks = tuple(Check(*check) for check in detail["checks"])
    return KeptProof(entry_id, datetime.fromisoformat(detail["began_at"]), told_at, checks)


async def _rows(tx: Tx, question: str, *arguments: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await tx.connection.exec_driver_sql(question, arguments)]
