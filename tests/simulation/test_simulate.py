"""`tanabata simulate`: what it refuses before it begins, each in a sentence that says what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import app
from tests.disk import no_file_beyond


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


def test_a_city_for_which_there_is_no_room_is_taken_away_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with no_file_beyond(5_000):
        done = CliRunner().invoke(app, ["simulate", "city", "--payments", "500", "--out", str(out)])
    assert done.exit_code == 1
    assert "nothing more can be written to" in " ".join(done.stderr.split())
    assert list(out.iterdir()) == []


def test_what_stood_in_the_folder_before_stays_where_there_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear city")
    with no_file_beyond(5_000):
        done = CliRunner().invoke(app, ["simulate", "city", "--payments", "500", "--out", str(tmp_path), "--force"])
    assert done.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_city_of_one_resident_is_told_as_one_and_its_folder_by_its_name(tmp_path: Path) -> None:
    out = tmp_path / "[/x] :cat:"
    done = CliRunner().invoke(app, ["simulate", "city", "--payments", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    (told,) = done.stdout.splitlines()
    assert told.startswith("Residents: 1, ")
    assert told.endswith(f"See {out / 'lake'}, and for the truth {out / 'truth.json'}")


def test_a_city_that_was_interrupted_is_taken_away_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lake would have been one of a city in which nobody pays."""

    def interrupted(plan: object, rng: object, root: Path, *_: object) -> None:
        root.mkdir()
        (root / "manifest.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr("analytics.synthetic.write.write_city", interrupted)
    done = CliRunner().invoke(app, ["simulate", "city", "--payments", "5", "--out", str(tmp_path)])
    assert done.exit_code == 130
    assert "interrupted" in done.stderr
    assert list(tmp_path.iterdir()) == []
