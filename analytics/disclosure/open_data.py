"""The figures of an open-data package: which cells are shown, and with what noise.

All tables tell of one measure, one programme and one period, so they are protected together: what is hidden in
one is hidden in all, and a total has one published figure. Every shown figure carries noise that bounds what can
be learnt about any one resident, and says how far it may lead astray.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any, ClassVar, Final

import pandas as pd

from analytics.disclosure.cells import Cells, Key, key_of, link, ordered
from analytics.disclosure.contributions import Level, level
from analytics.disclosure.editions import told_beside
from analytics.disclosure.noise import Mechanism, Stream, discrete_laplace, mechanism
from analytics.disclosure.people import ask_for_release
from analytics.disclosure.protect import PLAIN, verify
from analytics.disclosure.releases import Release
from analytics.disclosure.rules import Rules
from analytics.disclosure.suppress import suppress
from analytics.lake.lake import Source
from analytics.lake.titles import titles_of
from analytics.measures.measure import Audience
from analytics.measures.question import Question
from services.kit.clock import TOKYO
from services.kit.errors import Refusal

MEASURE: Final = "sales"
LEVELS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("day",),
    ("week",),
    ("category",),
    ("district",),
    ("hour",),
    ("age_band",),
    ("home_district",),
    ("store_class",),
    ("week", "category"),
    ("week", "store_class"),
    ("district", "hour"),
    ("category", "age_band"),
    ("home_district", "district"),
)
"""Every table of a package by its dimensions: with each table all its totals, so that each is published once."""

_STEPS: Final = (1, 2, 5)


class ProgrammeUnknown(Refusal):
    """The lake knows no programme of this code: `programme`."""

    code: ClassVar[str] = "open_data_programme_unknown"


class PeriodEmpty(Refusal):
    """Nothing was spent in the programme from `first` to `last`: tables of nothing would cost privacy like others."""

    code: ClassVar[str] = "open_data_period_empty"


@dataclass(frozen=True)
class Wish:
    """What is to be published. `epsilon` is for each table; `clamp` the most yen that a resident counts in one.

    `levels` are the tables by their dimensions; with each, all totals that are to be published with it.
    """

    programme: str
    first: date
    last: date
    epsilon: Fraction
    clamp: int
    rules: Rules = PLAIN
    levels: tuple[tuple[str, ...], ...] = LEVELS


@dataclass(frozen=True)
class OpenTable:
    """One table: `frame` has columns `*by, sales_yen` (Int64, empty where hidden) and `hidden`.

    `bound` yen is how far a figure may be from the truth, with 95 % confidence; `clamp_bound` is the part of it
    that comes from the clamp.
    """

    by: tuple[str, ...]
    frame: pd.DataFrame
    bound: int
    clamp_bound: int
    release: Release

    @property
    def name(self) -> str:
        return "_".join(["sales", *(("by", "_and_".join(self.by)) if self.by else ("in_all",))])


@dataclass(frozen=True)
class OpenData:
    """Everything of a package but its files."""

    wish: Wish
    mechanism: Mechanism
    tables: tuple[OpenTable, ...]
    cells: Cells
    hidden: frozenset[int]
    title: str = ""
    """What the terms call the programme, where the source knows that."""

    @property
    def called(self) -> str:
        """What people read for the programme."""
        return self.title or self.wish.programme


def usual_clamp(source: Source, programme: str) -> int:
    """The points that one person may buy in the programme; only grants can add to them. Raises ProgrammeUnknown."""
    programmes = source.frame("programmes")
    found = programmes[programmes["programme"] == programme]
    if found.empty:
        raise ProgrammeUnknown(programme=programme[:60])
    terms = found.iloc[0]
    units = int(terms["cap_yen"]) // max(1, int(terms["unit_price_yen"]))
    return max(1, units * int(terms["unit_points"]))


def open_data(source: Source, wish: Wish, key: bytes, known: Sequence[Release] = ()) -> OpenData:
    """The tables of a package. The same source, wish, key and earlier releases give the same figures.

    Its period ends with the days that the source holds. What would tell of a store beside the `known` releases is
    hidden (`editions`). Raises ProgrammeUnknown, PeriodEmpty, TableTooLarge, and StillExposed when the tables do not
    survive their own attack.
    """
    usual_clamp(source, wish.programme)
    wish = _of_known_days(source, wish)
    questions = [_question(wish, by) for by in wish.levels]
    levels = [level(source, question, wish.clamp) for question in questions]
    if not any(found.exact for found in levels):
        raise PeriodEmpty(programme=wish.programme[:60], first=wish.first.isoformat(), last=wish.last.isoformat())
    answers = [_answer(source, question, found) for question, found in zip(questions, levels, strict=True)]
    cells = link(zip(answers, wish.levels, strict=True), nested={"day": ("week", _monday)})
    noise = mechanism(wish.clamp, wish.epsilon)
    told = told_beside(source, questions, noise.bound(), known, wish.rules)
    hidden = suppress(cells, wish.rules, frozenset(cells.place(each) for each in told & frozenset(cells.keys)))
    verify(cells, hidden, wish.rules)
    tables = tuple(
        _table(wish, found, answer, cells, hidden, noise, key) for found, answer in zip(levels, answers, strict=True)
    )
    return OpenData(wish, noise, tables, cells, hidden, titles_of(source, wish.programme).programme)


def _of_known_days(source: Source, wish: Wish) -> Wish:
    """The wish, its period cut to the days that are in the source. Raises PeriodEmpty where none is."""
    if source.refreshed_at is None:
        return wish
    last = min(wish.last, (source.refreshed_at.astimezone(TOKYO) - timedelta(days=1)).date())
    if last < wish.first:
        raise PeriodEmpty(programme=wish.programme[:60], first=wish.first.isoformat(), last=wish.last.isoformat())
    return replace(wish, last=last)


def _question(wish: Wish, by: tuple[str, ...]) -> Question:
    question = Question(MEASURE, by, {"programme": (wish.programme,)}, wish.first, wish.last)
    if Audience.PUBLIC not in question.checked().audience:
        raise AssertionError("only public measures are published")
    return question


def _answer(source: Source, question: Question, found: Level) -> pd.DataFrame:
    """The measure's own answer, and beside it the second store's share; both were counted from the same rows."""
    answer = ask_for_release(source, question)
    keys = _keys(answer, question.by)
    if {key: int(value) for key, value in zip(keys, answer["value"], strict=True) if value} != {
        key: value for key, value in found.exact.items() if value
    }:
        raise AssertionError("the contributions of residents do not add up to the measure")
    return answer.assign(second_store_share=[found.second.get(key, 0.0) for key in keys])


def _keys(answer: pd.DataFrame, by: Sequence[str]) -> list[Key]:
    if not by:
        return [frozenset()] * len(answer)
    return [key_of(by, row) for row in zip(*(answer[name] for name in by), strict=True)]


def _table(
    wish: Wish, found: Level, answer: pd.DataFrame, cells: Cells, hidden: frozenset[int], noise: Mechanism, key: bytes
) -> OpenTable:
    keys = _keys(answer, found.by)
    flags = [cells.place(each) in hidden for each in keys]
    release = _release(wish, found, answer, keys, flags)
    # The label holds the digest: figures that changed get other noise, or their difference would be told exactly.
    noisy = [
        found.bounded.get(each, 0) + discrete_laplace(noise.scale, Stream(key, f"{release.digest}|{ordered(each)}"))
        for each in keys
    ]
    frame = answer[list(found.by)].reset_index(drop=True)
    frame["sales_yen"] = pd.Series(noisy, dtype="Int64").mask(pd.Series(flags, dtype="bool"))
    frame["hidden"] = pd.Series(flags, dtype="bool")
    lost = max((abs(value - found.bounded[each]) for each, value in found.exact.items()), default=0)
    clamp_bound = _rounded_up(lost)
    return OpenTable(found.by, frame, noise.bound() + clamp_bound, clamp_bound, release)


def _release(wish: Wish, found: Level, answer: pd.DataFrame, keys: list[Key], flags: list[bool]) -> Release:
    hidden = tuple(
        {name: str(value) for name, value in sorted(each, key=str)}
        for each, flag in zip(keys, flags, strict=True)
        if flag
    )
    blank = Release(
        wish.programme,
        MEASURE,
        found.by,
        {"programme": (wish.programme,)},
        wish.first.isoformat(),
        wish.last.isoformat(),
        hidden,
        "",
        str(wish.epsilon),
        clamp=wish.clamp,
    )
    told = [f"{ordered(each)}={value}" for each, value in zip(keys, answer["value"], strict=True)]
    figures = "\n".join([repr(blank.question), str(wish.clamp), str(wish.epsilon), *sorted(told)])
    return replace(blank, digest=sha256(figures.encode()).hexdigest())


def _rounded_up(amount: int) -> int:
    """The next of 0, 1, 2, 5, 10, 20, 50, …: an exact loss would tell of the person who caused it."""
    if amount <= 0:
        return 0
    power = int(10 ** (len(str(amount)) - 1))
    return next(step * power for step in (*_STEPS, 10) if step * power >= amount)


def _monday(day: Any) -> Any:
    return day - pd.Timedelta(days=day.weekday())
