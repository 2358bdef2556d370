"""`tanabata simulate`: what it refuses before it begins, each in a sentence that says what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import app


def complaint(*words: str) -> str:
    """What the command says when it refuses; on one line, as narrow terminals break it."""
    result = CliRunner().invoke(app, ["simulate", *words])
    assert result.exit_code == 2, result.output
    return " ".join(result.output.replace("│", " ").split())


def test_an_unknown_programme_is_answered_with_those_there_are(tmp_path: Path) -> None:
    said = complaint("hiratsuka-2021", "--out", str(tmp_path / "out"))
    assert "hiratsuka-2021" in said
    assert "hiratsuka-2020" in said.replace("hiratsuka-2021", "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scale", ["0", "0.0009", "1.01", "-1", "nan", "ten"])
def test_a_scale_is_from_a_thousandth_to_one(scale: str, tmp_path: Path) -> None:
    said = complaint("hiratsuka-2020", f"--scale={scale}", "--out", str(tmp_path / "out"))
    assert "--scale" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", str(2**63)])
def test_a_seed_is_a_whole_number(seed: str, tmp_path: Path) -> None:
    assert "--seed" in complaint("hiratsuka-2020", f"--seed={seed}", "--out", str(tmp_path / "out"))


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear city")
    said = complaint("hiratsuka-2020", "--out", str(tmp_path))
    assert "--force" in said
    assert (tmp_path / "letter.txt").read_text() == "dear city"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert "is a file" in complaint("hiratsuka-2020", "--out", str(tmp_path / "out"))


def test_the_folder_must_be_named() -> None:
    assert "--out" in complaint("hiratsuka-2020")
