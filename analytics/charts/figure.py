"""A kind of chart, and a figure: one kind with the rows of one question.

`Figure.spec` is Vega-Lite as a plain dict with its data inside, so nothing is fetched when it is drawn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pandas as pd

from analytics.charts.data import Called, Field, Say, Table, frame_of, records_of, table_of
from analytics.charts.names import ChartTooLarge
from analytics.charts.theme import Look, config
from analytics.frames import Frame

MOST_ROWS: Final = 50_000
"""Of one chart; a page with more is one that no phone opens."""

Draw = Callable[[list[Mapping[str, Any]], Look], Any]
"""From the records of the data and a look to an Altair chart without data."""


@dataclass(frozen=True)
class ChartKind:
    """A chart by name: what its rows are, and how they are drawn.

    Its words are `insight.chart.<name>.title`, `….says` (how to read it) and `….grain` (what a row is).
    """

    name: str
    grain: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    draw: Draw

    @cached_property
    def frame(self) -> Frame:
        return frame_of(f"chart_{self.name}", self.grain, self.fields, self.key)

    def of(self, data: pd.DataFrame, called: Called | None = None) -> "Figure":
        """The figure of these rows, whose codes are read as `called` says. Raises FrameUnfit, ChartTooLarge."""
        conforming = self.frame.conform(data)
        if len(conforming) > MOST_ROWS:
            raise ChartTooLarge(chart=self.name, rows=len(conforming), most=MOST_ROWS)
        return Figure(self, conforming, called or {})


@dataclass(frozen=True)
class Figure:
    """Rows that conform, to be seen as chart, table or CSV."""

    kind: ChartKind
    data: pd.DataFrame
    called: Called = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.kind.name

    def title(self, say: Say) -> str:
        return say(f"insight.chart.{self.name}.title")

    def says(self, say: Say) -> str:
        """How to read it, and what is and is not in it; where it has no rows, that there is nothing to show."""
        told = say(f"insight.chart.{self.name}.says")
        return told if len(self.data) else f"{told} {say('insight.chart.empty')}"

    def table(self, say: Say) -> Table:
        return table_of(self.data, self.kind.fields, say, self.called)

    def spec(self, look: Look) -> dict[str, Any]:
        """Vega-Lite with the rows inside, every word in the language of `look`."""
        import altair as alt  # noqa: PLC0415  # a second of loading, which a server pays only when a chart is asked for

        records = records_of(self.data, self.kind.fields, look.say, self.called)
        chart = self.kind.draw(records, look)
        chart.data = alt.UrlData(url="rows")  # stands for the rows, which Altair would hash and move
        chart.description = f"{self.title(look.say)}. {self.says(look.say)}"
        spec: dict[str, Any] = chart.to_dict()
        return spec | {"data": {"values": [dict(record) for record in records]}, "config": config()}
