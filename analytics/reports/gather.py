"""Gather the figures of a report from a lake: every sum is a measure's answer, so it agrees with the ledger.

Where a chart takes what a measure says, its rows are the measure's cells with other names for the columns; the rest
comes from mining and evaluation over the lake's frames.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final

import pandas as pd

from analytics.charts.catalogue import CHARTS
from analytics.charts.data import OTHERS, Kind
from analytics.charts.figure import Figure
from analytics.charts.flows import stays_of
from analytics.charts.names import (
    ReportProgrammeIdle,
    ReportProgrammeUnknown,
    ReportProgrammeUnnamed,
    ReportWithoutProgramme,
)
from analytics.frames import UNKNOWN
from analytics.lake.lake import Source
from analytics.lake.titles import titles_of
from analytics.measures.ask import ask
from analytics.measures.question import Question
from analytics.reports.expected import expected_use
from analytics.reports.gathered import Fact, Gathered

NAMED_STORES: Final = 20
"""Stores that the ranking names; the others are summed."""

Progress = Callable[[str], None]


def gather(
    source: Source,
    programme: str | None = None,
    names: Iterable[str] = tuple(CHARTS),
    tell: Progress = lambda name: None,
) -> Gathered:
    """The figures called `names` of one programme, up to the last day of which the lake has a deed of it.

    Without `programme`, the one whose use began last. `tell` hears each name before its figure is gathered.
    Raises ReportProgrammeUnknown, ReportProgrammeUnnamed, ReportWithoutProgramme, ReportProgrammeIdle.
    """
    desk = _desk(source, programme)
    figures = []
    for name in names:
        tell(name)
        figures.append(desk.figure(name))
    title = desk.titles.programme
    return Gathered(desk.code, None, desk.last, source.refreshed_at, desk.facts(), tuple(figures), title=title)


def gather_one(source: Source, name: str, programme: str | None = None) -> tuple[Figure, str, date]:
    """The figure called `name` as `gather` has it, its programme, and the last day that is counted.

    Raises ChartTooLarge, and as `gather`.
    """
    desk = _desk(source, programme)
    return desk.figure(name), desk.code, desk.last


def _desk(source: Source, programme: str | None) -> "_Desk":
    chosen = chosen_programme(source, programme)
    code = str(chosen["programme"])
    use_from, use_to = pd.Timestamp(chosen["use_from"]), pd.Timestamp(chosen["use_to"])
    return _Desk(source, code, last_day(source, code), use_from, use_to)


def chosen_programme(source: Source, code: str | None) -> Any:
    """The programme's row of the lake; without a code, of those that there are the one whose use began last.

    Raises ReportProgrammeUnnamed for an empty code, ReportWithoutProgramme, ReportProgrammeUnknown.
    """
    if code is not None and not code.strip():
        raise ReportProgrammeUnnamed
    rows = source.frame("programmes").sort_values(["use_from", "programme"])
    if rows.empty:
        raise ReportWithoutProgramme
    if code is None:
        return rows.iloc[-1]
    rows = rows[rows["programme"] == code]
    if rows.empty:
        raise ReportProgrammeUnknown(programme=code[:60])
    return rows.iloc[-1]


def last_day(source: Source, programme: str) -> date:
    """The last civil day with a deed of the programme. Raises ReportProgrammeIdle where there is none."""
    days = [
        ask(source, Question(measure, ("day",), {"programme": (programme,)}))["day"].max()
        for measure in ("sales", "issued", "expired")
    ]
    known = [day for day in days if not pd.isna(day)]
    if not known:
        raise ReportProgrammeIdle(programme=programme[:60])
    found: date = max(known).date()
    return found


class _Desk:
    """One programme in one source, asked again and again."""

    def __init__(self, source: Source, code: str, last: date, use_from: pd.Timestamp, use_to: pd.Timestamp) -> None:
        self._source, self.code, self.last = source, code, last
        self.titles = titles_of(source, code)
        self._use_from, self._use_to = use_from, use_to

    def figure(self, name: str) -> Figure:
        kind = CHARTS[name]
        rows = {
            "circulation": self._circulation,
            "redemption": self._redemption,
            "hours": self._hours,
            "flows": self._flows,
            "cohorts": self._cohorts,
            "ranking": self._ranking,
            "before_after": self._before_after,
        }[name]()
        types = {field.name: field.kind.dtype.value for field in kind.fields}
        return kind.of(rows[list(types)].astype(types).reset_index(drop=True), {"purse": self.titles.purses})

    def facts(self) -> tuple[Fact, ...]:
        issued, used = self._one("issued"), self._one("sales")
        return (
            Fact("issued", Kind.YEN, issued),
            Fact("used", Kind.YEN, used),
            Fact("expired", Kind.YEN, self._one("expired")),
            Fact("held", Kind.YEN, self._one("remaining")),
            Fact("used_share", Kind.SHARE, used / issued if issued else 0.0),
            Fact("premium", Kind.YEN, self._one("premium_spent")),
            Fact("payments", Kind.COUNT, self._one("payments")),
            Fact("people", Kind.COUNT, self._one("active_residents")),
            Fact("stores", Kind.COUNT, self._one("active_stores")),
        )

    def _ask(self, measure: str, *by: str) -> pd.DataFrame:
        return ask(self._source, Question(measure, by, {"programme": (self.code,)}, last=self.last))

    def _one(self, measure: str) -> int:
        return int(self._ask(measure)["value"].iloc[0])

    def _circulation(self) -> pd.DataFrame:
        """Every purse in every state, also with nothing: bars that are stacked have the same purses in each state."""
        measures = {"used": "sales", "expired": "expired", "held": "remaining"}
        told = {state: self._ask(measure, "purse").set_index("purse")["value"] for state, measure in measures.items()}
        purses = sorted({purse for each in told.values() for purse in each.index})
        rows = [(purse, state, int(each.get(purse, 0))) for state, each in told.items() for purse in purses]
        return pd.DataFrame(rows, columns=["purse", "state", "points_yen"])

    def _redemption(self) -> pd.DataFrame:
        days = pd.date_range(self._first_day(), pd.Timestamp(self.last))
        issued, used = (
            self._ask(measure, "day").set_index("day")["value"].reindex(days, fill_value=0).cumsum()
            for measure in ("issued", "sales")
        )
        counted = pd.DataFrame({"day": days, "issued_yen": issued.to_numpy(), "used_yen": used.to_numpy()})
        counted = counted.assign(known="counted", low_yen=counted["used_yen"], high_yen=counted["used_yen"])
        expected = expected_use(self._source, self.code, self.last, int(counted["used_yen"].iloc[-1]))
        return pd.concat([counted, expected.assign(issued_yen=counted["issued_yen"].iloc[-1])], ignore_index=True)

    def _first_day(self) -> pd.Timestamp:
        days = [self._ask(measure, "day")["day"].min() for measure in ("issued", "sales")]
        return min(pd.Timestamp(day) for day in [*days, pd.Timestamp(self.last)] if not pd.isna(day))

    def _hours(self) -> pd.DataFrame:
        cells = self._ask("sales", "district", "category", "hour").rename(columns={"value": "sales_yen"})
        return _unknown_last(cells, "district")

    def _flows(self) -> pd.DataFrame:
        cells = self._ask("sales", "home_district", "district")
        cells = cells.rename(columns={"home_district": "home", "district": "place", "value": "sales_yen"})
        return cells.assign(stays=stays_of(cells))

    def _cohorts(self) -> pd.DataFrame:
        from analytics.mining.cohorts import cohorts  # noqa: PLC0415  # loads its engine

        spending = self._source.frame("spending", last=self.last)
        found = cohorts(spending[spending["programme"] == self.code], through=pd.Timestamp(self.last))
        names = {"months_since": "months_later", "active": "people", "people": "cohort_people", "retention": "share"}
        told: pd.DataFrame = found.rename(columns=names)
        return told

    def _ranking(self) -> pd.DataFrame:
        cells = self._ask("sales", "store").rename(columns={"value": "sales_yen"})
        cells = cells.sort_values(["sales_yen", "store"], ascending=[False, True]).reset_index(drop=True)
        total = int(cells["sales_yen"].sum())
        stores = self._source.frame("stores").sort_values("from_day").groupby("store").last()
        named = cells.head(NAMED_STORES)[["store", "sales_yen"]].assign(stores=1)
        for trait in ("category", "district"):
            known = stores[trait].to_dict()
            named[trait] = [known.get(store, UNKNOWN) for store in named["store"]]
        rest = cells.iloc[NAMED_STORES:]
        if len(rest):
            others = {"store": OTHERS, "sales_yen": int(rest["sales_yen"].sum()), "category": "mixed"}
            row = pd.DataFrame([others | {"district": OTHERS, "stores": len(rest)}])
            named = pd.concat([named, row], ignore_index=True)
        share = named["sales_yen"] / total if total else 0.0
        return named.assign(rank=range(1, len(named) + 1), share=share)

    def _before_after(self) -> pd.DataFrame:
        from analytics.evaluation.ratio import mean_of  # noqa: PLC0415  # loads its engine

        applied = self._source.frame("applications")
        applied = applied[applied["programme"] == self.code].drop_duplicates("resident")
        outcomes = _one_source(self._source.frame("outcomes")).merge(applied[["resident", "units_won"]], on="resident")
        group = (outcomes["units_won"] > 0).map({True: "won", False: "lost"})
        columns = ["group", "week", "people", "mean_yen", "low_yen", "high_yen"]
        rows: list[tuple[object, ...]] = []
        weeks: Any = outcomes.assign(group=group).groupby(["group", "week"], sort=True)["spent_yen"]
        for (arm, week), spent in weeks:
            if len(spent) > 1:  # of one person there is a mean and no interval
                mean, _, low, high = mean_of(spent.to_numpy(dtype="float64"))
                rows.append((arm, week, len(spent), round(mean), round(low), round(high)))
        told = pd.DataFrame(rows, columns=columns).sort_values(["group", "week"], ascending=[False, True])
        period = (told["week"] >= self._use_from - pd.Timedelta(days=6)).map({True: "after", False: "before"})
        return told.assign(period=period)


def _one_source(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The outcomes of the source that tells most, so that nobody's week counts twice; of equals the first by name."""
    counts = outcomes["source"].value_counts().sort_index()
    return outcomes if counts.empty else outcomes[outcomes["source"] == counts.idxmax()]


def _unknown_last(cells: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows as they were, those of whom the column is unknown after all others."""
    return cells.sort_values(column, key=lambda values: values == UNKNOWN, kind="stable")
