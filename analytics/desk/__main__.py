"""`python -m analytics.desk LAKE [URI]`: answers questions, a line each, until its standard input ends.

It gives way to everything else on the machine. The lake stays open between questions and is opened anew when it
was refreshed; live rows are read again when they are older than `LIVE_S`.
"""

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
import pandas as pd

from analytics.desk.messages import Answered, Asked, Cell, Refused, Reply, finite, line_of
from analytics.lake.lake import Lake
from analytics.lake.live import open_live
from analytics.lake.manifest import MANIFEST
from analytics.measures.ask import ask, compare
from services.kit.errors import Refusal

LIVE_S: Final = 30.0
MEMORY_MB: Final = 512
_NICE: Final = 10


class Desk:
    """The lake that is open at present, with or without today."""

    def __init__(self, root: Path, uri: str | None) -> None:
        self._root, self._uri = root, uri
        self._stack = ExitStack()
        self._open: tuple[bool, int, float, Lake] | None = None

    def answer(self, asked: Asked) -> Reply:
        try:
            lake = self._lake(live=asked.live and self._uri is not None)
            if asked.before:
                now, before = compare(lake, asked.question)
                return Reply(Answered(lake.refreshed_at, cells_of(now), cells_of(before)))
            return Reply(Answered(lake.refreshed_at, cells_of(ask(lake, asked.question))))
        except Refusal as refusal:
            return Reply(refused=Refused(refusal.code, refusal.params))

    def _lake(self, *, live: bool) -> Lake:
        manifest = self._root / MANIFEST
        written = manifest.stat().st_mtime_ns if manifest.exists() else 0
        if self._open is not None:
            was_live, of, at, lake = self._open
            if was_live == live and of == written and not (live and time.monotonic() - at > LIVE_S):
                return lake
        self._stack.close()
        self._open = None
        opened = (
            open_live(self._root, self._uri, MEMORY_MB) if live and self._uri else Lake(self._root, memory_mb=MEMORY_MB)
        )
        lake = self._stack.enter_context(opened)
        self._open = (live, written, time.monotonic(), lake)
        return lake


def cells_of(answer: pd.DataFrame) -> list[Cell]:
    """An answer's rows; days as text, as JSON has no dates."""
    by = [name for name in answer.columns if name not in {"value", "people", "stores", "top_store_share"}]
    columns = [
        answer[name].dt.strftime("%Y-%m-%d").tolist() if answer[name].dtype.kind == "M" else answer[name].tolist()
        for name in by
    ]
    keys = zip(*columns, strict=True) if by else iter([()] * len(answer))
    figures = zip(*(answer[name].tolist() for name in ("value", "people", "stores", "top_store_share")), strict=True)
    return [
        Cell(key, finite(value), people, stores, share)
        for key, (value, people, stores, share) in zip(keys, figures, strict=True)
    ]


def main() -> None:
    os.nice(_NICE)
    desk = Desk(Path(sys.argv[1]), os.environ.get("TANABATA_INSIGHT_URI"))
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(line_of(desk.answer(msgspec.json.decode(line, type=Asked))))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
