"""Every measure and every dimension has its words, and is declared on what exists."""

import pytest

import analytics.desk.desk
import analytics.lake.refresh
import analytics.lake.write
import analytics.measures.ask  # noqa: F401  # defines refusals
from analytics.measures.dimension import DIMENSIONS
from analytics.measures.facts import FACTS
from analytics.measures.measure import Audience, Measure
from analytics.measures.registry import MEASURES
from services.kit.errors import all_refusals
from tests.house.test_texts import LANGUAGES, texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measure_and_dimension_has_its_words(language: str) -> None:
    known = texts(language)
    assert not {f"measure.{name}" for name in MEASURES} - set(known)
    assert not {f"dimension.{name}" for name in DIMENSIONS} - set(known)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_every_measure_is_declared_on_what_exists(measure: Measure) -> None:
    assert measure.fact in FACTS
    assert set(measure.dimensions) <= set(DIMENSIONS)
    assert measure.minimum_cell >= 1
    assert Audience.CITY in measure.audience


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_the_lake_and_its_measures_has_its_text(language: str) -> None:
    ours = {
        each.code
        for each in all_refusals()
        if each.__module__.startswith(("analytics.lake", "analytics.measures", "analytics.desk"))
    }
    assert {"desk_busy", "lake_corrupt", "lake_disagrees", "measure_unknown", "rows_repeated", "period_open"} <= ours
    assert not {f"error.{code}" for code in ours} - set(texts(language))
