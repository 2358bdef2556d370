"""Say what came of looking at an alert. Nothing is taken back: a later review stands beside the earlier one."""

from dataclasses import dataclass, field
from uuid import UUID

from services.alerts import tables
from services.alerts.alert import Review, Verdict
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing


@dataclass(frozen=True)
class ReviewAlert:
    alert_id: UUID
    verdict: Verdict
    note: str = field(repr=False)
    reviewer_id: UUID


async def review_alert(tx: Tx, command: ReviewAlert) -> Review:
    """Raises Missing for an alert that is not there."""
    payments = await tables.lock(tx, command.alert_id)
    if payments is None:
        raise Missing
    review = Review(tx.new_id(), command.verdict, command.note, command.reviewer_id, tx.now)
    await tables.insert_review(tx, command.alert_id, review, payments)
    await audit.record(tx, command.reviewer_id, "alert.reviewed", command.alert_id, verdict=command.verdict.value)
    return review
