"""What the city wants to know: every measure with its words' keys, and figures by dimension, filter and period.

Staff see internal figures, exact to the yen; what leaves the house goes through `analytics.disclosure`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints

from analytics.desk.desk import DeskBusy
from analytics.desk.messages import Answered, Asked
from analytics.lake.manifest import LakeCorrupt, LakeMissing, LakeSourceLost
from analytics.measures.dimension import FilterUnfit
from analytics.measures.measure import DimensionUnknown, MeasureUnknown
from analytics.measures.question import AnswerTooLarge, PeriodBackwards, PeriodOpen, Question, QuestionTooWide
from analytics.measures.registry import MEASURES
from infra.http.apps import router
from infra.http.auth import Evaluator
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, Day, Flag, ShortText

routes = router("insight")

Dimensions = Annotated[str, StringConstraints(strict=True, max_length=120, pattern=r"^[a-z_]+(,[a-z_]+)*$")]
Filters = Annotated[str, StringConstraints(strict=True, max_length=4_000, pattern=r"^[a-z_]+:[^;]+(;[a-z_]+:[^;]+)*$")]


class MeasureAnswer(Answer):
    """One measure; its words stand under `measure.<name>`, those of its dimensions under `dimension.<name>`."""

    name: str
    unit: str = Field(description="yen, count, average_yen or share (from 0 to 1).")
    dimensions: Sequence[str] = Field(description="By what it may be divided and filtered.")
    minimum_cell: int = Field(description="Residents that a cell must have before it may be published.")
    audience: Sequence[str]


class MeasuresAnswer(Answer):
    measures: Sequence[MeasureAnswer]


class CellAnswer(Answer):
    """One figure. `value` is null where there is nothing to divide by."""

    by: Sequence[str | int] = Field(
        description="The values of the asked dimensions, in their order; a day as 2026-04-01."
    )
    value: int | float | None
    people: int = Field(description="Residents behind the figure.")
    stores: int = Field(description="Stores behind it.")
    top_store_share: float = Field(description="Of what stores add, the part of the largest one; 0 without stores.")


class FigureAnswer(Answer):
    """Internal figures: cells without a row are absent."""

    measure: str
    unit: str
    by: Sequence[str]
    refreshed_at: datetime = Field(description="Everything up to this instant is in the figures.")
    cells: Sequence[CellAnswer]
    before: Sequence[CellAnswer] | None = Field(description="The same of as many days just before, if asked for.")


@routes.get("/measures")
async def list_measures(_token: Evaluator) -> MeasuresAnswer:
    """Everything that can be asked."""
    return MeasuresAnswer(measures=[MeasureAnswer.of(measure) for measure in MEASURES.values()])


@routes.get(
    "/measures/{name}",
    responses=refuses(
        *(MeasureUnknown, DimensionUnknown, FilterUnfit, QuestionTooWide, PeriodBackwards, PeriodOpen, AnswerTooLarge),
        *(LakeMissing, LakeCorrupt, LakeSourceLost, DeskBusy),
    ),
)
async def ask_measure(
    _token: Evaluator,
    here: Here,
    name: ShortText,
    by: Annotated[Dimensions | None, Query(description="Dimensions in order, such as day,purse.")] = None,
    where: Annotated[
        Filters | None, Query(description="Wanted values by dimension, such as category:food,other;purse:common.")
    ] = None,
    first: Annotated[Day | None, Query(description="First civil day in Japan.")] = None,
    last: Annotated[Day | None, Query(description="Last civil day, included.")] = None,
    compare: Annotated[Flag, Query(description="With as many days just before.")] = False,
    today: Annotated[Flag, Query(description="With the days that the lake does not hold yet.")] = False,
) -> FigureAnswer:
    """Figures of one measure, exact to the yen."""
    question = Question(name, tuple(by.split(",")) if by else (), _filters(where), first, last)
    measure = question.checked()
    if compare and (first is None or last is None):
        raise PeriodOpen
    if here.insight is None:
        raise LakeMissing
    answered: Answered = await here.insight.ask(Asked(question, live=today, before=compare))
    return FigureAnswer(
        measure=measure.name,
        unit=measure.unit.value,
        by=question.by,
        refreshed_at=answered.refreshed_at,
        cells=[CellAnswer.of(cell) for cell in answered.cells],
        before=None if answered.before is None else [CellAnswer.of(cell) for cell in answered.before],
    )


def _filters(where: str | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in where.split(";") if where else ():
        dimension, _, values = each.partition(":")
        found[dimension] = (*found.get(dimension, ()), *values.split(","))
    return found
