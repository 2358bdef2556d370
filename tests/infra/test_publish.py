"""`tanabata insight publish`, from a lake on disk to a folder of files."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from analytics.disclosure.open_data import LEVELS
from analytics.lake.write import write_frames
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan
from infra.cli import app
from infra.insight.publish import days_of
from infra.keys import KeyUnsafe, load_open_data_key


def test_every_table_of_a_city_is_published_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_frames(tmp_path / "lake", make(CityPlan(residents=120), np.random.default_rng(3)).frames, datetime.now(UTC))
    monkeypatch.setenv("TANABATA_DATA", str(tmp_path / "data"))
    command = ["insight", "publish", "starlight", "--lake", str(tmp_path / "lake"), "--into", str(tmp_path / "open")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "open" / "datapackage.json").read_text(encoding="utf-8"))
    assert len(told["resources"]) == len(LEVELS)
    assert len((tmp_path / "releases.jsonl").read_text().splitlines()) == len(LEVELS)
    assert not (tmp_path / "data" / "releases.jsonl").exists(), "an invented city's releases are none of this city's"
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 1
    assert "Publishing replaces nothing" in again.output


def test_a_period_without_a_payment_and_a_place_that_cannot_be_written_to_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month before the programme began, a month to come, and a file where a folder was meant."""
    write_frames(tmp_path / "lake", make(CityPlan(residents=30), np.random.default_rng(3)).frames, datetime.now(UTC))
    monkeypatch.setenv("TANABATA_DATA", str(tmp_path / "data"))
    command = ["insight", "publish", "starlight", "--lake", str(tmp_path / "lake"), "--into"]
    for period in ("2019-12", "2040-01"):
        done = CliRunner().invoke(app, [*command, str(tmp_path / "open"), "--period", period])
        assert done.exit_code == 1
        assert f"Nothing was spent in programme starlight from {period}-01" in " ".join(done.output.split())
        assert not (tmp_path / "open").exists()
    (tmp_path / "file").write_text("no folder")
    done = CliRunner().invoke(app, [*command, str(tmp_path / "file" / "open")])
    assert done.exit_code == 2
    assert "nothing can be written to" in done.output
    ledger = tmp_path / "releases.jsonl"
    assert not ledger.exists() or ledger.read_text() == ""


@pytest.mark.parametrize("name", ["", "  "])
def test_a_programme_without_a_name_is_asked_for_before_anything_is_made(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(app, ["insight", "publish", name, "--into", str(tmp_path / "there" / "open")])
    assert done.exit_code == 2
    assert "name the programme by its code" in done.output
    assert not list(tmp_path.iterdir())


def test_a_lake_whose_bytes_were_altered_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_frames(tmp_path / "lake", make(CityPlan(residents=30), np.random.default_rng(3)).frames, datetime.now(UTC))
    monkeypatch.setenv("TANABATA_DATA", str(tmp_path / "data"))
    file = next((tmp_path / "lake" / "spending").glob("*.parquet"))
    written = bytearray(file.read_bytes())
    written[len(written) // 2] ^= 1
    file.write_bytes(written)
    command = ["insight", "publish", "starlight", "--lake", str(tmp_path / "lake"), "--into", str(tmp_path / "open")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "A refresh builds it anew" in " ".join(done.output.split())
    assert not (tmp_path / "open").exists()


def test_a_period_is_a_month_or_two_days() -> None:
    assert days_of("2026-02") == (date(2026, 2, 1), date(2026, 2, 28))
    assert days_of("2026-04-01..2026-04-01") == (date(2026, 4, 1), date(2026, 4, 1))
    for wrong in ("2026", "2026-13", "2026-04-31..2026-05-01", "2026-05-02..2026-05-01", ""):
        with pytest.raises(typer.BadParameter):
            days_of(wrong)


def test_the_secret_of_the_noise_stays_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = load_open_data_key(tmp_path)
    assert load_open_data_key(tmp_path) == key
    file = tmp_path / "keys" / "open-data.key"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(b"short")
    with pytest.raises(KeyUnsafe):
        load_open_data_key(tmp_path)
