"""How far back something unseen can lie, from what the database says of transactions under way.

What is sealed (a journal, an entry of the audit log) is recorded when it is written and seen when its
transaction commits, however much later. So "newer than the last seal" would miss what commits late. The
law here holds for any lateness: once everything that a look at the database could see has been sealed,
what is still without a seal was written by transactions that had not ended then. If the oldest of those
took its number after an earlier look had taken its own, it began to write after that look, and so did
all the others.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCK_MARGIN = timedelta(minutes=1)
"""The database's clock may be set back, and a row takes its time a moment before its transaction's number."""

SET_BACK = timedelta(seconds=1)
"""By more than this a clock was set back, and not only disciplined; of less the margin takes care."""

MOST_LOOKS = 1_000
"""While one transaction stays open, looks pile up behind it; the oldest are forgotten, which only widens the search."""


@dataclass(frozen=True)
class Look:
    """One look at the database: its clock, our own transaction's number, the oldest that had not ended."""

    at: datetime
    own: int
    oldest_open: int


@dataclass(frozen=True)
class Horizon:
    """Nothing unsealed was recorded before `since`; None says that nothing is known yet."""

    since: datetime | None = None
    looks: tuple[Look, ...] = ()

    def after(self, look: Look) -> "Horizon":
        """What is known once everything that `look` could see has been sealed: nothing where the clock was set back.

        What was written since then is recorded before looks that were taken earlier.
        """
        if self.looks and look.at < self.looks[-1].at - SET_BACK:
            return Horizon(None, (look,))
        looks = (*self.looks, look)
        ended = [index for index, each in enumerate(looks) if each.own <= look.oldest_open]
        if not ended:
            return Horizon(self.since, looks[-MOST_LOOKS:])
        return Horizon(looks[ended[-1]].at - CLOCK_MARGIN, looks[ended[-1] :])


def late_after(began: Look, later: Look) -> datetime | None:
    """Since when everything is recorded that cannot be seen after `later`, by two looks of one transaction.

    None if something that was open before its first look still is: then nobody can say.
    """
    return began.at - CLOCK_MARGIN if began.own <= later.oldest_open else None
