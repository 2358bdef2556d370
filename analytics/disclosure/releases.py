"""What was published, in a file that only grows: for later questions, and for what privacy it has cost.

One line of JSON a table and release, each with the hash of the line before: a line that is altered or removed is
noticed at the next reading (a removed tail is not; the file belongs into the backup). The file is locked while it
is read and added to, so that two programmes cannot spend the same budget.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from fractions import Fraction
from hashlib import sha256
from io import RawIOBase
from pathlib import Path
from typing import Any, ClassVar, Final

from services.kit.errors import Refusal

START: Final = "0" * 64
MOST_BYTES: Final = 64 * 1024 * 1024


class ReleasesBroken(Refusal):
    """The file of releases was altered: `line`, counted from 1. Nothing is published until somebody looks."""

    code: ClassVar[str] = "releases_broken"


class ReleasesUnwritable(Refusal):
    """The file of releases takes no more: `problem`, in the system's words. Nothing is published."""

    code: ClassVar[str] = "releases_unwritable"


class PrivacyBudgetSpent(Refusal):
    """A release would cost more privacy than is left: `programme`, `asked`, `left`, `limit`, all epsilon."""

    code: ClassVar[str] = "privacy_budget_spent"


@dataclass(frozen=True)
class Release:
    """One table that left the house. Dates are ISO text; `epsilon` a fraction as text, `0` for exact figures.

    `hidden` names the cells that were not shown. `digest` is of the exact figures under it, so that the same release
    made again is known as the same. `clamp` is the most yen that a resident counts with, 0 for exact figures.
    """

    programme: str
    measure: str
    by: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    first: str
    last: str
    hidden: tuple[Mapping[str, str], ...]
    digest: str
    epsilon: str = "0"
    at: str = ""
    clamp: int = 0

    @property
    def question(self) -> tuple[Any, ...]:
        """What was asked; two releases with one of these are answers to the same question.

        Written out it is the same text in every process, as noise hangs on it: a set has an order of the process's own.
        """
        filters = tuple(sorted((name, tuple(sorted(values))) for name, values in self.where.items()))
        return self.measure, tuple(sorted(self.by)), filters, self.first, self.last

    @property
    def period(self) -> tuple[date, date]:
        return date.fromisoformat(self.first), date.fromisoformat(self.last)


class Releases:
    """The file, open and locked; made by `opened`."""

    def __init__(self, path: Path, known: tuple[Release, ...], head: str) -> None:
        self.path, self.known, self._head = path, known, head

    def spent(self, programme: str) -> Fraction:
        """Epsilon that this programme's releases have cost; the same release made again costs nothing."""
        return sum((Fraction(each.epsilon) for each in self.known if each.programme == programme), Fraction(0))

    def new(self, releases: Sequence[Release]) -> list[Release]:
        """Those that were not made before: another question, other figures under it, or another noise."""
        made = {(each.programme, each.question, each.digest, each.epsilon) for each in self.known}
        return [each for each in releases if (each.programme, each.question, each.digest, each.epsilon) not in made]

    def afford(self, programme: str, releases: Sequence[Release], limit: Fraction) -> None:
        """Raises PrivacyBudgetSpent when what is new of these would exceed the programme's limit."""
        spent = self.spent(programme)
        asked = sum((Fraction(each.epsilon) for each in self.new(releases)), Fraction(0))
        if spent + asked > limit:
            left = max(Fraction(0), limit - spent)
            raise PrivacyBudgetSpent(programme=programme, asked=float(asked), left=float(left), limit=float(limit))

    def add(self, releases: Sequence[Release], now: datetime) -> None:
        """Write down what is new of these, all or nothing, on the disk before this returns.

        Raises ReleasesUnwritable.
        """
        fresh, lines, head = self.new(releases), b"", self._head
        for release in fresh:
            entry = {**asdict(release), "at": now.isoformat(), "previous": head}
            line = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()
            lines += line + b"\n"
            head = sha256(line).hexdigest()
        _append(self.path, lines)
        self.known, self._head = (*self.known, *fresh), head


@contextmanager
def opened(path: Path) -> Iterator[Releases]:
    """The file of releases, locked until the end of the block; made when it is not there.

    Raises ReleasesBroken, ReleasesUnwritable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise ReleasesUnwritable(problem=error.strerror or str(error)) from error
    with file as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Releases(path, *_read(path))


def _append(path: Path, lines: bytes) -> None:
    """Half a line would be a file that was altered: where the disk is full, what did go in is taken out again.

    A last line that is whole but for its end, as a cut copy has it, gets its end first, or the next would stand in it.
    """
    try:
        with path.open("a+b", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                rest = memoryview(_end_of_line(file, before) + lines)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise ReleasesUnwritable(problem=error.strerror or str(error)) from error


def _end_of_line(file: RawIOBase, size: int) -> bytes:
    if size == 0:
        return b""
    file.seek(size - 1)
    return b"" if file.read(1) == b"\n" else b"\n"


def _read(path: Path) -> tuple[tuple[Release, ...], str]:
    head, found = START, []
    if path.stat().st_size > MOST_BYTES:
        raise ReleasesBroken(line=0)
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            entry = json.loads(line)
            if entry.pop("previous") != head:
                raise ReleasesBroken(line=number)
            entry["by"] = tuple(entry["by"])
            entry["where"] = {name: tuple(values) for name, values in entry["where"].items()}
            entry["hidden"] = tuple(entry["hidden"])
            found.append(Release(**entry))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ReleasesBroken(line=number) from None
        head = sha256(line).hexdigest()
    return tuple(found), head
