"""A journal: what one deed does to one programme's books, always summing to zero.

One journal speaks of one programme only, so that two kinds of value never mix in it; a
deed over several programmes writes one journal each. A correction is another journal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.kit.errors import Refusal
from services.kit.frozen import quick
from services.ledger.chart import OWNED, Account


class JournalKind(StrEnum):
    PURCHASE = "purchase"
    PURCHASE_UNDONE = "purchase_undone"
    LATE_MONEY = "late_money"
    MONEY_RETURNED = "money_returned"
    CHANNEL_SETTLED = "channel_settled"
    GRANT = "grant"
    PAYMENT = "payment"
    CANCEL = "cancel"
    REFUND = "refund"
    EXPIRY = "expiry"
    MERGE = "merge"
    CLOSE = "close"
    SENT = "sent"
    PAID = "paid"
    RETURNED = "returned"
    CORRECTION = "correction"


class Unbalanced(Refusal):
    """The postings of a journal do not sum to zero, or one of them is not a posting."""

    code = "journal_unbalanced"


@quick
@dataclass(frozen=True)
class Posting:
    """`amount_yen` on one account: a debit above zero, a credit below."""

    account: Account
    amount_yen: int
    owner_id: UUID | None = None


@quick
@dataclass(frozen=True)
class Journal:
    programme_id: UUID
    kind: JournalKind
    deed_id: UUID
    postings: tuple[Posting, ...]
    reverses_id: UUID | None = None


@quick
@dataclass(frozen=True)
class WrittenJournal:
    """A journal as the books hold it."""

    id: UUID
    journal: Journal


@dataclass(frozen=True)
class Movement:
    """What one deed did to a set of accounts at an instant; `change_yen` is a gain above zero."""

    deed_id: UUID
    kind: JournalKind
    effective_at: datetime
    change_yen: int


def entry(programme_id: UUID, kind: JournalKind, deed_id: UUID, postings: Iterable[Posting]) -> Journal:
    """A checked journal; postings of zero yen say nothing and are left out."""
    kept = tuple([posting for posting in postings if posting.amount_yen != 0])
    journal = Journal(programme_id, kind, deed_id, kept)
    check(journal)
    return journal


def check(journal: Journal) -> None:
    """Raise Unbalanced unless the journal may be written."""
    total = 0
    sound = bool(journal.postings)
    for posting in journal.postings:
        total += posting.amount_yen
        if posting.amount_yen == 0 or (posting.owner_id is not None) != (posting.account in OWNED):
            sound = False
    if total != 0 or not sound:
        raise Unbalanced(kind=journal.kind.value, difference_yen=total)


def reversal(written: WrittenJournal, kind: JournalKind, deed_id: UUID) -> Journal:
    """The journal that compensates another one, posting by posting; nothing is deleted."""
    original = written.journal
    turned = tuple(Posting(posting.account, -posting.amount_yen, posting.owner_id) for posting in original.postings)
    return Journal(original.programme_id, kind, deed_id, turned, reverses_id=written.id)
