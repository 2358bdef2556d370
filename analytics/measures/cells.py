"""Facts divided into cells: the expressions behind each `How`, over rows with their dimensions beside them.

Everything is a sum of whole numbers or a count of distinct ones until the last step, so an answer is exact. Two
levels are enough: per cell and store (whence the largest store's share), then per cell. What a resident did in
several stores is counted apart, because distinct counts do not add up.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

import ibis

from analytics.frames import UNKNOWN
from analytics.measures.dimension import DIMENSIONS, PERIODS, Of, Values
from analytics.measures.facts import Tables, fact_of
from analytics.measures.measure import How, Measure
from analytics.measures.question import Question
from analytics.measures.spans import EVER, spans_of

_INTEGER: Final = "int64"
_BY_RESIDENTS: Final = (How.RESIDENTS, How.REPEATED)
"""Where a store's share of a cell is a share of its residents."""

_TOLD: Final = "told"
"""Of a stock's row and cell: 1 where something happened on a day that is asked about, 0 where it is only carried in."""

_ONE_STORE: Final = "by_store"
"""Cells that are divided by this have one store each, whose residents are the cell's: they are counted once."""


def rows_of(tables: Tables, measure: Measure, question: Question) -> Any:
    """The fact's rows that the question is about, with a column for each dimension that it names."""
    where = {name: each for name, each in question.where.items() if not (measure.how.of_stock and name in PERIODS)}
    named = tuple(dict.fromkeys((*question.by, *where)))
    fact = fact_of(measure.fact, tables, named)
    fact = _when_told(fact, question) if measure.how.of_stock else _in_period(fact, question)
    kept = {name: fact[name] for name in ("resident", "store", "day", "plus", "over", "counted")}
    told = {_TOLD: fact[_TOLD]} if measure.how.of_stock else {}
    read = {f"by_{name}": DIMENSIONS[name].read(fact) for name in named if DIMENSIONS[name].of is Of.ROW}
    rows = fact.select(**kept, **told, **read)
    rows = _with_residents(tables, rows, [name for name in named if DIMENSIONS[name].of is Of.RESIDENT])
    rows = _with_stores(tables, rows, [name for name in named if DIMENSIONS[name].of is Of.STORE])
    for name, values in where.items():
        rows = rows.filter(rows[f"by_{name}"].isin([_literal(name, value) for value in values]))
    return rows


def cells_of(rows: Any, measure: Measure, question: Question) -> Any:
    """One row a cell: `by_…`, `plus`, `over`, `counted`, `people`, `stores`, `largest`, `all_stores`.

    `again` besides where residents who came again are counted. A stock along a period runs on.
    """
    by = [f"by_{name}" for name in question.by]
    per_store = _per_store(rows, by, measure.how)
    told = {_TOLD: per_store[_TOLD].max()} if measure.how.of_stock else {}
    cells = _grouped(
        per_store,
        by,
        **told,
        plus=_sum(per_store["plus"]),
        over=_sum(per_store["over"]),
        counted=_sum(per_store["counted"]),
        stores=per_store["store"].count(),
        largest=per_store["weight"].max().fill_null(0),
        all_stores=_sum(per_store["weight"]),
    )
    if measure.how.of_stock and any(name in PERIODS for name in question.by):
        return _running(cells, rows, by)
    beside = _beside(cells, _people(rows, by, measure.how), by)
    if measure.how in _BY_RESIDENTS and _ONE_STORE in by:
        return beside.mutate(largest=beside["people"], all_stores=beside["people"])
    return beside


def spread_of(rows: Any, question: Question) -> Any:
    """One row a cell: `by_…`, `gini` and `top_tenth` of what stores took; null where they took nothing."""
    by = [f"by_{name}" for name in question.by]
    taken = rows.group_by([*by, "store"]).aggregate(took=_sum(rows["plus"]))
    taken = taken.mutate(took=ibis.greatest(taken["took"], 0))
    upwards = ibis.window(group_by=by, order_by=["took", "store"])
    downwards = ibis.window(group_by=by, order_by=[ibis.desc("took"), "store"])
    of_cell = ibis.window(group_by=by)
    ranked = taken.mutate(
        rank=ibis.row_number().over(upwards) + 1,
        place=ibis.row_number().over(downwards),
        members=taken.count().over(of_cell),
    )
    is_top = ranked["place"] * 10 < ranked["members"]
    weighed = _grouped(
        ranked,
        by,
        total=_sum(ranked["took"]),
        moment=_sum(ranked["took"] * (2 * ranked["rank"] - ranked["members"] - 1)),
        top=_sum(is_top.ifelse(ranked["took"], 0)),
        members=ranked["members"].max(),
    )
    total = weighed["total"].nullif(0)
    return weighed.select(*by, gini=weighed["moment"] / (weighed["members"] * total), top_tenth=weighed["top"] / total)


def _running(cells: Any, rows: Any, by: Sequence[str]) -> Any:
    """Cells of a stock along periods: what there is at the end of each, and how many residents had a part in it.

    Of several periods (days of weeks, say) every cell has its place in the one order of time.
    """
    times = [name for name in by if name.removeprefix("by_") in PERIODS]
    others = [name for name in by if name not in times]
    entered = rows.group_by([*others, "resident"]).aggregate(**{time: rows[time].min() for time in times})
    newcomers = entered.group_by([*others, *times]).aggregate(newcomers=entered.count())
    joined = _beside(cells, newcomers, by)
    so_far = ibis.window(group_by=others, order_by=times, preceding=None, following=0)
    running = joined.mutate(
        plus=_sum(joined["plus"], so_far),
        over=_sum(joined["over"], so_far),
        people=_sum(joined["newcomers"].fill_null(0), so_far),
    )
    return running.filter(running[_TOLD] == 1).drop("newcomers")


