"""Reading a lake, or frames in memory as if they were one: as Ibis tables for sums, as pandas frames for the rest."""

from collections.abc import Callable, Mapping, Set
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.frames import FRAMES, Frame
from analytics.lake.engine import MEMORY_MB, DuckDB, Engine, table_of
from analytics.lake.manifest import LakeCorrupt, Manifest, Part, read_manifest
from analytics.lake.write import schema_of


class Source(Protocol):
    """Whence measures read: `table` gives what an expression is built on, `run` what it amounts to."""

    @property
    def refreshed_at(self) -> datetime | None: ...

    def table(self, name: str) -> Any: ...

    def run(self, expression: Any) -> pd.DataFrame: ...

    def frame(self, name: str, first: date | None = None, last: date | None = None) -> pd.DataFrame: ...


class _Opened:
    """What a lake and frames in memory have in common: an engine that is made when it is first asked."""

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        self._make_engine = make_engine
        self._engine: Engine | None = None

    def table(self, name: str) -> Any:
        """A declared frame as an Ibis table; its instants are Tokyo's wall clock (`analytics.lake.engine`)."""
        return table_of(FRAMES[name])

    def run(self, expression: Any) -> pd.DataFrame:
        """What an expression over this source's tables gives. Raises LakeCorrupt for a file that cannot be read."""
        try:
            return self._ready().run(expression)
        except Exception:
            self._check()  # whatever an engine calls it, a damaged file is one that a refresh builds anew
            raise

    def _ready(self) -> Engine:
        if self._engine is None:
            self._engine = self._make_engine()
            for frame in FRAMES.values():
                self._offer(self._engine, frame)
        return self._engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _offer(self, engine: Engine, frame: Frame) -> None:
        raise NotImplementedError

    def _check(self) -> None:
        """Raises LakeCorrupt where a file is not what was written."""


class Lake(_Opened):
    """The lake in a folder, as it was when this was made.

    `live` are rows of frames, read at `as_of`, that stand for the files of days from `live_from` on, of `live_days`
    (a frame's name and a day) before it, and for all of a frame that has no days (`analytics.lake.live`). What
    measures ask is run by DuckDB within `memory_mb`, or by what `engine` makes (`analytics.lake.spark`). Raises
    LakeMissing where there is none, and LakeCorrupt for a file that is gone or has another size, `deep` also for one
    whose bytes were altered, for figures that leave the house.
    An altered file that cannot be read at all is LakeCorrupt as soon as something is asked of it.
    """

    def __init__(
        self,
        root: Path,
        live: Mapping[str, pa.Table] | None = None,
        *,
        live_from: date | None = None,
        live_days: Set[tuple[str, date]] = frozenset(),
        as_of: datetime | None = None,
        memory_mb: int = MEMORY_MB,
        engine: Callable[[], Engine] | None = None,
        deep: bool = False,
    ) -> None:
        super().__init__(engine or partial(DuckDB, memory_mb))
        self.root = root
        self.manifest: Manifest = read_manifest(root)
        self._live = dict(live or {})
        self._live_from = live_from
        self._live_days = live_days
        self._as_of = as_of
        self._check(deep=deep)

    @property
    def refreshed_at(self) -> datetime:
        """The instant up to which the lake holds everything; aware, in UTC."""
        return self._as_of or self.manifest.refreshed_at

    def frame(self, name: str, first: date | None = None, last: date | None = None) -> pd.DataFrame:
        """A declared frame, of the days from `first` to `last`, both included; instants in Asia/Tokyo.

        A period concerns frames that have a partition; the others come whole.
        """
        frame = FRAMES[name]
        schema = schema_of(frame)
        parts = self._parts(name, first, last)
        try:
            tables = [pq.read_table(self.root / part.file, schema=schema, partitioning=None) for part in parts]
        except (OSError, pa.ArrowException):
            self._check()
            raise
        if name in self._live:
            tables.append(self._live[name])
        data = pa.concat_tables(tables).to_pandas() if tables else frame.empty()
        return frame.conform(_of_period(frame, data, first, last))

    def _offer(self, engine: Engine, frame: Frame) -> None:
        files = [self.root / part.file for part in self._parts(frame.name)]
        engine.offer_files(frame, files, self._live.get(frame.name))

    def _check(self, *, deep: bool = True) -> None:
        for name, parts in self.manifest.frames.items():
            for part in parts:
                if part.problem(self.root, deep=deep):
                    raise LakeCorrupt(frame=name, part=part.file)

    def _parts(self, name: str, first: date | None = None, last: date | None = None) -> list[Part]:
        """The files to read; where live rows stand for them they are left out."""
        parts = self.manifest.parts(name, first, last)
        if name not in self._live or self._live_from is None:
            return list(parts)
        return [
            part
            for part in parts
            if part.day is not None and part.day < self._live_from and (name, part.day) not in self._live_days
        ]


class InMemory(_Opened):
    """Declared frames in memory, as a source of measures; a frame that is not given is empty.

    Raises FrameUnfit for a frame that has not the declared columns.
    """

    def __init__(
        self, frames: Mapping[str, pd.DataFrame], refreshed_at: datetime | None = None, memory_mb: int = MEMORY_MB
    ) -> None:
        super().__init__(partial(DuckDB, memory_mb))
        self.refreshed_at = refreshed_at
        self._frames = {name: FRAMES[name].sound(data) for name, data in frames.items()}

    def frame(self, name: str, first: date | None = None, last: date | None = None) -> pd.DataFrame:
        """A declared frame, of the days from `first` to `last`, both included."""
        frame = FRAMES[name]
        return _of_period(frame, self._frames.get(name, frame.empty()), first, last)

    def _offer(self, engine: Engine, frame: Frame) -> None:
        data = self._frames.get(frame.name)
        rows = None if data is None else pa.Table.from_pandas(data, schema=schema_of(frame), preserve_index=False)
        engine.offer_files(frame, (), rows)


def _of_period(frame: Frame, data: pd.DataFrame, first: date | None, last: date | None) -> pd.DataFrame:
    if frame.partition is None:
        return data
    day = data[frame.partition]
    wanted = pd.Series(True, index=data.index)
    if first is not None:
        wanted &= day >= pd.Timestamp(first)
    if last is not None:
        wanted &= day <= pd.Timestamp(last)
    return data[wanted].reset_index(drop=True)
