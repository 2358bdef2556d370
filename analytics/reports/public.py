"""What the public is shown: the same charts, of figures that give away no person and no store.

Everything is asked as measures and passes `analytics.disclosure`; tables of one measure are protected together,
because who reads one reads the other. A hidden cell has no row, like one in which nothing happened. Rankings,
cohorts and daily curves name stores or few people and are left to the office.

A page is laid beside all that was published before it: last week's page and this week's tell of the days between
them, and where these are few people's, there is no new page (`analytics.disclosure.differencing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.charts.catalogue import CHARTS
from analytics.charts.data import ALL, Kind
from analytics.charts.figure import Figure
from analytics.charts.flows import stays_of
from analytics.disclosure.differencing import guard_together, release_of
from analytics.disclosure.people import ask_for_release
from analytics.disclosure.protect import Table, protect, protect_together
from analytics.disclosure.releases import Release, opened
from analytics.lake.lake import Source
from analytics.lake.titles import titles_of
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
BEGINNING: Final = date(2000, 1, 1)
"""A page tells of everything up to its last day; before this there was nothing."""
_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "used": (),
    "hours": ("category", "hour"),
    "flows": ("home_district", "district"),
}
"""Of sales: two charts, and their common total, which is a fact of the page."""


def gather_public(source: Source, programme: str | None = None, tell: Progress = lambda name: None) -> Gathered:
    """The figures of one programme that everybody may see; `hidden` counts what was withheld.

    Nothing is compared with what was published before, nor written down: `publish_public` does both.
    Raises TableTooLarge, and as `gather` does where there is nothing to tell.
    """
    return _page(source, programme, tell).gathered


def publish_public(
    source: Source, ledger: Path, now: datetime, programme: str | None = None, tell: Progress = lambda name: None
) -> Gathered:
    """As `gather_public`, and what is on the page stands in the file of releases before anybody sees it.

    The same page over the same figures is published once, however often it is made. Raises Differencing where
    the page and what was published before would together isolate people, and ReleasesBroken; then nothing is
    written down, and there is no page.
    """
    page = _page(source, programme, tell)
    with opened(ledger) as releases:
        guard_together(source, page.releases, releases.known)
        releases.add(page.releases, now)
    return page.gathered


@dataclass(frozen=True)
class _Page:
    gathered: Gathered
    releases: tuple[Release, ...]


def _page(source: Source, programme: str | None, tell: Progress) -> _Page:
    code = str(chosen_programme(source, programme)["programme"])
    last = last_day(source, code)
    tell("public")
    told, of_tables = _tables(source, code, last)
    facts, of_facts = _facts(source, code, last, told["used"])
    shown = {name: table[~table["suppressed"]] for name, table in told.items()}
    figures = (_hours(shown["hours"]), _flows(shown["flows"]))
    releases = (*of_facts, *(each for each in of_tables if each.by))
    hidden = sum(len(each.hidden) for each in releases)
    title = titles_of(source, code).programme
    return _Page(Gathered(code, None, last, source.refreshed_at, facts, figures, hidden, title=title), releases)


def _facts(source: Source, code: str, last: date, used: pd.DataFrame) -> tuple[tuple[Fact, ...], list[Release]]:
    """The facts that may be told; `used` is the total of the tables, hidden where it would tell of what they hide."""
    facts, releases = [], []
    for name, (measure, kind) in _FACTS.items():
        question = Question(measure, (), {"programme": (code,)}, last=last)
        told = used if name == "used" else protect(ask_for_release(source, question), question)
        releases.append(release_of(question, told, BEGINNING, last))
        if not told["suppressed"].iloc[0]:
            facts.append(Fact(name, kind, int(told["value"].iloc[0])))
    return tuple(facts), releases


def _tables(source: Source, code: str, last: date) -> tuple[dict[str, pd.DataFrame], list[Release]]:
    """Each table with the cells hidden that may not be seen beside the others."""
    questions = {name: Question("sales", by, {"programme": (code,)}, last=last) for name, by in _TABLES.items()}
    answers = {name: Table(ask_for_release(source, each), tuple(each.by)) for name, each in questions.items()}
    told = protect_together(answers, totals=False)
    return told, [release_of(questions[name], table, BEGINNING, last) for name, table in told.items()]


def _hours(rows: pd.DataFrame) -> Figure:
    return _figure("hours", rows.rename(columns={"value": "sales_yen"}).assign(district=ALL))


def _flows(rows: pd.DataFrame) -> Figure:
    named = rows.rename(columns={"home_district": "home", "district": "place", "value": "sales_yen"})
    return _figure("flows", named.assign(stays=stays_of(named)))


def _figure(name: str, rows: pd.DataFrame) -> Figure:
    kind = CHARTS[name]
    types = {field.name: field.kind.dtype.value for field in kind.fields}
    return kind.of(rows[list(types)].astype(types).reset_index(drop=True))
