"""A proof that is kept, so that whoever answers for the books need not have watched it.

Law: the books are proven once a night, and once for everybody who asked before a proof began. A proof that
began later answers a wish, one that was under way already does not: it looked at the books as they were before.
However often somebody asks, half of the time nothing is proven.
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
class Stretch:
    """From when to when a kept proof was made."""

    began_at: datetime
    ended_at: datetime

    @property
    def rested_at(self) -> datetime:
        """When as much time has gone by as it took: sooner none is made because somebody asks."""
        return self.ended_at + (self.ended_at - self.began_at)


@dataclass(frozen=True)
class Wish:
    """Somebody asked for a proof."""

    id: UUID
    asked_at: datetime

    def unless_after(self, began_at: datetime | None) -> "Wish | None":
        """This wish, if a proof that began then, or None for none, does not answer it."""
        return self if began_at is None or began_at <= self.asked_at else None


@dataclass(frozen=True)
class Standing:
    """The last kept proof, when one last began (perhaps it never ended), and the last wish; None for never."""

    kept: Stretch | None
    begun_at: datetime | None
    last_wish: Wish | None

    @property
    def wish(self) -> Wish | None:
        """The last wish, if no kept proof began after it."""
        kept_at = None if self.kept is None else self.kept.began_at
        return None if self.last_wish is None else self.last_wish.unless_after(kept_at)

    @property
    def waiting(self) -> Wish | None:
        """The last wish, if no proof at all has begun after it: the next one answers whoever asks now as well."""
        return None if self.wish is None else self.wish.unless_after(self.begun_at)

    def is_due(self, now: datetime) -> bool:
        """Whether the books are to be proven: none has been since the last night, or somebody waits and it rested."""
        if self.kept is None or self.kept.began_at < last_night(now):
            return True
        return self.wish is not None and self.kept.rested_at <= now


def last_night(now: datetime) -> datetime:
    """The last instant at or before `now` at which a night's proof was due."""
    here = now.astimezone(TOKYO)
    tonight = datetime.combine(here.date(), NIGHT, TOKYO)
    return tonight if tonight <= here else tonight - timedelta(days=1)
