"""What a person proved of themselves, how, and what stands in the way of proving it twice.

Law: one proven identity belongs to one person. The same line of the register and the same pseudonym of the
sign-in service are the same identity for certain; the same name and birth date may be two people, which an officer
decides. Until then the second proof is not recorded: nobody buys twice while the question is open.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.kit.errors import Kind, Refusal

TRIES = 5
"""Proofs by letter that one account may try in `WINDOW`, right or wrong."""
WINDOW = timedelta(hours=24)
ENTRY_TRIES = 20
"""Wrong tries at one entry in `WINDOW`, from all accounts; beyond them only an account's first try counts."""


class ResidencyNotMatched(Refusal):
    """No entry has this name, birth date and code together; which of them is wrong is not told."""

    code = "residency_not_matched"


class ResidencyThrottled(Refusal):
    """Tried too often from this account; the next try is possible in `retry_after_seconds`."""

    code = "residency_throttled"
    kind = Kind.THROTTLED


class ResidencyOfOther(Refusal):
    """The person has proven another name or birth date: an account is not handed on."""

    code = "residency_of_other"
    kind = Kind.CONFLICT


class ResidencyUnproven(Refusal):
    """Who buys here has to prove first that they live in the city."""

    code = "residency_unproven"
    kind = Kind.FORBIDDEN


class ResidencyDetailsInvalid(Refusal):
    """`field` (name, kana, birth_date, postal_code) has not the form that it must have."""

    code = "residency_details_invalid"


class ClaimDecided(Refusal):
    """The second proof is `status` already."""

    code = "residency_claim_decided"
    kind = Kind.CONFLICT


class ClaimIsSamePerson(Refusal):
    """Both proofs name one line of the register, or one pseudonym: that is one person."""

    code = "residency_claim_same_person"
    kind = Kind.CONFLICT


class How(StrEnum):
    """How it was proven: by the register and a letter, at the counter, by the government's sign-in service.

    MERGED: proven before this was found to be another's person, whose proof it is now.
    """

    REGISTRY = "registry"
    COUNTER = "counter"
    OIDC = "oidc"
    MERGED = "merged"


class ClaimStatus(StrEnum):
    OPEN = "open"
    SAME_PERSON = "same_person"
    ANOTHER_PERSON = "another_person"


@dataclass(frozen=True)
class Details:
    """Personal data: the least that says who somebody is. `postal_code` is None where a proof does not tell it."""

    name: str = field(repr=False)
    kana: str | None = field(repr=False)
    born_on: date = field(repr=False)
    postal_code: str | None = field(repr=False)


@dataclass(frozen=True)
class Proof:
    """What an account proves for a person. `reference` is a line of the register, `subject` a pseudonym."""

    person_id: UUID
    proven_by: UUID
    how: How
    details: Details = field(repr=False)
    reference: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Residency:
    """What a person has proven."""

    person_id: UUID
    how: How
    details: Details = field(repr=False)
    reference: str | None = field(repr=False)
    subject: str | None = field(repr=False)
    proven_at: datetime
    proven_by: UUID


@dataclass(frozen=True)
class Claim:
    """A second proof of what `held_by` has proven already; it waits for an officer."""

    id: UUID
    person_id: UUID
    held_by: UUID
    proof: Proof = field(repr=False)
    found_at: datetime
    status: ClaimStatus
    decided_by: UUID | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """`proven`, or `under_review` with the claim that an officer decides."""

    proven: bool
    claim_id: UUID | None = None


def is_certain(proof: Proof, held: Residency) -> bool:
    """Whether two proofs are one person's beyond doubt."""
    return (proof.reference is not None and proof.reference == held.reference) or (
        proof.subject is not None and proof.subject == held.subject
    )
