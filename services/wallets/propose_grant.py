"""Grants behind four eyes: an officer proposes a list, another lets it happen.

Nothing is set aside for a proposal: the budget is asked when it is proposed, so that a slip is told at
once, and again when it is approved, which is when it counts.
"""

from dataclasses import dataclass
from uuid import UUID

from services.campaigns import read as campaigns
from services.kit import changes
from services.kit.changes import Change
from services.kit.db import Tx
from services.kit.four_eyes import ChangeKind, ProposedChange
from services.wallets.grant import Grant, Granted, check, grant
from services.wallets.grant_csv import GrantLine


@dataclass(frozen=True)
class ProposedGrant:
    """What was proposed, and what it would come to."""

    change_id: UUID
    fingerprint: str
    wallets: int
    points: int


async def propose_grant(tx: Tx, command: Grant) -> ProposedGrant:
    """Propose a grant. Raises every refusal that `grant` would give now."""
    would_be = await check(tx, command)
    programme = await campaigns.published(tx, command.programme_code)
    content = {
        "programme": command.programme_code,
        "purse": command.purse,
        "reason": command.reason,
        "lines": [[line.line, line.wallet_number, line.points] for line in command.lines],
    }
    asked = Change(ChangeKind.GRANT, programme.id, content, command.officer_id)
    change = await changes.put_forward(tx, asked)
    return ProposedGrant(change.id, change.fingerprint, would_be.wallets, would_be.points)


async def carry_out_grant(tx: Tx, change: ProposedChange) -> Granted:
    """Grant what was approved in this transaction, in the name of who proposed it."""
    said = change.content
    lines = tuple(GrantLine(line, number, points) for line, number, points in said["lines"])
    return await grant(tx, Grant(said["programme"], said["purse"], said["reason"], change.proposed_by, lines))
