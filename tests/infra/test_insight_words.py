"""Every word that a refusal of analytics carries is a sentence's part in three languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import locales
from analytics.columns import FrameUnfit
from analytics.disclosure.differencing import Differencing
from analytics.evaluation.estimates import ColumnUnfit, NotEstimable
from infra.insight.words import refusal_in_words
from services.kit.errors import Refusal

ROOT = Path(__file__).parents[2]


def words_for(parameter: str) -> set[str]:
    """The words that are given for this parameter anywhere in `analytics`."""
    found: set[str] = set()
    for file in sorted((ROOT / "analytics").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call):
                given = (each.value for each in call.keywords if each.arg == parameter)
                found.update(word for value in given for word in _texts(value))
    return found


def _texts(value: ast.expr) -> Iterator[str]:
    """A word, or one of two on a condition."""
    if isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value


@pytest.mark.parametrize("language", locales.LANGUAGES)
@pytest.mark.parametrize(("parameter", "place"), [("problem", "insight.problem"), ("reason", "evaluation.reason")])
def test_every_word_has_its_text(parameter: str, place: str, language: str) -> None:
    words = words_for(parameter)
    assert len(words) > 15
    assert not {word for word in words if locales.find(language, f"{place}.{word}") is None}


@pytest.mark.parametrize("language", locales.LANGUAGES)
@pytest.mark.parametrize(
    "refusal",
    [
        FrameUnfit(frame="spending", column="amount_yen", problem="type", expected="int64", found="float64"),
        FrameUnfit(frame="stores", column="store_class", problem="not_allowed", found="huge"),
        ColumnUnfit(column="after", problem="not_0_or_1"),
        NotEstimable(what="run_off", reason="ragged_triangle"),
    ],
    ids=lambda refusal: str(refusal.params.get("problem", refusal.code)),
)
def test_a_refusal_is_told_in_words_without_a_gap(refusal: Refusal, language: str) -> None:
    told = refusal_in_words(refusal, language)
    assert not re.search(r"[{}_]", told.replace("amount_yen", "").replace("store_class", ""))
    assert str(refusal.params.get("found", "")) in told
    assert str(refusal.params.get("problem", refusal.params.get("reason"))) not in told.split()


def test_a_word_that_nobody_has_written_a_text_for_is_told_as_it_is() -> None:
    assert "unheard_of" in refusal_in_words(ColumnUnfit(column="after", problem="unheard_of"), "en")


@pytest.mark.parametrize("language", locales.LANGUAGES)
@pytest.mark.parametrize("by", ["-", "category, hour", "home_district, district"])
def test_what_a_release_is_divided_by_is_told_in_words(by: str, language: str) -> None:
    """Nobody at a desk knows `home_district`, nor what a stroke stands for."""
    told = refusal_in_words(Differencing(by=by, first="2026-04-01", last="2026-04-30", minimum=10), language)
    names = [] if by == "-" else by.split(", ")
    words = [locales.text(language, f"dimension.{name}") for name in names]
    assert (", ".join(words) or locales.text(language, "insight.undivided")) in told
    assert by not in told.replace("2026-04-", "")