def _sum(column: Any, window: Any = None) -> Any:
    total = column.sum() if window is None else column.sum().over(window)
    return total.fill_null(0).cast(_INTEGER)


def _grouped(table: Any, by: Sequence[str], **sums: Any) -> Any:
    return table.group_by(list(by)).aggregate(**sums) if by else table.aggregate(**sums)


def _per_store(rows: Any, by: Sequence[str], how: How) -> Any:
    """Per cell and store, with the store's `weight`: what its share of the cell is a share of."""
    needs_counts = how in (How.COUNTED, How.AVERAGE)
    told = {_TOLD: rows[_TOLD].max()} if how.of_stock else {}
    table = rows.group_by([*by, "store"]).aggregate(
        **told,
        plus=_sum(rows["plus"]),
        over=_sum(rows["over"]),
        counted=rows["counted"].nunique().cast(_INTEGER) if needs_counts else ibis.literal(0, _INTEGER),
        residents=rows["resident"].nunique().cast(_INTEGER)
        if how in _BY_RESIDENTS and _ONE_STORE not in by
        else ibis.literal(0, _INTEGER),
    )
    weights: dict[How, Callable[[], Any]] = {
        How.COUNTED: lambda: table["counted"],
        How.RESIDENTS: lambda: table["residents"],
        How.REPEATED: lambda: table["residents"],
        How.STORES: lambda: ibis.literal(1, _INTEGER),
    }
    weight = weights.get(how, table["plus"].abs)()
    return table.mutate(weight=table["store"].notnull().ifelse(weight, 0).cast(_INTEGER))


def _people(rows: Any, by: Sequence[str], how: How) -> Any:
    if how is not How.REPEATED:
        return _grouped(rows, by, people=rows["resident"].nunique().cast(_INTEGER))
    # Two numbers or more are there if the least is not the greatest: much cheaper than to count them.
    visits = rows.group_by([*by, "resident"]).aggregate(least=rows["counted"].min(), most=rows["counted"].max())
    return _grouped(
        visits,
        by,
        people=visits.count().cast(_INTEGER),
        again=_sum((visits["least"] < visits["most"]).cast(_INTEGER)),
    )


def _beside(left: Any, right: Any, by: Sequence[str]) -> Any:
    if not by:
        return left.cross_join(right)
    return left.left_join(right, list(by)).drop(*(f"{name}_right" for name in by))


def _in_period(fact: Any, question: Question) -> Any:
    if question.first is not None:
        fact = fact.filter(fact["day"] >= _day(question.first))
    if question.last is not None:
        fact = fact.filter(fact["day"] <= _day(question.last))
    return fact


def _when_told(fact: Any, question: Question) -> Any:
    """A stock's rows with the `day` on which they are first told of; and whether they happened then (`_TOLD`, 0 or 1).

    What came before a span is in what there is on its first day. After the last span nothing is told.
    """
    spans = spans_of(question)
    if spans == [EVER]:
        return fact.mutate(**{_TOLD: ibis.literal(1, _INTEGER)})
    if not spans:
        return fact.mutate(**{_TOLD: ibis.literal(0, _INTEGER)}).filter(ibis.literal(False))
    day = fact["day"]
    told = ibis.cases(*((day <= _day(end), ibis.greatest(day, _day(begin))) for begin, end in spans))
    moved = fact.mutate(day=told, **{_TOLD: (told == day).ifelse(1, 0).cast(_INTEGER)})
    return moved.filter(moved["day"].notnull())


def _with_residents(tables: Tables, rows: Any, names: Sequence[str]) -> Any:
    if not names:
        return rows
    people = tables("residents")
    read = {f"by_{name}": DIMENSIONS[name].read(people) for name in names}
    told = people.select(who=people["resident"], **read)
    joined = rows.left_join(told, rows["resident"] == told["who"]).drop("who")
    return joined.mutate(**{name: joined[name].fill_null(UNKNOWN) for name in read})


def _with_stores(tables: Tables, rows: Any, names: Sequence[str]) -> Any:
    """Each row with its store as it was on that day; before its first row in `stores` a store was as in that one."""
    if not names:
        return rows
    stores = tables("stores")
    in_time = ibis.window(group_by="store", order_by="from_day")
    told = stores.select(
        which=stores["store"],
        since=(ibis.row_number().over(in_time) == 0).ifelse(_day(EVER[0]), stores["from_day"]),
        until=stores["from_day"].lead().over(in_time).fill_null(_day(EVER[1])),
        **{f"by_{name}": DIMENSIONS[name].read(stores) for name in names},
    )
    here_then = [
        rows["store"] == told["which"],
        rows["day"] >= told["since"],
        rows["day"] < told["until"],
    ]
    joined = rows.left_join(told, here_then).drop("which", "since", "until")
    return joined.mutate(**{f"by_{name}": joined[f"by_{name}"].fill_null(UNKNOWN) for name in names})


def _literal(name: str, said: str) -> Any:
    value = DIMENSIONS[name].value(said)
    return _day(value) if DIMENSIONS[name].values is Values.DAY and isinstance(value, date) else value


def _day(value: date) -> Any:
    return ibis.timestamp(value.isoformat())
