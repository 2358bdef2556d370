"""Writing a lake: files first, each flushed and renamed into place, then the manifest that names them.

A file is named by what it holds, so nothing that a reader may have open is ever written over. Files that the
manifest before the present one named are left alone too, for readers who opened the lake before the last refresh.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.frames import FRAMES, TOKYO, Dtype, Frame
from analytics.lake.arrays import in_order
from analytics.lake.manifest import MANIFEST, LakeMissing, Manifest, Part, read_manifest
from services.kit.errors import Kind, Refusal

_ARROW: Final[Mapping[Dtype, pa.DataType]] = {
    Dtype.INTEGER: pa.int64(),
    Dtype.TEXT: pa.string(),
    Dtype.TRUTH: pa.bool_(),
    Dtype.REAL: pa.float64(),
    Dtype.DAY: pa.timestamp("us"),
    Dtype.INSTANT: pa.timestamp("us", tz=TOKYO),
}
_ROW_GROUP: Final = 1 << 18
_PREVIOUS: Final = "previous.json"
_UNFINISHED: Final = ".unfinished"


class LakeUnwritable(Refusal):
    """The lake's folder takes no more: the disk is full, or it may not be written. `problem` is the system's word."""

    code: ClassVar[str] = "lake_unwritable"
    kind = Kind.UNAVAILABLE


class RowsRepeated(Refusal):
    """Two rows of a frame have the same key: `frame`, and how many `rows` too many there are."""

    code: ClassVar[str] = "rows_repeated"


def schema_of(frame: Frame) -> pa.Schema:
    """The Arrow schema of a frame's files; whole numbers, instants and days have the precision of the frame."""
    return pa.schema(
        [pa.field(column.name, _ARROW[column.dtype], nullable=column.nullable) for column in frame.columns]
    )


def write_frames(root: Path, frames: Mapping[str, pd.DataFrame], refreshed_at: datetime) -> Manifest:
    """A whole lake out of declared frames, by name; a frame that is not given is empty. Replaces what was there.

    `refreshed_at` is aware. Raises FrameUnfit, RowsRepeated, and KeyError for a frame that nobody declared.
    """
    unknown = set(frames) - set(FRAMES)
    if unknown:
        raise KeyError(f"frames that nobody declared: {sorted(unknown)}")
    parts = {name: tuple(_write_frame(root, FRAMES[name], data)) for name, data in frames.items()}
    manifest = Manifest(refreshed_at, parts)
    publish(root, manifest)
    return manifest


def write_part(root: Path, frame: Frame, day: date | None, table: pa.Table) -> Part:
    """One file, flushed to the disk and in its place; `table` has the frame's schema.

    Its name holds a checksum of its content: the same rows written by the same library are the same file. Words may
    also come as places in a list; they are written so in either case, by a list that is in order.
    """
    sink = pa.BufferOutputStream()
    # Words come again and again; numbers of deeds do not, and a dictionary of them costs more than they do.
    words: Any = [column.name for column in frame.columns if column.dtype is Dtype.TEXT]
    pq.write_table(
        _words_in_order(table, words),
        sink,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROW_GROUP,
        use_dictionary=words,
        store_schema=False,
    )
    data = sink.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    name = f"{frame.name}/{day.isoformat() if day else 'all'}-{digest[:16]}.parquet"
    _put(root / name, data)
    sums = {
        column.name: int(pc.sum(table[column.name]).as_py() or 0)
        for column in frame.columns
        if column.name.endswith("_yen")
    }
    return Part(name, day, table.num_rows, len(data), digest, sums)


def publish(root: Path, manifest: Manifest) -> None:
    """Put a manifest in its place; afterwards what neither it nor the one before names is removed."""
    try:
        before = read_manifest(root)
        _put(root / _PREVIOUS, before.encode())
    except LakeMissing:
        before = manifest
    _put(root / MANIFEST, manifest.encode())
    named = {part.file for each in (before, manifest) for parts in each.frames.values() for part in parts}
    for frame in FRAMES:
        for path in (root / frame).glob("*"):
            if f"{frame}/{path.name}" not in named:
                _clear(path)
    for path in root.glob(f"*{_UNFINISHED}"):
        _clear(path)


def remove(root: Path) -> None:
    """Take a whole lake away: its manifest first, so that no reader finds names without files."""
    (root / MANIFEST).unlink(missing_ok=True)
    (root / _PREVIOUS).unlink(missing_ok=True)
    for frame in FRAMES:
        shutil.rmtree(root / frame, ignore_errors=True)


def _write_frame(root: Path, frame: Frame, data: pd.DataFrame) -> Iterator[Part]:
    data = frame.conform(data)
    repeated = int(data.duplicated(list(frame.key)).sum())
    if repeated:
        raise RowsRepeated(frame=frame.name, rows=repeated)
    for day, rows in _by_day(frame, data):
        table = pa.Table.from_pandas(rows, schema=schema_of(frame), preserve_index=False)
        yield write_part(root, frame, day, table.replace_schema_metadata(None))


def _words_in_order(table: pa.Table, words: list[str]) -> pa.Table:
    for name in words:
        place = table.column_names.index(name)
        ordered = in_order(table[name])
        table = table.set_column(place, table.schema.field(place).with_type(ordered.type), ordered)
    return table


def _by_day(frame: Frame, data: pd.DataFrame) -> Iterator[tuple[date | None, pd.DataFrame]]:
    if frame.partition is None:
        yield None, data
        return
    for day, rows in data.groupby(frame.partition, sort=True):
        yield pd.Timestamp(str(day)).date(), rows


def _put(path: Path, data: Any) -> None:
    """Write a file and put it in its place, whatever stood there or in its folder's. Raises LakeUnwritable."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}{_UNFINISHED}")
    try:
        if path.parent.exists() and not path.parent.is_dir():
            _clear(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if path.is_dir():
                _clear(path)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)  # a full disk is not filled further
            raise
        _flush(path.parent)
    except OSError as error:
        raise LakeUnwritable(problem=error.strerror or str(error)) from error


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _flush(folder: Path) -> None:
    """A rename is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
