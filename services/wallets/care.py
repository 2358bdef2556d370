"""Care: one person looks after another's wallet, by consent or by law, until either side or a day ends it.

Law: care opens a wallet, it joins none. The cared-for person keeps a wallet, a cap and a history of their own; the
carer sees it, buys within that person's cap and pays from it, and nothing else: contact, sign-in, phones of others and
the proof of residency stay the person's own. Whom a carer cares for is a matter of the carer's own person, so a carer
of a carer is no carer, and nobody cares for themselves.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.kit.clock import civil_date, end_of, start_of
from services.kit.errors import Kind, Refusal
from services.kit.numbers import make_number, number_space, parse_number

WORDS: Final = "2026-11"
"""The version of the words that are consented to: `care.words` in `locales`."""

CODE_PREFIX, CODE_LENGTH = "H", 8
CODE_LIFE = timedelta(minutes=10)
TRIES, WINDOW = 10, timedelta(hours=1)
"""Codes that one account may type in `WINDOW`, right or wrong."""

MOST_CARED_FOR = 5
"""How many people one person cares for, unless the installation says otherwise."""
LARGEST_HOUSEHOLD = 20
"""No installation lets one person care for more."""
MOST_CARERS = 3
"""How many carers one person has."""
LATEST_END = timedelta(days=20 * 366)
OF_AGE = 18
"""Since April 2022 (Civil Code, article 4)."""


class CareWordsOutdated(Refusal):
    """Other words were consented to than those of version `current`: show these, and ask again."""

    code = "care_words_outdated"
    kind = Kind.CONFLICT


class CareCodeRefused(Refusal):
    """Not a code of ours, or one that is over, used or replaced: which, is never told."""

    code = "care_code_refused"


class CareThrottled(Refusal):
    """Too many codes were typed from this account; the next is heard in `retry_after_seconds`."""

    code = "care_throttled"
    kind = Kind.THROTTLED


class CareOfOneself(Refusal):
    """Whoever gives the code and whoever types it are two people."""

    code = "care_of_oneself"


class CareExists(Refusal):
    """The one cares for the other already."""

    code = "care_exists"
    kind = Kind.CONFLICT


class CareLimitReached(Refusal):
    """Nobody cares for more than `most` people, or has more than `most` carers."""

    code = "care_limit_reached"
    kind = Kind.CONFLICT


class CareEvidenceUnfit(Refusal):
    """What was shown does not prove this kind of care."""

    code = "care_evidence_unfit"


class CareEndInvalid(Refusal):
    """The last day is over already, or too far away."""

    code = "care_end_invalid"


class CareBirthDateUnknown(Refusal):
    """A parent's care ends with a birthday: the child has to prove theirs first, at the counter."""

    code = "care_birth_date_unknown"
    kind = Kind.CONFLICT


class CareOfAdult(Refusal):
    """Whoever is of age has no parent's care; they may consent, or a court appoints a guardian."""

    code = "care_of_adult"
    kind = Kind.CONFLICT


class CareKind(StrEnum):
    CONSENT = "consent"
    """The cared-for person wants it."""
    PARENT = "parent"
    """Of a minor; it ends with their 18th birthday."""
    GUARDIAN = "guardian"
    """Appointed by a court (成年後見)."""


class Evidence(StrEnum):
    """What was shown at the counter."""

    SPOKEN_CONSENT = "spoken_consent"
    """The cared-for person said so there, to the officer."""
    POWER_OF_ATTORNEY = "power_of_attorney"
    FAMILY_REGISTER = "family_register"
    RESIDENT_RECORD = "resident_record"
    GUARDIAN_CERTIFICATE = "guardian_certificate"


PROVES: Final[Mapping[CareKind, frozenset[Evidence]]] = {
    CareKind.CONSENT: frozenset({Evidence.SPOKEN_CONSENT, Evidence.POWER_OF_ATTORNEY}),
    CareKind.PARENT: frozenset({Evidence.FAMILY_REGISTER, Evidence.RESIDENT_RECORD}),
    CareKind.GUARDIAN: frozenset({Evidence.GUARDIAN_CERTIFICATE}),
}


class Side(StrEnum):
    """Who ended it; TIME for a last day that nobody had to say."""

    CARER = "carer"
    CARED_FOR = "cared_for"
    OFFICE = "office"
    TIME = "time"


@dataclass(frozen=True)
class Names:
    """What each calls the other, as they typed it: no name that the platform knows is shown to the other side."""

    carer: str = field(repr=False)
    cared_for: str = field(repr=False)


@dataclass(frozen=True)
class Care:
    """That one person cares for another; it counts while it has not ended and `ends_at` has not come."""

    id: UUID
    kind: CareKind
    carer_id: UUID
    cared_for_id: UUID
    wallet_id: UUID
    names: Names
    began_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Consent:
    """By whom, how and to what: written once. `given_by` is an account, None where an officer vouches for it."""

    given_by: UUID | None
    words: str
    evidence: Evidence | None = None
    recorded_by: UUID | None = None
    change_id: UUID | None = None


def must_be_current(words: str) -> None:
    """Raises CareWordsOutdated."""
    if words != WORDS:
        raise CareWordsOutdated(current=WORDS)


def must_prove(kind: CareKind, evidence: Evidence) -> None:
    """Raises CareEvidenceUnfit."""
    if evidence not in PROVES[kind]:
        raise CareEvidenceUnfit


def end_after(last_day: date | None, now: datetime) -> datetime | None:
    """The instant at which care ends that lasts up to and including a day. Raises CareEndInvalid."""
    if last_day is None:
        return None
    today = civil_date(now)
    if not today <= last_day <= today + LATEST_END:
        raise CareEndInvalid
    return end_of(last_day)


def end_of_childhood(born_on: date) -> datetime:
    """The first instant of the 18th birthday in Japan; of those born on 29 February in a common year, 1 March."""
    try:
        return start_of(born_on.replace(year=born_on.year + OF_AGE))
    except ValueError:
        return start_of(date(born_on.year + OF_AGE, 3, 1))


def end_with_childhood(born_on: date, ends_at: datetime | None, now: datetime) -> datetime:
    """When a parent's care ends: at the birthday, or before it. Raises CareOfAdult."""
    of_age_at = end_of_childhood(born_on)
    if of_age_at <= now:
        raise CareOfAdult
    return of_age_at if ends_at is None else min(ends_at, of_age_at)


def care_code(key: bytes, account_id: UUID, wallet_id: UUID, request: UUID) -> str:
    """The code of one request, in stored form: asked for again under the same name, it is the same."""
    named = b"tanabata care code" + account_id.bytes + wallet_id.bytes + request.bytes
    drawn = int.from_bytes(hmac.digest(key, named, "sha256")[:16])
    return make_number(CODE_PREFIX, drawn % number_space(CODE_LENGTH), CODE_LENGTH)


def read_care_code(typed: str) -> str:
    """A code as typed, in stored form. Raises the refusals of `parse_number`, which cost no try."""
    return parse_number(typed, prefix=CODE_PREFIX)


def care_code_mac(key: bytes, code: str) -> bytes:
    """What is kept of a code, and what finds it: HMAC-SHA256 under a key that the database does not know."""
    return hmac.digest(key, b"typed care code\0" + code.encode(), "sha256")
