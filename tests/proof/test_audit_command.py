"""`tanabata audit verify`: its exit code is the verdict, its words are in three languages, and it only reads."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

import locales
from infra.cli import app
from infra.database.provision import DatabaseHandle
from infra.keys import load_anchor_key
from services.proof.chain_walk import Fault
from tests.proof.chains import Watched, tamper

NOBODY = "postgresql://nobody@127.0.0.1:1/nowhere"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "anchor.pem"


@pytest.fixture
async def watched(engine: AsyncEngine, tmp_path: Path, key_file: Path) -> Watched:
    made = Watched(engine, tmp_path, load_anchor_key(key_file))
    await made.live()
    return made


def run(
    database: DatabaseHandle, watched: Watched, key_file: Path, monkeypatch: pytest.MonkeyPatch, *words: str
) -> Result:
    """As an auditor runs it: with the auditor's URL alone."""
    for name in ("DATABASE_URL", "MIGRATOR_DATABASE_URL"):
        monkeypatch.setenv(name, NOBODY)
    # A superuser's login, as which the command must take the auditor's role on.
    monkeypatch.setenv("AUDITOR_DATABASE_URL", database.migrator_url)
    monkeypatch.setenv("TANABATA_ANCHORS", str(watched.path))
    monkeypatch.setenv("TANABATA_ANCHOR_KEY", str(key_file))
    monkeypatch.setenv("LANG", "C.UTF-8")
    return CliRunner().invoke(app, ["audit", "verify", *words])


def test_what_nobody_altered_is_clean(
    database: DatabaseHandle, watched: Watched, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(database, watched, key_file, monkeypatch, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["clean"], said["findings"]) == (True, [])
    assert {each["chain"]: (each["entries"] > 3, each["anchors"]) for each in said["chains"]} == {
        "audit": (True, 1),
        "ledger": (True, 1),
    }
    result = run(database, watched, key_file, monkeypatch)
    assert (result.exit_code, "Nothing was altered." in result.stdout) == (0, True)


@pytest.fixture
async def tampered(watched: Watched, migrator_engine: AsyncEngine) -> Watched:
    async with migrator_engine.begin() as connection:
        await tamper(connection, "UPDATE audit_entry SET detail = '{}' WHERE action = 'programme.proposed'")
    return watched


@pytest.mark.parametrize("language", locales.LANGUAGES)
def test_a_finding_is_a_sentence_with_the_entry_and_the_exit_code_is_1(
    language: str, database: DatabaseHandle, tampered: Watched, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(database, tampered, key_file, monkeypatch, "--json")
    [found] = json.loads(result.stdout)["findings"]
    assert (found["fault"], found["position"], result.exit_code) == ("edited", 1, 1)
    result = run(database, tampered, key_file, monkeypatch, "--language", language)
    assert result.exit_code == 1
    words = locales.text(language, "audit.fault.edited", position=1, entry=found["entry_id"])
    assert words in result.stdout
    assert locales.text(language, "audit.faults", count=1) in result.stdout


@pytest.fixture
async def put_aside(watched: Watched) -> Path:
    """The file so far; the town lives on with a new one."""
    aside = watched.path.rename(watched.path.with_name("2026.jsonl"))
    await watched.live()
    return aside


def test_files_that_were_put_aside_are_given_by_name(
    database: DatabaseHandle, watched: Watched, put_aside: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(database, watched, key_file, monkeypatch, "--json")
    assert result.exit_code == 1
    assert {each["fault"] for each in json.loads(result.stdout)["findings"]} == {"anchor_missing"}
    both = ("--anchors", str(put_aside), "--anchors", str(watched.path))
    assert run(database, watched, key_file, monkeypatch, *both).exit_code == 0


def test_the_public_key_is_enough_and_another_key_is_not(
    database: DatabaseHandle, watched: Watched, key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = tmp_path / "public.pem"
    public.write_bytes(pem_of(watched))
    assert run(database, watched, public, monkeypatch).exit_code == 0
    stranger = tmp_path / "other" / "key.pem"
    load_anchor_key(stranger)
    result = run(database, watched, stranger, monkeypatch, "--json")
    assert result.exit_code == 1
    assert {each["fault"] for each in json.loads(result.stdout)["findings"]} == {
        "anchor_line_invalid",
        "anchor_missing",
    }
    result = run(database, watched, tmp_path / "nothing.pem", monkeypatch)
    assert (result.exit_code, "TANABATA_ANCHOR_KEY" in result.output) == (1, True)


def pem_of(watched: Watched) -> bytes:

    return watched.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_every_fault_has_its_words() -> None:
    for language in locales.LANGUAGES:
        for fault in Fault:
            assert locales.find(language, f"audit.fault.{fault.value}"), (language, fault)
