"""Where a programme is played: the platform built in-process, a clock that is set, an agenda, a tally.

Law: nothing here is random but by the seed, so that the same seed gives the same deeds. Within a
minute different people act at once, and which of them is served first is left open; so nothing that
is written out may follow from it. Nobody's chance, sums or order depends on another's, and random
bytes come from a stream that stands at the same place after the minute, whoever took which of them.
What decides between people, such as who gets the last units, happens alone. Actors have entropy of
their own, apart from the platform's: what one of them makes never shifts the other's ids.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from infra.simulation.agenda import Agenda, Event
from infra.simulation.door import Door
from infra.simulation.scenarios import Setting
from infra.town import Town
from infra.worker import jobs, run_once, settle_checkouts
from services.campaigns.terms import Terms
from services.kit.clock import TOKYO, SetClock, civil_date
from services.kit.ids import SeededEntropy, uuid7
from services.settlement.calendar import closing_dates, cutoff_instant
from services.settlement.closings import LONGEST_GAP, closing_of

PUBLIC_URL = "http://localhost:8000"
CHANNEL_ASKED_EVERY = timedelta(minutes=10)
_MIDNIGHT = datetime(2000, 1, 1, tzinfo=TOKYO)


class Stage:
    """One play. `told` hears where it is and of every payment's yen, for a progress bar."""

    def __init__(
        self,
        setting: Setting,
        town: Town,
        clock: SetClock,
        entropy: SeededEntropy,
        told: Callable[[str, int], None],
    ) -> None:
        self.setting = setting
        self.terms = setting.terms
        self.programme = setting.scenario.code
        self.town = town
        self.clock = clock
        self.door = Door(town.app, PUBLIC_URL)
        self.tally: Counter[str] = Counter()
        self.cutoffs = tuple(map(cutoff_instant, closing_days(self.terms)))
        self._agenda = Agenda()
        self._entropy = entropy
        self._jobs = jobs(town.jobs, town.checkout)
        self._told = told
        self._channel_asked_at: datetime | None = None

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        """The civil day in Japan."""
        return civil_date(self.now)

    def rng(self, *name: object) -> Random:
        """Chance of one's own: what one actor draws never moves what another does."""
        return Random("/".join(str(part) for part in (self.setting.seed, *name)))

    def new_key(self) -> UUID:
        """An id that an app makes for a command."""
        return uuid7(self.now, self._entropy)

    def secret(self, count: int) -> bytes:
        """Random bytes of an actor: a phone's key, a password."""
        return self._entropy.take(count)

    def wait(self, seconds: float) -> None:
        """Time passes while somebody does something, for everybody: not for what happens thousands of times."""
        self.clock.advance(timedelta(seconds=seconds))

    def at(self, day: date, clock_time: str, event: Event) -> None:
        """Something happens on a civil day in Japan, at `HH:MM`."""
        self.when(instant(day, clock_time), event)

    def when(self, at: datetime, event: Event, *, who: int | None = None) -> None:
        """Something happens; `who` is the one person whom it concerns, None where it concerns others, too."""
        self._agenda.add(at, event, who)

    def soon(self, minutes: float, event: Event, *, who: int | None = None) -> None:
        self.when(self.now + timedelta(minutes=minutes), event, who=who)

    def when_channel_is_asked(self, minutes: float, event: Event) -> None:
        """Something happens when the platform next asks its channel, but not for so many minutes."""
        since = self.now + timedelta(minutes=minutes) - _MIDNIGHT
        self.when(_MIDNIGHT - (-since // CHANNEL_ASKED_EVERY) * CHANNEL_ASKED_EVERY, event)

    def happened(self, what: str) -> None:
        """Count an element of the story."""
        self.tally[what] += 1

    def tell(self, words: str) -> None:
        """Say what takes a while."""
        self._told(words, 0)

    def paid(self, yen: int) -> None:
        self._told(self.today.isoformat(), yen)

    async def play(self) -> None:
        """Let everything happen that is on the agenda. Time never runs back: a late actor makes others late."""
        day = None
        while (found := self._agenda.next()) is not None:
            at, events = found
            self.clock.set(max(self.now, at))
            if self.today != day:
                day = self.today
                self.tell(day.isoformat())
            await _all_of(events)

    async def ask_channel(self) -> None:
        """The platform's job that settles checkouts, which it does for everybody who waits at this instant."""
        if self._channel_asked_at != self.now:
            self._channel_asked_at = self.now
            await settle_checkouts(self.town.jobs, self.town.checkout)

    async def work(self) -> None:
        """The platform's own jobs, once, as its worker does them."""
        done = await run_once(self._jobs)
        failed = [name for name, count in done.items() if count is None]
        if failed:
            raise RuntimeError(f"the jobs {failed} failed at {self.now}")


async def _all_of(events: Sequence[Event]) -> None:
    """Let them happen at once; when all are over, raise what the first that failed raised."""
    if len(events) == 1:
        await events[0]()
        return
    for outcome in await asyncio.gather(*(event() for event in events), return_exceptions=True):
        if outcome is not None:
            raise outcome


def instant(day: date, clock_time: str) -> datetime:
    """`HH:MM` on a civil day in Japan."""
    hour, minute = clock_time.split(":")
    return datetime.combine(day, time(int(hour), int(minute)), TOKYO)


def closing_days(terms: Terms) -> tuple[date, ...]:
    """The closing days of the programme, until nothing can happen in it any more."""
    over = terms.use.last + timedelta(days=terms.refund_days + terms.revive_days) + LONGEST_GAP
    return closing_dates(closing_of(terms.settlement), terms.use.first, over)
