"""Whoever alters what was written is found out, and the entry is named: each kind of fault has its culprit."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.proof import verify as verifying
from services.proof.chain_walk import MOST_FINDINGS, Fault, Finding, Link, Walk
from tests.proof.chains import AUDIT, LEDGER, Names, Watched, tamper


@pytest.fixture
async def watched(engine: AsyncEngine, tmp_path: Path) -> Watched:
    made = Watched(engine, tmp_path)
    await made.live()
    await made.live()
    return made


@pytest.fixture
async def intruder(migrator_engine: AsyncEngine, watched: Watched) -> AsyncIterator[AsyncConnection]:
    async with migrator_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        await transaction.rollback()


@dataclass(frozen=True)
class Crime:
    """What is done to a chain at its third place; `{entries}`, `{seals}` and `{key}` are its tables."""

    fault: Fault
    what: str
    statements: tuple[str, ...]
    position: int | None = 3
    others: frozenset[Fault] = frozenset()


AT = "(SELECT {key} FROM {seals} WHERE position = %d)"
RENUMBER = "UPDATE {seals} SET position = %s WHERE position %s"


def crime(fault: Fault, what: str, *statements: str, **rest: Any) -> Crime:
    return Crime(fault, what, statements, **rest)


TAKEN_OUT = (f"DELETE FROM {{entries}} WHERE id = {AT % 3}", "DELETE FROM {seals} WHERE position = 3")

CRIMES = (
    crime(
        Fault.EDITED,
        "an entry dated back by a second",
        f"UPDATE {{entries}} SET {{at}} = {{at}} - interval '1 second' WHERE id = {AT % 3}",
    ),
    crime(Fault.SEAL_EDITED, "a seal forged", "UPDATE {seals} SET hash = sha256('forged') WHERE position = 3"),
    crime(Fault.MISSING, "an entry deleted", f"DELETE FROM {{entries}} WHERE id = {AT % 3}"),
    crime(Fault.GAP, "an entry deleted with its seal", *TAKEN_OUT),
    crime(
        Fault.GAP,
        "the first entry deleted with its seal",
        f"DELETE FROM {{entries}} WHERE id = {AT % 1}",
        "DELETE FROM {seals} WHERE position = 1",
        position=1,
    ),
    crime(
        Fault.EDITED,
        "an entry deleted and the rest renumbered",
        *TAKEN_OUT,
        RENUMBER % ("-position", "> 3"),
        RENUMBER % ("-position - 1", "< 0"),
        others=frozenset({Fault.RENUMBERED}),
    ),
    crime(
        Fault.REORDERED,
        "two entries exchanged under their seals",
        "ALTER TABLE {seals} DROP CONSTRAINT uq_{seals}_{key}",
        "UPDATE {seals} s SET {key} = (SELECT o.{key} FROM {seals} o WHERE o.position = 5 - s.position) "
        "WHERE position IN (2, 3)",
    ),
    crime(
        Fault.REORDERED,
        "two entries exchanged with their seals",
        "UPDATE {seals} SET position = -position WHERE position IN (2, 3)",
        RENUMBER % ("5 + position", "< 0"),
    ),
    crime(
        Fault.UNSEALED,
        "an entry slipped in, dated back",
        "UPDATE {entries} SET recorded_at = recorded_at - interval '2 hours' WHERE id = (SELECT e.id FROM {entries} e "
        "WHERE NOT EXISTS (SELECT FROM {seals} s WHERE s.{key} = e.id) LIMIT 1)",
        position=None,
    ),
)


def of(names: Names, statements: tuple[str, ...]) -> list[str]:
    said = vars(names) | {"at": "happened_at" if names is AUDIT else "effective_at"}
    return [each.format(**said) for each in statements]


def faults(found: list[Finding], names: Names) -> set[Fault]:
    return {each.fault for each in found if each.chain == names.chain}


async def test_an_honest_town_has_no_findings(watched: Watched, intruder: AsyncConnection) -> None:
    assert await watched.findings(intruder) == []
    for names in (AUDIT, LEDGER):
        sealed = await intruder.execute(text(f"SELECT count(*) FROM {names.seals}"))
        assert sealed.scalar_one() >= 8
    assert len(watched.path.read_text().splitlines()) == 4


@pytest.mark.parametrize("names", [AUDIT, LEDGER], ids=["audit", "ledger"])
@pytest.mark.parametrize("each", CRIMES, ids=[f"{each.fault}: {each.what}" for each in CRIMES])
async def test_every_alteration_is_found_and_its_entry_named(
    each: Crime, names: Names, watched: Watched, intruder: AsyncConnection
) -> None:
    await watched.town.grant(await watched.town.resident(), 100)  # not sealed yet
    at = f"SELECT {names.key} FROM {names.seals} WHERE position = 3"
    before = (await intruder.execute(text(at))).scalar_one()
    await tamper(intruder, *of(names, each.statements))
    found = await watched.findings(intruder)
    assert faults(found, names) == {each.fault} | each.others
    assert {one.chain for one in found} == {names.chain}
    assert each.position is None or any(one.fault == each.fault and one.position == each.position for one in found)
    if each.fault in {Fault.EDITED, Fault.SEAL_EDITED, Fault.MISSING} and not each.others:
        assert [one.entry_id for one in found] == [before]


@pytest.mark.parametrize("names", [AUDIT, LEDGER], ids=["audit", "ledger"])
async def test_a_cut_tail_is_found_by_its_anchor_and_by_nothing_else(
    names: Names, watched: Watched, intruder: AsyncConnection
) -> None:
    cut = (
        f"DELETE FROM {names.entries} WHERE id IN (SELECT {names.key} FROM {names.seals} WHERE position > 6)",
        f"DELETE FROM {names.seals} WHERE position > 6",
    )
    await tamper(intruder, *cut)
    [found] = await watched.findings(intruder)
    assert (found.fault, found.chain, found.position) == (Fault.TAIL_CUT, names.chain, 6)
    assert found.params["anchored"] > 6  # type: ignore[operator]


async def test_a_chain_laid_anew_is_found_by_its_anchor(watched: Watched, intruder: AsyncConnection) -> None:
    """Somebody alters an entry and computes every seal from there on as the sealer would."""
    await tamper(
        intruder, "UPDATE audit_entry SET action = 'points.lent' WHERE id = (SELECT entry_id FROM audit_seal "
        "WHERE position = 2)"
    )  # fmt: skip
    previous = b""
    links: list[Any] = list(await intruder.exec_driver_sql(verifying.AUDIT, (0, 1_000)))
    for link in links:
        previous = hashlib.sha256(previous + link[4].encode()).digest()
        await intruder.exec_driver_sql("UPDATE audit_seal SET hash = $1 WHERE position = $2", (previous, link[0]))
    [found] = await watched.findings(intruder)
    assert (found.fault, found.chain) == (Fault.REPLACED, "audit")
    assert found.params["anchored"] == found.position


async def test_an_entry_that_was_sealed_long_after_those_of_its_time_is_found(
    watched: Watched, intruder: AsyncConnection
) -> None:
    """Slipped in and then sealed by the honest sealer: the chain holds, but not in time."""
    walk = Walk("audit", ())
    rows: list[Any] = list(await intruder.exec_driver_sql(verifying.AUDIT, (0, 1_000)))
    for row in rows:
        recorded_at = row[3] - timedelta(days=1) if row[0] == 5 else row[3]
        walk.take(Link(row[0], row[1], bytes(row[2]), recorded_at, row[4]))
    assert [(each.fault, each.position) for each in walk.findings()] == [(Fault.BACKDATED, 5)]


async def test_a_line_altered_in_the_file_is_found(watched: Watched, intruder: AsyncConnection) -> None:
    lines = watched.path.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace('"entries":', '"entries":1')
    watched.path.write_text("".join(lines))
    found = await watched.findings(intruder)
    assert {each.fault for each in found} == {Fault.ANCHOR_LINE_INVALID, Fault.ANCHOR_MISSING}
    assert [each.position for each in found if each.fault is Fault.ANCHOR_LINE_INVALID] == [2]


async def test_a_line_signed_with_another_key_is_found(
    watched: Watched, intruder: AsyncConnection, engine: AsyncEngine, tmp_path: Path
) -> None:
    stranger = Watched(engine, tmp_path / "elsewhere")
    await stranger.anchor()
    watched.path.write_text(watched.path.read_text() + stranger.path.read_text())
    assert Fault.ANCHOR_LINE_INVALID in {each.fault for each in await watched.findings(intruder)}


@pytest.mark.parametrize("line", [0, 1, 3])
async def test_a_line_taken_out_is_found(line: int, watched: Watched, intruder: AsyncConnection) -> None:
    """The last one too: the database remembers what was anchored."""
    lines = watched.path.read_text().splitlines(keepends=True)
    watched.path.write_text("".join(lines[:line] + lines[line + 1 :]))
    found = await watched.findings(intruder)
    missing = [each for each in found if each.fault is Fault.ANCHOR_MISSING]
    assert [each.params["line"] for each in missing] == [line + 1]
    assert (Fault.ANCHOR_LINES_BROKEN in {each.fault for each in found}) == (line < 3)


async def test_lines_exchanged_are_found(watched: Watched, intruder: AsyncConnection) -> None:
    lines = watched.path.read_text().splitlines(keepends=True)
    watched.path.write_text("".join([lines[1], lines[0], *lines[2:]]))
    assert {each.fault for each in await watched.findings(intruder)} == {Fault.ANCHOR_LINES_BROKEN}


async def test_a_file_that_is_gone_is_found(watched: Watched, intruder: AsyncConnection) -> None:
    watched.path.unlink()
    found = await watched.findings(intruder)
    assert {each.fault for each in found} == {Fault.ANCHOR_FILE_MISSING, Fault.ANCHOR_MISSING}


async def test_a_tail_cut_with_every_note_of_it_is_found_while_the_file_is_whole(
    watched: Watched, intruder: AsyncConnection
) -> None:
    await tamper(
        intruder,
        "DELETE FROM chain_anchor",
        "DELETE FROM audit_entry WHERE id IN (SELECT entry_id FROM audit_seal WHERE position > 6)",
        "DELETE FROM audit_seal WHERE position > 6",
    )
    assert {each.fault for each in await watched.findings(intruder)} == {Fault.TAIL_CUT}


async def test_chains_that_nobody_anchors_are_told(watched: Watched, intruder: AsyncConnection) -> None:
    """No file, no note of it, and entries that are hours old."""
    watched.path.write_text("")
    aged = "recorded_at = recorded_at - interval '2 hours'"
    await tamper(
        intruder, "DELETE FROM chain_anchor", f"UPDATE ledger_journal SET {aged}", f"UPDATE audit_entry SET {aged}"
    )
    found = await watched.findings(intruder)
    assert {(each.fault, each.chain) for each in found if each.fault is not Fault.EDITED} == {
        (Fault.ANCHORS_BEHIND, "audit"),
        (Fault.ANCHORS_BEHIND, "ledger"),
    }


async def test_pages_end_anywhere(watched: Watched, intruder: AsyncConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "PAGE", 3)
    assert await watched.findings(intruder) == []
    await tamper(intruder, "UPDATE audit_seal SET hash = sha256('forged') WHERE position = 3")
    [found] = await watched.findings(intruder)
    assert (found.fault, found.position) == (Fault.SEAL_EDITED, 3)


def test_a_log_that_is_wrong_everywhere_is_counted_and_not_listed() -> None:
    walk = Walk("audit", ())
    for position in range(1, 3 * MOST_FINDINGS):
        walk.take(Link(position, verifying._id("0" * 32), b"no seal", None, "an entry"))
    found = walk.findings()
    assert len(found) == MOST_FINDINGS
    assert walk.total == 3 * MOST_FINDINGS - 1
