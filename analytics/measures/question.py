"""A question: one measure, divided and filtered by what its declaration allows, over a period."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from analytics.measures.dimension import DIMENSIONS
from analytics.measures.measure import DimensionUnknown, Measure
from analytics.measures.registry import measure_named
from services.kit.errors import Refusal

MOST_DIMENSIONS: Final = 3
MOST_VALUES: Final = 200
"""Of one filter."""


class QuestionTooWide(Refusal):
    """More dimensions or values than a question may have: `most`."""

    code: ClassVar[str] = "question_too_wide"


class PeriodBackwards(Refusal):
    """A period that ends before it begins."""

    code: ClassVar[str] = "period_backwards"


class AnswerTooLarge(Refusal):
    """More cells than an answer may have: `most`; ask of a shorter period or by fewer dimensions."""

    code: ClassVar[str] = "answer_too_large"


class PeriodOpen(Refusal):
    """A comparison needs a period with a first and a last day."""

    code: ClassVar[str] = "period_open"


@dataclass(frozen=True)
class Question:
    """What is asked: `first` and `last` are civil dates in Japan, both included; None is open.

    `by` names dimensions in the order of the answer's columns; `where` gives a dimension's wanted values as text
    (`{"category": ("food",)}`, a day as 2026-04-01).
    """

    measure: str
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None

    def checked(self) -> Measure:
        """The measure, if all that is asked may be.

        Raises MeasureUnknown, DimensionUnknown, FilterUnfit, QuestionTooWide, PeriodBackwards.
        """
        measure = measure_named(self.measure)
        for name in (*self.by, *self.where):
            if name not in measure.dimensions:
                raise DimensionUnknown(measure=measure.name, dimension=name[:60])
        if len(self.by) > MOST_DIMENSIONS or len(set(self.by)) < len(self.by):
            raise QuestionTooWide(most=MOST_DIMENSIONS)
        for name, values in self.where.items():
            if len(values) > MOST_VALUES:
                raise QuestionTooWide(most=MOST_VALUES)
            for value in values:
                DIMENSIONS[name].value(value)
        if self.first is not None and self.last is not None and self.last < self.first:
            raise PeriodBackwards
        return measure
