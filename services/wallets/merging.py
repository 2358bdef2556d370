"""Merging two wallets of one person: what may be merged, what was shown for it, what it comes to.

Law: a person has one wallet. The one that is closed gives all that it holds to the other; what both had bought counts
against one cap, and nothing is taken away where that is more than the cap: there is only nothing left to buy. Two
proven identities that cannot be one person's are never merged, whoever says so.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from services.kit.errors import Kind, Refusal


class MergeOfOne(Refusal):
    """A wallet is not merged into itself."""

    code = "merge_of_one"


class MergePersonsDiffer(Refusal):
    """What the two have proven cannot be one person's: another birth date, line of the register or pseudonym."""

    code = "merge_persons_differ"
    kind = Kind.CONFLICT


class MergeIntoUnproven(Refusal):
    """The wallet that would be closed has a proven person, and the other has not: merge them the other way round."""

    code = "merge_into_unproven"
    kind = Kind.CONFLICT


class Shown(StrEnum):
    """What the officer has seen of it that both wallets are one person's."""

    IDENTITY_DOCUMENT = "identity_document"
    """The holder of both came with a document, and signed in or showed the card of each."""
    CARD_AND_PHONE = "card_and_phone"
    """The printed card of one, its PIN typed, and the phone of the other, signed in before the officer."""
    REGISTER = "register"
    """Both proofs are of one line of the register, however the name was spelt."""


@dataclass(frozen=True)
class AskMerge:
    """Close one wallet, and let all that it holds go to the other; by their numbers."""

    officer_id: UUID
    closed_number: str
    into_number: str
    evidence: Shown
    reason: str = field(repr=False)


@dataclass(frozen=True)
class ProposedMerge:
    """What an approval names."""

    change_id: UUID
    fingerprint: str


@dataclass(frozen=True)
class CapTogether:
    """What both wallets have bought of a programme, in yen, beside the cap of one person."""

    programme: str
    closed_yen: int
    into_yen: int
    cap_yen: int

    @property
    def left_yen(self) -> int:
        """What the person may still buy after the merge."""
        return max(0, self.cap_yen - self.closed_yen - self.into_yen)

    @property
    def above_yen(self) -> int:
        """By how much both together are above the cap; nobody takes it away."""
        return max(0, self.closed_yen + self.into_yen - self.cap_yen)
