"""What a report is made of: the figures of one programme at one moment, gathered once for every form."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.charts.data import Field, Kind, Say
from analytics.charts.figure import Figure
from analytics.frames import TOKYO


@dataclass(frozen=True)
class Fact:
    """One number with its name, `insight.fact.<name>`. `value` is whole for yen and counts, 0 to 1 for shares."""

    name: str
    kind: Kind
    value: int | float

    def head(self, say: Say) -> str:
        return say(f"insight.fact.{self.name}")

    def written(self, say: Say) -> str:
        """With its unit, as it stands alone in a line."""
        plain = Field(self.name, self.kind, "").word(self.value, say)
        return say("insight.yen", amount=plain) if self.kind is Kind.YEN else plain


@dataclass(frozen=True)
class Gathered:
    """`last` is the last civil day that is counted; `refreshed_at` up to when the lake knew everything.

    `hidden` counts the cells that were withheld because few people or one store stand behind them; it is None
    where the figures are for the office, and nothing was withheld.
    """

    programme: str
    first: date | None
    last: date
    refreshed_at: datetime | None
    facts: tuple[Fact, ...]
    figures: tuple[Figure, ...]
    hidden: int | None = None
    did: pd.DataFrame | None = field(default=None, compare=False)
    """What the programme did, as rows of `what_it_did`; None where the form is not for the office."""
    title: str = ""
    """What the terms call the programme, where its source knows that."""

    @property
    def called(self) -> str:
        """What people read for the programme."""
        return self.title or self.programme

    def figure(self, name: str) -> Figure:
        """The figure of this name. Raises KeyError where the report has none."""
        return {each.name: each for each in self.figures}[name]

    def heads(self, say: Say) -> Iterable[tuple[str, str]]:
        """What the report is about, line by line: a heading and what stands under it."""
        both = say("insight.about.called", title=self.title, code=self.programme)
        yield say("insight.about.programme"), both if self.title else self.programme
        last = f"{self.last:%Y-%m-%d}"
        first = "" if self.first is None else f"{self.first:%Y-%m-%d}"
        key = "insight.about.until" if self.first is None else "insight.about.days"
        yield say("insight.about.period"), say(key, first=first, last=last)
        if self.refreshed_at is not None:
            yield say("insight.about.refreshed"), f"{self.refreshed_at.astimezone(ZoneInfo(TOKYO)):%Y-%m-%d %H:%M}"
