"""The evidence on a programme out of a lake, with what a city adds from its own desk: a survey, and what it cost."""

from analytics.evaluation.summary import Evidence
from analytics.evaluation.survey import Survey, read_survey
from analytics.lake.lake import Source


def evidence_of(
    source: Source,
    survey: bytes | None = None,
    *,
    invited: int | None = None,
    administration_yen: int | None = None,
) -> tuple[Evidence, Survey | None]:
    """The declared frames and what was added, and the survey with the answers that were left out and why.

    survey: a CSV as `read_survey` takes it. Raises SurveyUnreadable.
    """
    told = None if survey is None else read_survey(survey)
    frames = {
        name: source.frame(name) for name in ("spending", "lots", "programmes", "stores", "applications", "outcomes")
    }
    answers = None if told is None else told.answers
    return Evidence(**frames, survey=answers, invited=invited, administration_yen=administration_yen), told
