"""A stock's curve told exactly: the difference of two of its points is what happened between them."""

from analytics.lake.lake import Source
from analytics.measures.cells import rows_of
from analytics.measures.dimension import PERIODS
from analytics.measures.question import Question


def fewest_between(source: Source, question: Question) -> int | None:
    """The fewest people who stand behind one step of the curve that is asked for.

    None where nothing runs on: the measure is no stock, or is not divided by a period, or nothing happened.
    """
    measure = question.checked()
    if not measure.how.of_stock or not any(name in PERIODS for name in question.by):
        return None
    rows = rows_of(source.table, measure, question)
    steps = rows.group_by([f"by_{name}" for name in question.by]).aggregate(people=rows["resident"].nunique())
    people = source.run(steps)["people"]
    return None if people.empty else int(people.min())
