"""The days of which a stock is told: those of the period that also lie in the days, weeks and months of its filters.

A filter on a period must not leave out what came before it, as it does for sums: what remains on a day is everything
up to that day. So it says when a stock is looked at, and the spans between are passed over.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from analytics.measures.dimension import DIMENSIONS, PERIODS
from analytics.measures.question import Question

Span = tuple[date, date]
"""Civil dates in Japan, both included."""

EVER: Final[Span] = (date(1900, 1, 1), date(9999, 12, 31))
_WEEK: Final = timedelta(days=6)
_LONGEST_MONTH: Final = timedelta(days=31)


def spans_of(question: Question) -> list[Span]:
    """Spans in the order of time that have no day in common; none where the filters exclude each other."""
    spans = [(question.first or EVER[0], question.last or EVER[1])]
    for name in PERIODS:
        if name in question.where:
            named = sorted({span for said in question.where[name] for span in _named(name, said)})
            spans = [both for span in spans for other in named if (both := _common(span, other)) is not None]
    return spans


def _named(name: str, said: str) -> Iterator[Span]:
    """The period that begins with this day. Raises FilterUnfit where none does."""
    begin = DIMENSIONS[name].value(said)
    if not isinstance(begin, date):
        raise TypeError(f"{name} is no period")
    left = date.max - begin
    match name:
        case "day":
            yield begin, begin
        case "week":
            yield begin, begin + min(_WEEK, left)
        case "month":
            after = (begin + min(_LONGEST_MONTH, left)).replace(day=1)
            yield begin, after - timedelta(days=1) if after > begin else date.max


def _common(one: Span, other: Span) -> Span | None:
    begin, end = max(one[0], other[0]), min(one[1], other[1])
    return (begin, end) if begin <= end else None
