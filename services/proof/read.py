"""What was proven, and whether somebody waits for a proof."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Missing
from services.proof.keep import ASKED, BEGUN, PROVEN
from services.proof.kept import KeptProof, Standing, Stretch, Wish
from services.proof.proof import Check

_LAST: Final = """
SELECT e.action, e.id, e.happened_at, e.detail->>'began_at'
  FROM unnest($1::text[]) AS asked (action)
 CROSS JOIN LATERAL (SELECT * FROM audit_entry WHERE action = asked.action ORDER BY id DESC LIMIT 1) e
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
    """When the books were last proven, when a proof last began, and when somebody last asked."""
    last = {action: found for action, *found in await _rows(tx, _LAST, [PROVEN, BEGUN, ASKED])}
    kept = begun_at = wish = None
    if PROVEN in last:
        _, ended_at, began_at = last[PROVEN]
        kept = Stretch(datetime.fromisoformat(began_at), ended_at)
    if BEGUN in last:
        _, begun_at, _ = last[BEGUN]
    if ASKED in last:
        wish_id, asked_at, _ = last[ASKED]
        wish = Wish(wish_id, asked_at)
    return Standing(kept, begun_at, wish)


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
