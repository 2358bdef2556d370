"""`tanabata prove`: what it prints is what reports and the next program read, and its exit code is the verdict."""

import json
from datetime import UTC, datetime, timedelta

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
    assert said.keys() == {"clean", "checks"}
    assert {frozenset(check) for check in said["checks"]} == {frozenset({"name", "expected", "found", "ok"})}
    for check in said["checks"]:
        assert type(check["expected"]) is type(check["found"]) is int
        assert check["ok"] is (check["expected"] == check["found"]) is True


def test_an_incremental_proof_says_what_it_did_not_ask(
    town_database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tanabata(town_database, monkeypatch, "prove", "--json", "--since", "2026-04-20T12:00:00+09:00")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["clean"], said["since"]) == (True, "2026-04-20T12:00:00+09:00")
    assert "bank_yen" in said["not_asked"]
    assert {check["name"] for check in said["checks"]}.isdisjoint(said["not_asked"])

    result = tanabata(town_database, monkeypatch, "prove", "--since", "2026-04-20T12:00:00+09:00")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "not asked" in line]
    for law in said["not_asked"]:
        assert [line for line in lines if f" {law} " in line], law
    assert f"incremental: {len(said['not_asked'])} laws were not asked" in result.stdout
    assert "since 2026-04-20T12:00:00+09:00" in result.stdout


def test_minutes_count_back_from_now(town_database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    ten, before = timedelta(minutes=10), datetime.now(UTC)
    result = tanabata(town_database, monkeypatch, "prove", "--json", "--since-minutes", "10")
    assert result.exit_code == 0
    since = datetime.fromisoformat(json.loads(result.stdout)["since"])
    assert before <= since + ten <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("--since", "yesterday"), "is not an instant"),
        (("--since", "2026-04-20T12:00:00"), "has no offset"),
        (("--since", "2026-04-20"), "has no offset"),
        (("--since", "9999-01-01T00:00:00+09:00"), "is yet to come"),
        (("--since", "2026-04-20T12:00:00+09:00", "--since-minutes", "5"), "not both"),
        (("--since-minutes", "0"), "--since-minutes"),
    ],
)
def test_what_is_not_an_instant_of_the_past_is_refused(
    words: tuple[str, ...], because: str, town_database: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tanabata(town_database, monkeypatch, "prove", *words)
    assert result.exit_code == 2
    assert because in result.output


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
