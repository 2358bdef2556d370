"""Bring a lake up to date: read what is new since the last refresh, rebuild what is damaged, agree, publish.

Law: the lake after a refresh is the lake that a refresh from nothing would have made of the same snapshot. Whole
days are read and replaced, so doing it twice, or again after being killed half-way, has one effect; what is not in
the manifest does not exist. How far back a refresh must read is what the house's horizon says: whatever the last
one could not see was written by transactions that were open then or began later, however late they commit.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from analytics.frames import FRAMES
from analytics.lake import shape
from analytics.lake.agree import ACCOUNTS, must_agree, undone
from analytics.lake.manifest import LakeMissing, Manifest, Part, read_manifest
from analytics.lake.merged import told_otherwise
from analytics.lake.read import BY_DAY, LEDGER, Found, Stretch, Told, Way, read_all
from analytics.lake.views import Days, Opened, Views
from analytics.lake.write import LakeUnwritable, publish, write_part
from services.kit.clock import civil_date
from services.kit.errors import Kind, Refusal
from services.kit.horizon import Horizon

DEED_MARGIN: Final = timedelta(minutes=15)
"""How long a deed may take from its instant to the moment it is recorded (as services.proof.since says, and why)."""

DAYS_AT_ONCE: Final = 4
WHOLE: Final = {
    "residents": shape.residents,
    "stores": shape.stores,
    "programmes": shape.programmes,
    "titles": shape.titles,
}
HORIZON: Final = "horizon"
END: Final = "end"
"""The manifest's marks: the horizon, and the first day that the lake does not hold."""


class LakeBusy(Refusal):
    """Another refresh is at work on this lake."""

    code: ClassVar[str] = "lake_busy"
    kind = Kind.CONFLICT


