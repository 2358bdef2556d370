"""The evidence on a programme out of a lake, with what a city adds from its own desk: a survey, and what it cost."""

import pandas as pd

from analytics.evaluation.joined import read_joined
from analytics.evaluation.summary import Evidence
from analytics.evaluation.survey import read_survey
from analytics.lake.lake import Source


def evidence_of(
    source: Source,
    survey: bytes | None = None,
    joined: bytes | None = None,
    *,
    invited: int | None = None,
    administration_yen: int | None = None,
) -> tuple[Evidence, dict[str, pd.DataFrame]]:
    """The declared frames and what was added, and by file (`survey`, `joined`) the lines that were left out and why.

    survey, joined: CSVs as `read_survey` and `read_joined` take them. Raises SurveyUnreadable, JoinedUnreadable.
    """
    told = None if survey is None else read_survey(survey)
    units = None if joined is None else read_joined(joined)
    frames = {
        name: source.frame(name) for name in ("spending", "lots", "programmes", "stores", "applications", "outcomes")
    }
    left_out = {name: each.rejected for name, each in (("survey", told), ("joined", units)) if each is not None}
    evidence = Evidence(
        **frames,
        survey=None if told is None else told.answers,
        invited=invited,
        administration_yen=administration_yen,
        joined=None if units is None else units.sales,
    )
    return evidence, left_out
