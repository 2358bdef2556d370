"""`tanabata conformance`: it writes the page only when every line was shown, and says so by its exit code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from infra.commands import conformance as command
from infra.conformance.table import ROWS, Verdict, page

NAMES = [row.name for row in ROWS]


def verdicts(**odd: Verdict) -> list[Verdict]:
    return [odd.get(row.name, Verdict(row, None, "seen to break")) for row in ROWS]


def tanabata(
    monkeypatch: pytest.MonkeyPatch, found: list[Verdict], tripped: dict[str, list[str]], *words: str
) -> Result:
    def run(_: Callable[[], Any]) -> tuple[list[Verdict], dict[str, list[str]]]:
        return found, tripped

    monkeypatch.setattr(command, "run", run)
    return CliRunner().invoke(app, ["conformance", *words])


def test_the_page_is_written_when_all_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.md"
    result = tanabata(monkeypatch, verdicts(), {name: [name] for name in NAMES}, "--write", str(target))
    assert result.exit_code == 0
    assert target.read_text(encoding="utf-8") == page(verdicts())


@pytest.mark.parametrize(
    "verdict",
    [Verdict(ROWS[4], "two payments", "64 payments"), Verdict(ROWS[4], None, None)],
    ids=["broken", "toothless"],
)
def test_what_is_not_shown_fails_and_writes_nothing(
    verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "page.md"
    result = tanabata(monkeypatch, verdicts(**{ROWS[4].name: verdict}), {}, "--write", str(target))
    assert result.exit_code == 1
    assert not target.exists()


def test_a_mutant_that_trips_more_than_its_own_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    result = tanabata(monkeypatch, verdicts(), {NAMES[0]: NAMES[:2]}, "--matrix")
    assert result.exit_code == 1
    assert NAMES[1] in result.stderr
