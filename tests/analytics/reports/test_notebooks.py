"""The examples for analysts run as they stand, and what they print is what they say."""

import runpy
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[3] / "docs" / "notebooks"


def left_by(name: str) -> dict[str, Any]:
    """What a notebook leaves behind after its last cell."""
    return runpy.run_path(str(NOTEBOOKS / f"{name}.py"))


def test_every_notebook_is_tried_here() -> None:
    assert {path.stem for path in NOTEBOOKS.iterdir()} == {"city_in_charts", "who_comes_back", "what_a_draw_tells"}


def test_the_charts_of_a_city_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    left = left_by("city_in_charts")
    assert left["matrix"].sum().sum() == left["by_category"]["value"].sum()
    assert "supermarket" in capsys.readouterr().out


def test_the_charts_of_a_city_that_never_drew_are_shown_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The notebook says that a lake may stand in the city's place; no lake of the platform's has a draw yet."""
    written = (NOTEBOOKS / "city_in_charts.py").read_text(encoding="utf-8")
    drawn = "InMemory(city.frames)"
    assert drawn in written
    never = "InMemory({name: rows for name, rows in city.frames.items() if name not in ('applications', 'outcomes')})"
    (tmp_path / "other.py").write_text(written.replace(drawn, never), encoding="utf-8")
    left = runpy.run_path(str(tmp_path / "other.py"))
    assert left["gap"].empty
    assert "supermarket" in capsys.readouterr().out


def test_who_comes_back_counts_everybody_once(capsys: pytest.CaptureFixture[str]) -> None:
    left = left_by("who_comes_back")
    assert left["sizes"]["residents"].sum() == left["spending"]["resident"].nunique()
    assert (left["rules"]["confidence"] >= 0.6).all()
    end = left["ahead"].iloc[-1]
    assert end["unused_low"] <= left["lapsed"] <= end["unused_high"]
    assert f"{left['lapsed']:,} yen" in capsys.readouterr().out


def test_what_a_draw_tells_holds_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    left = left_by("what_a_draw_tells")
    assert left["found"]["estimand"].tolist() == ["itt", "per_unit"]
    assert left["itt"]["low"] <= left["per_winner"] <= left["itt"]["high"]
    assert (left["bounds"]["low_yen"] <= left["bounds"]["high_yen"]).all()
    assert "the interval holds it: True" in capsys.readouterr().out
