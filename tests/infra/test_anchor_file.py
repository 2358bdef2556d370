"""Anchors in a file: on the disk before they are relied on, in one order, never carried on over a break."""

import asyncio
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.keys import KeyUnsafe, load_anchor_key, load_anchor_public_key
from infra.ports.anchor_file import AnchorFile, LineInvalid, read_line
from infra.ports.anchor_reading import read_anchors
from services.kit.anchors import AnchorsBroken, Head
from tests.proof.chains import Watched, tamper

AT = datetime(2026, 4, 6, tzinfo=UTC)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anchors" / "heads.jsonl"


def head(entries: int, chain: str = "audit") -> Head:
    return Head(chain, entries, entries.to_bytes(32))


async def test_a_head_is_read_back_as_it_was_written(path: Path, key: Ed25519PrivateKey) -> None:
    file = AnchorFile(path, key)
    assert await file.last() == {}
    written = await file.write([head(1), head(5, "ledger")], AT)
    assert [each.head for each in written] == [head(1), head(5, "ledger")]
    assert await AnchorFile(path, key).last() == {"audit": head(1), "ledger": head(5, "ledger")}
    assert read_anchors(path, key.public_key()) == (list(written), [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_nothing_is_written_when_nothing_has_grown(path: Path, key: Ed25519PrivateKey) -> None:
    file = AnchorFile(path, key)
    await file.write([head(2), head(5, "ledger")], AT)
    assert await file.write([head(2), head(5, "ledger")], AT) == []
    assert await file.write([head(1)], AT) == []
    assert [each.head.chain for each in await file.write([head(3), head(5, "ledger")], AT)] == ["audit", "ledger"]
    assert [each.head.entries for each in await file.write([head(1), head(6, "ledger")], AT)] == [6]


def test_many_that_write_at_once_make_one_unbroken_file(path: Path, key: Ed25519PrivateKey) -> None:
    def one(entries: int) -> None:
        asyncio.run(AnchorFile(path, key).write([head(entries)], AT))

    with ThreadPoolExecutor(8) as together:
        list(together.map(one, range(1, 41)))
    anchors, faults = read_anchors(path, key.public_key())
    assert faults == []
    entries = [each.head.entries for each in anchors]
    assert entries == sorted(entries)
    assert entries[-1] == 40


async def test_a_line_that_a_crash_cut_short_is_dropped(path: Path, key: Ed25519PrivateKey) -> None:
    file = AnchorFile(path, key)
    await file.write([head(1)], AT)
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    assert read_anchors(path, key.public_key())[1] == []
    await file.write([head(2)], AT)
    assert read_anchors(path, key.public_key())[1] == []
    assert path.read_text().startswith(whole)


async def test_over_a_broken_line_nothing_is_carried_on(path: Path, key: Ed25519PrivateKey) -> None:
    file = AnchorFile(path, key)
    await file.write([head(1)], AT)
    path.write_text(path.read_text().replace('"entries":1', '"entries":2'))
    with pytest.raises(AnchorsBroken, match="audit verify"):
        await file.last()
    with pytest.raises(AnchorsBroken):
        await file.write([head(3)], AT)
    assert len(path.read_text().splitlines()) == 1


async def test_a_long_file_is_read_from_its_end(path: Path, key: Ed25519PrivateKey) -> None:
    file = AnchorFile(path, key)
    for entries in range(1, 400):
        await file.write([head(entries), head(7, "ledger")], AT)
    assert await file.last() == {"audit": head(399), "ledger": head(7, "ledger")}
    assert len(read_anchors(path, key.public_key())[0]) == 798


async def test_a_full_disk_leaves_no_half_line(
    path: Path, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AnchorFile(path, key)
    await file.write([head(1)], AT)
    before, write = path.read_bytes(), os.write

    def full(descriptor: int, content: bytes) -> int:
        write(descriptor, content[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            await file.write([head(2)], AT)
    assert path.read_bytes() == before


@pytest.mark.parametrize("junk", ["", "{}", "[]", "null", "[" * 10_000, '{"line":1}', "\x00", '"' + "9" * 5_000])
def test_a_line_that_is_no_anchor_is_refused(junk: str, key: Ed25519PrivateKey) -> None:
    with pytest.raises(LineInvalid):
        read_line(junk, key.public_key())


async def test_every_member_of_a_line_is_under_its_signature(path: Path, key: Ed25519PrivateKey) -> None:
    await AnchorFile(path, key).write([head(12)], AT)
    line = path.read_text().rstrip("\n")
    assert read_line(line, key.public_key()).anchor.head == head(12)
    for place in range(len(line)):
        other = line[:place] + chr(ord(line[place]) ^ 1) + line[place + 1 :]
        with pytest.raises(LineInvalid):
            read_line(other, key.public_key())
    with pytest.raises(LineInvalid):
        read_line(line + " ", key.public_key())


async def test_over_a_chain_that_was_cut_or_laid_anew_nothing_is_anchored(
    engine: AsyncEngine, migrator_engine: AsyncEngine, tmp_path: Path
) -> None:
    watched = Watched(engine, tmp_path)
    await watched.live()
    before = watched.path.read_bytes()
    async with migrator_engine.begin() as connection:
        await tamper(
            connection,
            "DELETE FROM audit_seal WHERE position > 2",
            "DELETE FROM audit_entry e WHERE NOT EXISTS (SELECT FROM audit_seal WHERE entry_id = e.id)",
        )
    await watched.look(50)
    await watched.seal()
    with pytest.raises(AnchorsBroken, match="the audit chain no longer holds"):
        await watched.anchor()
    assert watched.path.read_bytes() == before


async def test_chains_are_anchored_as_they_grow(engine: AsyncEngine, tmp_path: Path) -> None:
    watched = Watched(engine, tmp_path)
    assert await watched.anchor() == 0
    await watched.look()
    await watched.seal()
    assert await watched.anchor() == 1
    assert await watched.anchor() == 0
    await watched.live(1)
    assert len(watched.path.read_text().splitlines()) == 3


def test_the_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "anchor.pem"
    first = load_anchor_key(path).public_key()
    assert load_anchor_public_key(path) == load_anchor_key(path).public_key() == first
    path.chmod(0o644)
    with pytest.raises(KeyUnsafe, match="can be read by others"):
        load_anchor_key(path)
    with pytest.raises(KeyUnsafe, match="cannot be read"):
        load_anchor_public_key(tmp_path / "nothing.pem")
    for content in (b"junk", b"-----BEGIN PRIVATE KEY-----\njunk\n-----END PRIVATE KEY-----\n"):
        path.unlink()
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyUnsafe):
            load_anchor_key(path)
        with pytest.raises(KeyUnsafe):
            load_anchor_public_key(path)
