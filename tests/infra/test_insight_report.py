"""`tanabata insight report` writes four files from a lake, says what it cannot make, and refuses in a sentence."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from analytics.lake.manifest import read_manifest
from analytics.lake.refresh import END
from analytics.lake.write import publish, write_frames
from analytics.reports import council
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan
from infra.cli import app
from tests.disk import no_file_beyond


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of the test's own, with nothing published yet."""
    monkeypatch.setenv("TANABATA_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


FORMS = ["council.pdf", "public.html", "report.html", "workbook.xlsx"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("city") / "lake"
    frames = make(CityPlan(residents=60, stores=20), np.random.default_rng(4)).frames
    write_frames(root, frames, datetime(2026, 2, 18, tzinfo=UTC))
    return root


def test_without_a_japanese_font_the_other_files_are_written_and_the_package_is_named(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(council, "japanese_font", lambda: None)
    arguments = ["insight", "report", "--into", str(tmp_path / "out"), "--lake", str(lake), "--language", "en"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "fonts-noto-cjk" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FORMS[1:]
    assert '<html lang="en">' in (tmp_path / "out" / "public.html").read_text()


@pytest.mark.long
@pytest.mark.parametrize("language", ["ja", "ja-simple"])
def test_all_four_files_are_written(lake: Path, tmp_path: Path, language: str) -> None:
    done = CliRunner().invoke(
        app, ["insight", "report", "--into", str(tmp_path), "--lake", str(lake), "--language", language]
    )
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == FORMS
    assert (tmp_path / "council.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_made(lake: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    arguments = ["insight", "report", "--into", str(tmp_path / "file" / "out"), "--lake", str(lake)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "nothing can be written to" in done.stderr
    assert not (tmp_path / "data" / "releases.jsonl").exists()


def test_a_programme_that_is_not_there_is_refused_in_a_sentence(lake: Path, tmp_path: Path) -> None:
    arguments = ["insight", "report", "--into", str(tmp_path), "--lake", str(lake), "--programme", "moonlight"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "moonlight" in done.stderr
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob("*.html")) == []


def test_a_form_for_which_there_is_no_room_is_not_half_there(lake: Path, tmp_path: Path) -> None:
    arguments = ["insight", "report", "--into", str(tmp_path / "out"), "--lake", str(lake), "--language", "ja"]
    with no_file_beyond(100_000):
        done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "を書き込めません（File too large）" in "".join(done.stderr.split("\n"))
    assert not (tmp_path / "out").exists()


def test_a_folder_is_told_by_its_own_name_whatever_it_is_called(lake: Path, tmp_path: Path) -> None:
    """`[/x]` ends a style, and `:cat:` is a cat, to a console that takes them for its own language."""
    out = tmp_path / "[/x] :cat: [bold]"
    done = CliRunner().invoke(app, ["insight", "report", "--into", str(out), "--lake", str(lake), "--language", "en"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [str(out / name) for name in ("report.html", "workbook.xlsx", *FORMS[:2])]


def test_a_page_of_an_invented_city_is_no_release_of_this_city(tmp_path: Path, data: Path) -> None:
    """Both have a programme of this name; the trial came first, and must not keep the city from its own page."""
    for name, seed in (("invented", 4), ("ours", 5)):
        root = tmp_path / name / "lake"
        write_frames(
            root, make(CityPlan(residents=60, stores=20), np.random.default_rng(seed)).frames, datetime.now(UTC)
        )
    ours = tmp_path / "ours" / "lake"
    publish(ours, replace(read_manifest(ours), marks={END: "2026-02-18"}))
    for name in ("invented", "ours"):
        into, root = tmp_path / f"out-{name}", tmp_path / name / "lake"
        done = CliRunner().invoke(app, ["insight", "report", "--into", str(into), "--lake", str(root)])
        assert done.exit_code == 0, done.stderr
        assert (data / "releases.jsonl").exists() == (name == "ours")
    assert (tmp_path / "invented" / "releases.jsonl").read_text()
    assert not (tmp_path / "ours" / "releases.jsonl").exists()


def test_where_there_is_nothing_to_report_no_empty_folder_is_left(lake: Path, tmp_path: Path) -> None:
    into = tmp_path / "new"
    for more in (["--lake", str(tmp_path / "nowhere")], ["--lake", str(lake), "--programme", "moonlight"]):
        assert CliRunner().invoke(app, ["insight", "report", "--into", str(into), *more]).exit_code == 1
        assert not into.exists()
