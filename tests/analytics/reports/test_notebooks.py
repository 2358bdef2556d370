"""The examples for analysts run as they stand."""

import runpy
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[3] / "docs" / "notebooks"


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.py")), ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = runpy.run_path(str(notebook))
    assert left["matrix"].sum().sum() == left["by_category"]["value"].sum()
    assert "supermarket" in capsys.readouterr().out
