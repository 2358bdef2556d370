"""What the public is shown: the same charts, of figures that give away no person and no store.

Everything is asked as measures and passes `analytics.disclosure`; tables of one measure are protected together,
because who reads one reads the other. A hidden cell has no row, like one in which nothing happened. Rankings,
cohorts and daily curves name stores or few people and are left to the office.
"""

from datetime import date
from typing import Final

import pandas as pd

from analytics.charts.catalogue import CHARTS
from analytics.charts.data import ALL, Kind
from analytics.charts.figure import Figure
from analytics.disclosure.protect import Table, protect, protect_together
from analytics.frames import UNKNOWN
from analytics.lake.lake import Source
from analytics.measures.ask import ask
from analytics.measures.question import Question
from analytics.reports.gather import Progress, chosen_programme, last_day
from analytics.reports.gathered import Fact, Gathered

_FACTS: Final = {
    "issued": ("issued", Kind.YEN),
    "used": ("sales", Kind.YEN),
    "payments": ("payments", Kind.COUNT),
    "people": ("active_residents", Kind.COUNT),
    "stores": ("active_stores", Kind.COUNT),
}
_TABLES: Final = {"hours": ("category", "hour"), "flows": ("home_district", "district")}


def gather_public(source: Source, programme: str | None = None, tell: Progress = lambda name: None) -> Gathered:
    """The figures of one programme that everybody may see; `hidden` counts what was withheld.

    Raises ReportProgrammeUnknown, TableTooLarge.
    """
    code = str(chosen_programme(source, programme)["programme"])
    last = last_day(source, code)
    tell("public")
    facts, withheld = _facts(source, code, last)
    shown, hidden = _shown(source, code, last)
    figures = (_hours(shown["hours"]), _flows(shown["flows"]))
    return Gathered(code, None, last, source.refreshed_at, facts, figures, hidden + withheld)


def _facts(source: Source, code: str, last: date) -> tuple[tuple[Fact, ...], int]:
    facts, withheld = [], 0
    for name, (measure, kind) in _FACTS.items():
        question = Question(measure, (), {"programme": (code,)}, last=last)
        told = protect(ask(source, question), question).iloc[0]
        if told["suppressed"]:
            withheld += 1
        else:
            facts.append(Fact(name, kind, int(told["value"])))
    return tuple(facts), withheld


def _shown(source: Source, code: str, last: date) -> tuple[dict[str, pd.DataFrame], int]:
    """The rows of each table that may be seen beside the other, and how many may not."""
    answers = {
        name: Table(ask(source, Question("sales", by, {"programme": (code,)}, last=last)), by)
        for name, by in _TABLES.items()
    }
    told = protect_together(answers, totals=False)
    hidden = sum(int(table["suppressed"].sum()) for table in told.values())
    return {name: table[~table["suppressed"]] for name, table in told.items()}, hidden


def _hours(rows: pd.DataFrame) -> Figure:
    return _figure("hours", rows.rename(columns={"value": "sales_yen"}).assign(district=ALL))


def _flows(rows: pd.DataFrame) -> Figure:
    named = rows.rename(columns={"home_district": "home", "district": "place", "value": "sales_yen"})
    own = (named["home"] == named["place"]) & (named["home"] != UNKNOWN)
    return _figure("flows", named.assign(stays=own.map({True: "home", False: "away"})))


def _figure(name: str, rows: pd.DataFrame) -> Figure:
    kind = CHARTS[name]
    types = {field.name: field.kind.dtype.value for field in kind.fields}
    return kind.of(rows[list(types)].astype(types).reset_index(drop=True))
