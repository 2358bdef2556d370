"""What a lake consists of: the files of every frame with their sizes and checksums, and when it was refreshed.

The manifest is the lake. A file that it does not name does not exist for a reader, and it is written last and
put in its place by one rename: so a reader sees the lake before a refresh or after it, never half of both.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from services.kit.errors import Kind, Refusal

MANIFEST: Final = "manifest.json"
VERSION: Final = 1
"""Of the files' layout; a lake of another version is built anew."""

_CHUNK_BYTES: Final = 1 << 20


class LakeMissing(Refusal):
    """There is no lake yet, or it is one of another version: it has to be refreshed first.

    A state of the city's, and no fault of the server's: asking again without a refresh would not help.
    """

    code: ClassVar[str] = "lake_missing"
    kind = Kind.CONFLICT


class LakeCorrupt(Refusal):
    """A file of the lake is gone, cut short or altered: `frame` and `part`. A refresh finds it and builds it anew."""

    code: ClassVar[str] = "lake_corrupt"
    kind = Kind.UNAVAILABLE


class LakeSourceLost(Refusal):
    """The database that the lake is read from does not answer, or went away while it was read. Nothing has changed."""

    code: ClassVar[str] = "lake_source_lost"
    kind = Kind.UNAVAILABLE


@dataclass(frozen=True)
class Part:
    """One Parquet file: of one day, or of all rows where a frame has no days. `sums` are exact sums of columns."""

    file: str
    day: date | None
    rows: int
    size: int
    sha256: str
    sums: Mapping[str, int] = field(default_factory=dict)

    def problem(self, root: Path, *, deep: bool) -> str | None:
        """What is wrong with the file, a word; None if it is what was written. `deep` compares every byte."""
        path = root / self.file
        if not path.is_file():
            return "missing"
        if path.stat().st_size != self.size:
            return "size"
        if deep and sha256_of(path) != self.sha256:
            return "checksum"
        return None


@dataclass(frozen=True)
class Manifest:
    """A lake at one instant. `marks` are the writer's own notes on how far it has read, none of a reader's business.

    `seal` is the checksum of all else as it was written, so that a day that is struck out is noticed as well; the
    manifests of older writers have none.
    """

    refreshed_at: datetime
    frames: Mapping[str, tuple[Part, ...]]
    version: int = VERSION
    marks: Mapping[str, str] = field(default_factory=dict)
    seal: str | None = None

    def parts(self, frame: str, first: date | None = None, last: date | None = None) -> tuple[Part, ...]:
        """The files of a frame whose day lies in a period, both ends included; a file without a day always does."""
        return tuple(part for part in self.frames.get(frame, ()) if part.day is None or _within(part.day, first, last))

    def encode(self) -> bytes:
        sealed = replace(self, seal=self.checksum())
        return msgspec.json.format(msgspec.json.encode(sealed, order="sorted"), indent=1) + b"\n"

    def checksum(self) -> str:
        """Of everything but the seal; of one instant in any zone the same."""
        plain = replace(self, refreshed_at=self.refreshed_at.astimezone(UTC), seal=None)
        return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def decode(data: bytes) -> Manifest:
    """The manifest in these bytes. Raises LakeMissing for what is none, was altered, or is one of another version."""
    try:
        found = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError:
        raise LakeMissing from None
    if found.version != VERSION or found.seal not in (None, found.checksum()):
        raise LakeMissing
    return replace(found, refreshed_at=found.refreshed_at.astimezone(UTC), seal=None)


def read_manifest(root: Path) -> Manifest:
    """The manifest that is published in `root`. Raises LakeMissing, also where something else has its place."""
    try:
        return decode((root / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise LakeMissing from None


def sha256_of(path: Path) -> str:
    """The checksum of a file's bytes, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)
