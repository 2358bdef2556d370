"""`python -m analytics.desk LAKE [URI]`: answers questions, a line each, until its standard input ends.

It gives way to everything else on the machine. The lake stays open between questions and is opened anew when it
was refreshed; live rows are read again when they are older than `LIVE_S`.
"""

import os
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import pandas as pd

import locales
from analytics.charts.names import ChartQuestion
from analytics.desk.messages import (
    Answered,
    Asked,
    Cell,
    ChartColumn,
    Drawn,
    Order,
    Refused,
    Reply,
    StoreQuestion,
    finite,
    line_of,
)
from analytics.lake.lake import Lake
from analytics.lake.live import open_live
from analytics.lake.manifest import MANIFEST
from analytics.measures.ask import ask, compare
from services.kit.errors import Refusal
from services.kit.priority import step_back

LIVE_S: Final = 30.0
MEMORY_MB: Final = 512
MOST_KEPT: Final = 32
"""Charts that are kept for the next who asks, until the lake is refreshed: each language of each on a phone, say."""


class Desk:
    """The lake that is open at present, with or without today."""

    def __init__(self, root: Path, uri: str | None) -> None:
        self._root, self._uri = root, uri
        self._stack = ExitStack()
        self._open: tuple[bool, int, float, Lake] | None = None
        self._kept: dict[ChartQuestion, Drawn] = {}
        self._kept_of = 0

    def reply(self, order: Order) -> Reply:
        if order.chart is not None:
            return self.draw(order.chart)
        if order.asked is not None:
            return self.answer(order.asked)
        if order.store is not None:
            return self.tell(order.store)
        raise ValueError("an order that asks nothing")

    def draw(self, asked: ChartQuestion) -> Reply:
        """A chart of the lake's days; one that was drawn from this very lake before is not drawn again."""
        if self._kept_of != self._written():
            self._kept, self._kept_of = {}, self._written()
        try:
            if asked not in self._kept:
                drawn = _drawn(self._lake(live=False), asked)
                for oldest in list(self._kept)[: len(self._kept) + 1 - MOST_KEPT]:
                    del self._kept[oldest]
                self._kept[asked] = drawn
            return Reply(drawn=self._kept[asked])
        except Refusal as refusal:
            return Reply(refused=Refused(refusal.code, refusal.params))

    def tell(self, asked: StoreQuestion) -> Reply:
        """What a store may know of itself and of those like it."""
        from analytics.reports.own_store import own_store  # noqa: PLC0415  # mining is loaded when it is asked for

        try:
            return Reply(told=own_store(self._lake(live=False), asked))
        except Refusal as refusal:
            return Reply(refused=Refused(refusal.code, refusal.params))

    def answer(self, asked: Asked) -> Reply:
        try:
            lake = self._lake(live=asked.live and self._uri is not None)
            if asked.before:
                now, before = compare(lake, asked.question)
                return Reply(Answered(lake.refreshed_at, cells_of(now), cells_of(before)))
            return Reply(Answered(lake.refreshed_at, cells_of(ask(lake, asked.question))))
        except Refusal as refusal:
            return Reply(refused=Refused(refusal.code, refusal.params))

    def _written(self) -> int:
        """When the lake's manifest was put in its place; 0 where there is none."""
        manifest = self._root / MANIFEST
        return manifest.stat().st_mtime_ns if manifest.exists() else 0

    def _lake(self, *, live: bool) -> Lake:
        written = self._written()
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


def _drawn(lake: Lake, asked: ChartQuestion) -> Drawn:
    from analytics.charts.theme import Look  # noqa: PLC0415  # what draws is loaded when a chart is asked for
    from analytics.lake.titles import titles_of  # noqa: PLC0415
    from analytics.reports.gather import gather_one  # noqa: PLC0415

    say = partial(locales.text, asked.language)
    figure, programme, last = gather_one(lake, asked.name, asked.programme)
    table = figure.table(say)
    return Drawn(
        lake.refreshed_at,
        programme,
        titles_of(lake, programme).programme or programme,
        last,
        figure.title(say),
        figure.says(say),
        figure.spec(Look(say, asked.shape)),
        [ChartColumn(field.name, field.head(say), field.kind.value) for field in table.fields],
        [[f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else cell for cell in row] for row in table.rows],
        table.csv(),
    )


def main() -> None:
    step_back()
    desk = Desk(Path(sys.argv[1]), os.environ.get("TANABATA_INSIGHT_URI"))
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(line_of(desk.reply(msgspec.json.decode(line, type=Order))))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
