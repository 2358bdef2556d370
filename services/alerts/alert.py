"""What an alert is, when one that was judged is told again, and how often the judged ones were right.

Law: a rule and what it looks at have one open alert at most. One that was judged is told anew only when it rests on
at least twice as many payments as it did then, so that nobody judges the same thing every morning, and nothing that
grows is hidden by an early "harmless". An alert accuses nobody and stops nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

GROWN: Final = 2
"""Times as many payments as at its last review make an alert a new one."""

MOST_FINDINGS: Final = 5_000
"""Of one run; the most telling ones. Nobody looks at more, and a rule gone wild must not fill a table."""

MOST_NAMED: Final = 200
"""People whom one alert names."""


class Verdict(StrEnum):
    """What an officer found when they looked."""

    MISUSE = "misuse"
    HARMLESS = "harmless"
    UNCLEAR = "unclear"


class Show(StrEnum):
    """Which alerts are asked for."""

    OPEN = "open"
    REVIEWED = "reviewed"
    ALL = "all"


@dataclass(frozen=True)
class Finding:
    """What a rule found. `key` is the same for the same rule and what it looks at; residents are the lake's numbers.

    `score_permille` is 0 to 1,000 and no probability; `payments` is on how many it rests.
    """

    key: str
    rule: str
    subject: str
    score_permille: int
    parameters: Mapping[str, int | float | str]
    residents: Sequence[int]
    payments: int


@dataclass(frozen=True)
class Known:
    """The latest alert of a key; `reviewed_payments` is on how many it rested when it was judged, None while open."""

    key: str
    round: int
    reviewed_payments: int | None


@dataclass(frozen=True)
class Review:
    """What came of looking; the latest of an alert counts."""

    id: UUID
    verdict: Verdict
    note: str
    reviewer_id: UUID
    reviewed_at: datetime


@dataclass(frozen=True)
class Alert:
    """A finding that was kept. `round` counts how often it was told anew after a review, from 1."""

    id: UUID
    rule: str
    subject: str
    round: int
    score_permille: int
    parameters: Mapping[str, int | float | str]
    residents: Sequence[int]
    payments: int
    first_day: date
    last_day: date
    found_at: datetime
    seen_at: datetime
    review: Review | None


@dataclass(frozen=True)
class Tally:
    """How many alerts of one rule there are, and what came of those that were looked at."""

    rule: str
    open: int
    misuse: int
    harmless: int
    unclear: int

    @property
    def precision_permille(self) -> int | None:
        """Of those that were judged, how many were misuse; what stayed unclear says nothing. None before the first."""
        judged = self.misuse + self.harmless
        return None if judged == 0 else self.misuse * 1_000 // judged


def round_of(finding: Finding, known: Known | None) -> int | None:
    """As which round a finding is kept; None where it was judged and has not grown enough since."""
    if known is None:
        return 1
    if known.reviewed_payments is None:
        return known.round
    return known.round + 1 if finding.payments >= GROWN * max(1, known.reviewed_payments) else None


def most_telling(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a run that are kept: by score, then by key."""
    return sorted(findings, key=lambda each: (-each.score_permille, each.key))[:MOST_FINDINGS]
