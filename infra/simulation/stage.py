"""Where a programme is played: the platform built in-process, a clock that is set, an agenda, a tally.

Law: nothing here is random but by the seed, and no two things happen at once, so that the same
seed gives the same deeds in the same order. Actors have entropy of their own, apart from the
platform's: what one of them makes never shifts the other's ids.
"""

from collections import Counter
from collections.abc import Callable
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


class Stage:
    """One play. `told` hears of every payment's yen, for a progress bar."""

    def __init__(
        self,
        setting: Setting,
        town: Town,
        clock: SetClock,
        entropy: SeededEntropy,
        told: Callable[[datetime, int], None],
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

    def when(self, at: datetime, event: Event) -> None:
        self._agenda.add(at, event)

    def soon(self, minutes: float, event: Event) -> None:
        self.when(self.now + timedelta(minutes=minutes), event)

    def happened(self, what: str) -> None:
        """Count an element of the story."""
        self.tally[what] += 1

    def paid(self, yen: int) -> None:
        self._told(self.now, yen)

    async def play(self) -> None:
        """Let everything happen that is on the agenda. Time never runs back: a late actor makes others late."""
        while (found := self._agenda.next()) is not None:
            at, event = found
            self.clock.set(max(self.now, at))
            await event()

    async def ask_channel(self) -> None:
        """The platform's job that settles checkouts, as it runs all day."""
        await settle_checkouts(self.town.jobs, self.town.checkout)

    async def work(self) -> None:
        """The platform's own jobs, once, as its worker does them."""
        done = await run_once(self._jobs)
        failed = [name for name, count in done.items() if count is None]
        if failed:
            raise RuntimeError(f"the jobs {failed} failed at {self.now}")


def instant(day: date, clock_time: str) -> datetime:
    """`HH:MM` on a civil day in Japan."""
    hour, minute = clock_time.split(":")
    return datetime.combine(day, time(int(hour), int(minute)), TOKYO)


def closing_days(terms: Terms) -> tuple[date, ...]:
    """The closing days of the programme, until nothing can happen in it any more."""
    over = terms.use.last + timedelta(days=terms.refund_days + terms.revive_days) + LONGEST_GAP
    return closing_dates(closing_of(terms.settlement), terms.use.first, over)
