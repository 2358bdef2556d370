"""Four eyes: one proposes, another approves exactly what was proposed.

Law: nobody approves their own; what is approved is what the approver was shown, to the last letter, or
nothing is. A proposal is never edited: other content is another proposal, with a fingerprint of its own,
so no approval can survive a change. Who counts as another person is known further up (`services.identity`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from services.kit.errors import Kind, Refusal


class SecondOfficerNeeded(Refusal):
    """Nobody approves what they proposed."""

    code = "second_officer_needed"
    kind = Kind.FORBIDDEN


class OwnInterest(Refusal):
    """It would go to whoever decides, to their household, or to a store where one of them works."""

    code = "own_interest"
    kind = Kind.FORBIDDEN


class ChangeDiffers(Refusal):
    """The fingerprint is not that of what would be changed: look again at what it is."""

    code = "change_differs"
    kind = Kind.CONFLICT


class ChangeDecided(Refusal):
    """The proposed change is `status` already: approved or withdrawn."""

    code = "change_decided"
    kind = Kind.CONFLICT


class ChangeKind(StrEnum):
    """What can be proposed."""

    GRANT = "grant"
    PAYOUT_ACCOUNT = "payout_account"
    REGISTER = "register"
    STAFF_PERSON = "staff_person"
    CARE = "care"
    MERGE = "merge"


class ChangeStatus(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class ProposedChange:
    """What would change, of what, by whom; `fingerprint` in hex stands for all of it."""

    id: UUID
    kind: ChangeKind
    subject_id: UUID
    content: Mapping[str, Any]
    fingerprint: str
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    status: ChangeStatus = ChangeStatus.OPEN


def fingerprint_of(kind: ChangeKind, subject_id: UUID, content: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over kind, subject and content in one spelling."""
    said = msgspec.json.encode([kind, subject_id, content], order="deterministic")
    return hashlib.sha256(said).hexdigest()


def must_be_another(proposed_by: UUID, approved_by: UUID) -> None:
    """Raises SecondOfficerNeeded for the very account that proposed."""
    if proposed_by == approved_by:
        raise SecondOfficerNeeded


def must_be_open(change: ProposedChange) -> None:
    """Raises ChangeDecided."""
    if change.status is not ChangeStatus.OPEN:
        raise ChangeDecided(status=change.status.value)


def must_be_as_shown(change: ProposedChange, shown: str) -> None:
    """The content is what was proposed, and what the approver was shown. Raises ChangeDiffers."""
    now = fingerprint_of(change.kind, change.subject_id, change.content)
    if not now == change.fingerprint == shown.strip().lower():
        raise ChangeDiffers
