"""The command line speaks the reader's language: the one asked for, or that of the terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import locales
from analytics.lake.manifest import MANIFEST, read_manifest
from infra.console import reading
from infra.database.provision import DatabaseHandle
from services.kit.clock import civil_date


@pytest.mark.parametrize(
    ("told", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP", "LC_ALL": ""}, "ja"),
    ],
)
def test_a_terminal_says_its_language(told: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert reading(None) == language
    assert reading("ja-simple") == "ja-simple"
    with pytest.raises(typer.BadParameter):
        reading("fr")


def said(database: DatabaseHandle, data: Path, *words: str, lang: str = "C.UTF-8") -> tuple[int, str, str]:
    """What `tanabata insight` puts out and what it complains, for an installation of its own lake."""
    surroundings = {
        "DATABASE_URL": database.app_url,
        "MIGRATOR_DATABASE_URL": database.migrator_url,
        "ANALYST_DATABASE_URL": database.migrator_url,
        "TANABATA_SCHEMA": database.schema,
        "TANABATA_DATA": str(data),
        "COLUMNS": "300",
        "LC_ALL": lang,
    }
    command = [sys.executable, "-m", "infra.cli", "insight", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **surroundings})
    return done.returncode, done.stdout.strip(), done.stderr.strip()


async def test_who_reads_japanese_is_told_in_japanese_what_a_refresh_did(
    database: DatabaseHandle, tmp_path: Path
) -> None:
    code, told, complained = said(database, tmp_path, "alerts", "--language", "ja-simple")
    assert (code, told) == (1, "")
    assert complained.endswith(locales.text("ja-simple", "error.lake_missing"))
    code, told, complained = said(database, tmp_path, "refresh", lang="ja_JP.UTF-8")
    assert code == 0, complained
    [lake] = tmp_path.rglob(MANIFEST)
    end = civil_date(read_manifest(lake.parent).refreshed_at)
    assert told == locales.text("ja", "insight.refresh.done", rows=0, files=0, end=end)
    code, told, complained = said(database, tmp_path, "alerts", "--language", "ja")
    assert code == 0, complained
    assert told.splitlines()[0] == locales.text("ja", "alert.run", new=0, anew=0, again=0, judged=0)
    code, told, complained = said(database, tmp_path, "publish", "moon", "--into", str(tmp_path / "o"), lang="ja_JP")
    assert (code, told) == (1, "")
    assert complained.endswith(locales.text("ja", "error.open_data_programme_unknown", programme="moon"))
