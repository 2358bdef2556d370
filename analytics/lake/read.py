"""Reading stretches of days out of the views: files for the frames, sums of the ledger; on one connection or several.

Law: everything is of one snapshot. Connections take the next stretch when they have done one, so none waits while
another has work; which of them read a stretch is nowhere to be seen afterwards.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from analytics.frames import FRAMES
from analytics.lake import shape
from analytics.lake.agree import gained
from analytics.lake.manifest import Part
from analytics.lake.packed import PACKED
from analytics.lake.paid import City
from analytics.lake.views import Days, Opened, Views, open_views
from analytics.lake.write import write_part

BY_DAY: Final = ("lots", "spending", "expiries")
LEDGER: Final = "ledger"
"""Stands for a frame's name where the ledger's sums are asked for."""

FEW_DAYS: Final = 7
"""Of so few days' spending the database looks up whose the lots are; of more, all lots are read once instead."""

Told = Callable[[int, int], None]
"""Hears how many steps of how many are done."""


@dataclass(frozen=True)
class Stretch:
    """Days of one frame, or of the ledger, that are read at once."""

    of: str
    days: Days


@dataclass(frozen=True)
class Found:
    """What a stretch brought: a frame's files, or what wallets gained by the ledger."""

    stretch: Stretch
    parts: tuple[Part, ...] = ()
    gained: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """Where files go, and whose lots are, where that is known beforehand."""

    root: Path
    city: City | None

    def read(self, views: Views, stretch: Stretch) -> Found:
        if stretch.of == LEDGER:
            return Found(stretch, gained=gained(views, stretch.days))
        frame = FRAMES[stretch.of]
        if stretch.of == "spending" and self.city is not None:
            payments, legs, takings = (views.columns(view, stretch.days) for view in PACKED)
            told = self.city.spending(payments, legs, takings, views.rows("returned", stretch.days))
        else:
            told = views.rows(stretch.of, stretch.days)
        return Found(
            stretch, tuple(write_part(self.root, frame, day, rows) for day, rows in shape.days_of(frame, told))
        )


@dataclass(frozen=True)
class Way:
    """How the views are reached: their address, how many connections read at once, and who hears of each."""

    uri: str
    connections: int = 1
    opened: Opened | None = None

    def views(self, snapshot: str | None = None) -> AbstractContextManager[Views]:
        return open_views(self.uri, snapshot, self.opened)


def read_all(root: Path, way: Way, views: Views, stretches: Sequence[Stretch], told: Told) -> list[Found]:
    """Every stretch, in any order; on several connections when there is much to read."""
    total = len(stretches)
    several = sum(each.days.count or FEW_DAYS for each in stretches if each.of == "spending") > FEW_DAYS
    reader = Reader(root, City(views.rows("purses"), views.rows("shops")) if several else None)
    if way.connections == 1 or not several:
        found = []
        for done, stretch in enumerate(stretches, 1):
            found.append(reader.read(views, stretch))
            told(done, total)
        return found
    waiting: SimpleQueue[Stretch] = SimpleQueue()
    for stretch in stretches:
        waiting.put(stretch)
    reached = iter(range(1, total + 1))
    work = partial(_read_some, reader, partial(way.views, views.snapshot()), waiting)
    with ThreadPoolExecutor(way.connections) as readers:
        shares = [readers.submit(work, lambda: told(next(reached), total)) for _ in range(way.connections)]
    return [each for share in shares for each in share.result()]


def _read_some(
    reader: Reader,
    opened: Callable[[], AbstractContextManager[Views]],
    waiting: "SimpleQueue[Stretch]",
    done: Callable[[], None],
) -> list[Found]:
    found: list[Found] = []
    with opened() as views:
        while True:
            try:
                stretch = waiting.get_nowait()
            except Empty:
                return found
            found.append(reader.read(views, stretch))
            done()