class LakeNotOfBooks(Refusal):
    """The lake was not read from a city's books by a refresh: it is invented, or of frames from elsewhere."""

    code: ClassVar[str] = "lake_not_of_books"


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: parts written, of them those found damaged, rows written, the first day not in the lake."""

    parts: int
    damaged: int
    rows: int
    end: date
    refreshed_at: datetime


@dataclass(frozen=True)
class Plan:
    """Stretches of days to read for each frame, and the periods that have to agree with the ledger.

    A period is given with the stretches in which the ledger is asked of it; together they are the period.
    """

    stretches: tuple[Stretch, ...]
    periods: Mapping[Days, tuple[Stretch, ...]]
    damaged: int
    anew: bool


def refresh(
    root: Path,
    uri: str,
    *,
    end: date | None = None,
    anew: bool = False,
    connections: int = 1,
    told: Told = lambda _done, _all: None,
    opened: Opened | None = None,
) -> Refreshed:
    """Refresh the lake in `root` from the views behind `uri` (libpq's), up to before `end` (None: today in Japan).

    `anew` reads everything; `connections` read at once, and `opened` hears of each. Raises LakeBusy, LakeDisagrees,
    LakeUnwritable, LakeSourceLost; the lake then stays as it was.
    """
    way = Way(uri, connections, opened)
    with _alone(root), ExitStack() as stack:
        old = None if anew else _old(root)
        # Every byte of what is kept is compared, while the database is asked.
        damaged = stack.enter_context(ThreadPoolExecutor(1)).submit(_damaged, root, old)
        with way.views() as before:
            early = before.look()
        views = stack.enter_context(way.views())
        look = views.look()
        last = end or civil_date(look.at)
        taken_back = undone(views)
        whole = {name: fit(views.rows(name)) for name, fit in WHOLE.items()}
        past = [("lots", civil_date(row["issued_at"])) for row in taken_back]
        if old is not None:
            past += told_otherwise(root, old, whole["residents"])
        plan = _plan(views, old, last, damaged.result(), past)
        asked = [each for pieces in plan.periods.values() for each in pieces]
        found = read_all(root, way, views, (*plan.stretches, *asked), told)
        frames = {name: _merged(name, old, plan, found, last) for name in BY_DAY}
        for period, pieces in plan.periods.items():
            must_agree(_gained(found, pieces), period, frames, taken_back)
        for name, rows in whole.items():
            frames[name] = (write_part(root, FRAMES[name], None, rows),)
        known = horizon_of(old)
        horizon = Horizon(known.since, (*known.looks, early)).after(look)
        marks = {HORIZON: msgspec.json.encode(horizon).decode(), END: last.isoformat()}
        publish(root, Manifest(look.at, frames, marks=marks))
        new = [part for each in found for part in each.parts]
        return Refreshed(len(new), plan.damaged, sum(part.rows for part in new), last, look.at)


def last_day_of_books(manifest: Manifest) -> date:
    """The last day of which the lake holds what the books say. Raises LakeNotOfBooks."""
    end = manifest.marks.get(END)
    if end is None:
        raise LakeNotOfBooks
    return date.fromisoformat(end) - timedelta(days=1)


def open_from(manifest: Manifest) -> date | None:
    """The first day of which the lake may lack a row that is committed by now; None: any."""
    since, end = horizon_of(manifest).since, manifest.marks.get(END)
    if since is None or end is None:
        return None
    return min(civil_date(since - DEED_MARGIN), date.fromisoformat(end))


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        opened = (root / "refresh.lock").open("w")
    except OSError as error:
        raise LakeUnwritable(problem=error.strerror or str(error)) from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LakeBusy from None
        yield


def _old(root: Path) -> Manifest | None:
    """The lake to go on from; None where there is none, or none whose marks say how far it was read."""
    try:
        old = read_manifest(root)
        open_from(old)
    except (LakeMissing, msgspec.MsgspecError, ValueError):
        return None
    return old


def horizon_of(manifest: Manifest | None) -> Horizon:
    """What a lake knows of transactions that it could not see; nothing, where there is no lake."""
    noted = None if manifest is None else manifest.marks.get(HORIZON)
    return Horizon() if noted is None else msgspec.json.decode(noted, type=Horizon)


def _plan(
    views: Views,
    old: Manifest | None,
    end: date,
    damaged: Sequence[tuple[str, date]],
    past: Sequence[tuple[str, date]],
) -> Plan:
    """New days from the horizon on; before them only what is damaged, and `past` days: they are told otherwise now."""
    begin = None if old is None else open_from(old)
    if begin is None:
        [row] = views.ask("SELECT at FROM beginning").to_pylist()
        begin = end if row["at"] is None else civil_date(row["at"])
        old = None
    begin = min(begin, end)
    whole = list(_stretches(begin, end))
    stretches = [Stretch(frame, days) for days in whole for frame in BY_DAY]
    broken = [(frame, day) for frame, day in damaged if day < begin] if old is not None else []
    stale = sorted({(frame, day) for frame, day in past if day < begin}) if old is not None else []
    again = dict.fromkeys([*broken, *stale])
    stretches += [Stretch(frame, _one(day)) for frame, day in again]
    if old is None:
        whole = [Days(None, whole[0].end), *whole[1:]] if whole else [Days(None, end)]
    periods = {
        Days(None if old is None else begin, end): whole,
        **{_one(day): [_one(day)] for day in sorted({day for _, day in again})},
    }
    asked = {period: tuple(Stretch(LEDGER, days) for days in pieces) for period, pieces in periods.items()}
    return Plan(tuple(stretches), asked, len(broken), old is None)


def _stretches(begin: date, end: date) -> Iterator[Days]:
    while begin < end:
        until = min(begin + timedelta(days=DAYS_AT_ONCE), end)
        yield Days(begin, until)
        begin = until


def _one(day: date) -> Days:
    return Days(day, day + timedelta(days=1))


def _damaged(root: Path, old: Manifest | None) -> list[tuple[str, date]]:
    """Frames and days of files that are not what was written, of those that a refresh would keep."""
    before = None if old is None else open_from(old)
    if old is None or before is None:
        return []
    return [
        (frame, part.day)
        for frame in BY_DAY
        for part in old.parts(frame)
        if part.day is not None and part.day < before and part.problem(root, deep=True)
    ]


def _gained(found: Sequence[Found], pieces: Sequence[Stretch]) -> Mapping[str, int]:
    """What wallets gained by the ledger in a period: the sum of its pieces; nothing in a period without a day."""
    told = [each.gained for each in found if each.stretch in pieces]
    return {account: sum(each[account] for each in told) for account in ACCOUNTS}


def _merged(name: str, old: Manifest | None, plan: Plan, found: Sequence[Found], end: date) -> tuple[Part, ...]:
    """The frame's parts afterwards: what was read anew replaces its days whole, also with nothing."""
    read = [each.days for each in plan.stretches if each.of == name]
    kept = [
        part
        for part in (() if old is None or plan.anew else old.parts(name))
        if part.day is not None and part.day < end and not any(days.holds(part.day) for days in read)
    ]
    new = [part for each in found if each.stretch.of == name for part in each.parts]
    return tuple(sorted([*kept, *new], key=lambda part: part.day or date.min))
