"""`tanabata prove`: what it prints is what reports and the next program read, and its exit code is the verdict."""

import json

import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from infra.database.provision import DatabaseHandle
from tests.proof.settle import money_in
from tests.proof.world import build


def tanabata(handle: DatabaseHandle, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("DATABASE_URL", handle.app_url)
    monkeypatch.setenv("MIGRATOR_DATABASE_URL", handle.migrator_url)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner().invoke(app, list(words))


def test_a_clean_database_proves_itself(town_database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    result = tanabata(town_database, monkeypatch, "prove", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["clean"] is True
    assert {frozenset(check) for check in said["checks"]} == {frozenset({"name", "expected", "found", "ok"})}
    for check in said["checks"]:
        assert type(check["expected"]) is type(check["found"]) is int
        assert check["ok"] is (check["expected"] == check["found"]) is True


async def spoil(handle: DatabaseHandle) -> None:
    """Money that was received twice: written whole, but the second time without its journal."""
    engine = handle.migrator_engine()
    book = build()
    town = book.rows["programme"][0]
    money_in(book, town, "channel", 77)
    del book.rows["ledger_journal"][-1]
    async with engine.begin() as connection:
        await book.write(connection)
    await engine.dispose()


@pytest.fixture
async def spoiled(database: DatabaseHandle) -> DatabaseHandle:
    await spoil(database)
    return database


def test_a_broken_law_is_named_and_fails_the_command(spoiled: DatabaseHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    result = tanabata(spoiled, monkeypatch, "prove", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["clean"] is False
    wrong = {check["name"]: check for check in said["checks"] if not check["ok"]}
    assert wrong["money_in_is_posted"]["expected"] == wrong["money_in_is_posted"]["found"] + 1
    assert wrong["cash_receivable_yen"]["expected"] - wrong["cash_receivable_yen"]["found"] == 77


def test_the_table_has_one_line_a_law(spoiled: DatabaseHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    result = tanabata(spoiled, monkeypatch, "prove")
    assert result.exit_code == 1
    checks = json.loads(tanabata(spoiled, monkeypatch, "prove", "--json").stdout)["checks"]
    lines = [line for line in result.stdout.splitlines() if "holds" in line or "broken" in line]
    for check in checks:
        (line,) = [line for line in lines if f" {check['name']} " in line]
        assert ("holds" in line) == check["ok"]
    assert "laws are broken" in result.stdout
