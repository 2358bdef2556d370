"""A proof that is kept, so that whoever answers for the books need not have watched it.

Law: the books are proven once a night, and once for everybody who asked before a proof began. A proof that
began later answers a wish, one that was under way already does not: it looked at the books as they were before.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from services.kit.clock import TOKYO
from services.proof.proof import Check, Proof

NIGHT: Final = time(3)
"""When the city sleeps, in Japan."""


@dataclass(frozen=True)
class KeptProof:
    """What was proven: the books as they were at `began_at`, told at `ended_at`."""

    id: UUID
    began_at: datetime
    ended_at: datetime
    checks: tuple[Check, ...]

    @property
    def clean(self) -> bool:
        return Proof(self.checks).clean

    @property
    def broken(self) -> tuple[Check, ...]:
        return Proof(self.checks).broken

    @property
    def laws(self) -> int:
        return len(self.checks)


@dataclass(frozen=True)
class Standing:
    """When the last kept proof began, and when somebody last asked for one; None for never."""

    began_at: datetime | None
    asked_at: datetime | None

    @property
    def wish(self) -> datetime | None:
        """The last wish, if no kept proof began after it."""
        if self.asked_at is None or self.began_at is None or self.began_at <= self.asked_at:
            return self.asked_at
        return None

    def is_due(self, now: datetime) -> bool:
        """Whether the books are to be proven: somebody waits, or none has been since the last night."""
        return self.wish is not None or self.began_at is None or self.began_at < last_night(now)


def last_night(now: datetime) -> datetime:
    """The last instant at or before `now` at which a night's proof was due."""
    here = now.astimezone(TOKYO)
    tonight = datetime.combine(here.date(), NIGHT, TOKYO)
    return tonight if tonight <= here else tonight - timedelta(days=1)
