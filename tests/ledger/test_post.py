"""Posting: whole journals or none; unbalanced ones are refused twice over, and nothing written is altered."""

from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx, broken_constraint, sqlstate
from services.ledger.chart import Account
from services.ledger.journal import Journal, JournalKind, Posting, Unbalanced, entry
from services.ledger.post import MAX_JOURNALS, post, reverse
from services.ledger.read import balance
from services.ledger.seal import seal
from tests.town import Town

PROGRAMME, STORE = UUID(int=1), UUID(int=2)
HEAD = """
INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at) VALUES (:id, :p, 'correction', :d, now())
"""
LINE = "INSERT INTO ledger_posting VALUES (:id, :line, :account, NULL, :yen)"
SEEDS = count()


def bought(yen: int, deed_id: UUID | None = None) -> Journal:
    postings = (Posting(Account.CASH_RECEIVABLE, yen), Posting(Account.SUSPENSE, -yen))
    return entry(PROGRAMME, JournalKind.LATE_MONEY, deed_id or uuid4(), postings)


async def written(engine: AsyncEngine) -> tuple[int, int]:
    async with engine.connect() as connection:
        counts = "SELECT (SELECT count(*) FROM ledger_journal), (SELECT count(*) FROM ledger_posting)"
        row = (await connection.execute(text(counts))).one()
        return row[0], row[1]


async def test_journals_of_one_deed_are_written_together_at_its_instant(engine: AsyncEngine) -> None:
    town, deed = Town(engine), uuid4()

    async def two(tx: Tx, _: None) -> None:
        found = await post(tx, [bought(100, deed), bought(20, deed)])
        assert len({each.id for each in found}) == 2

    await town.do(two, None)
    assert await written(engine) == (2, 4)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT DISTINCT effective_at, recorded_at <> effective_at FROM ledger_journal")
        )
        assert {row[0] for row in rows} == {town.clock.now()}


async def test_one_wrong_journal_keeps_all_of_them_out(engine: AsyncEngine) -> None:
    wrong = Journal(
        PROGRAMME, JournalKind.CORRECTION, uuid4(), (Posting(Account.BANK, 5), Posting(Account.SUSPENSE, -4))
    )
    with pytest.raises(Unbalanced) as caught:
        await Town(engine).do(post, [bought(100), wrong])
    assert caught.value.params == {"kind": "correction", "difference_yen": 1}
    assert await written(engine) == (0, 0)


async def test_no_journals_are_no_statement(engine: AsyncEngine) -> None:
    assert await Town(engine).do(post, []) == []
    assert await written(engine) == (0, 0)


async def test_a_statement_has_a_limit(engine: AsyncEngine) -> None:
    one = bought(1)
    with pytest.raises(ValueError, match="too many"):
        await Town(engine).do(post, [one] * (MAX_JOURNALS + 1))
    assert await written(engine) == (0, 0)


async def test_the_trigger_refuses_unbalanced_postings_whoever_writes_them(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    for one in (engine, migrator_engine):
        for yen in ((7,), (7, -6), (7, -7, 1)):
            with pytest.raises(DBAPIError) as caught:
                async with one.begin() as connection:
                    ids = {"id": uuid4(), "p": PROGRAMME, "d": uuid4()}
                    await connection.execute(text(HEAD), ids)
                    values = ", ".join(f"('{ids['id']}', {n}, 'bank', NULL, {y})" for n, y in enumerate(yen))
                    await connection.execute(text(f"INSERT INTO ledger_posting VALUES {values}"))
            assert sqlstate(caught.value) == "23514"
            assert broken_constraint(caught.value) == "ledger_zero_sum"
    assert await written(engine) == (0, 0)


async def test_a_journal_never_arrives_in_two_halves(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        ids = {"id": uuid4(), "p": PROGRAMME, "d": uuid4()}
        await connection.execute(text(HEAD), ids)
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text(LINE), {"id": ids["id"], "line": 1, "account": "bank", "yen": 9})
        assert broken_constraint(caught.value) == "ledger_zero_sum"


async def test_one_unbalanced_journal_among_balanced_ones_is_found(engine: AsyncEngine) -> None:
    journals = [uuid4() for _ in range(50)]
    lines = [(each, 1, 3) for each in journals] + [(each, 2, -3) for each in journals[1:]] + [(journals[0], 2, -2)]
    values = ", ".join(f"('{each}', {line}, 'bank', NULL, {yen})" for each, line, yen in lines)
    with pytest.raises(DBAPIError) as caught:
        async with engine.begin() as connection:
            await connection.execute(text(f"INSERT INTO ledger_posting VALUES {values}"))
    assert broken_constraint(caught.value) == "ledger_zero_sum"
    assert await written(engine) == (0, 0)


@pytest.mark.parametrize(
    ("line", "constraint"),
    [
        ("1, 'bank', NULL, 0", "ck_ledger_posting_amount"),
        ("1, 'gold', NULL, 5", "ck_ledger_posting_account"),
        ("1, 'bank', gen_random_uuid(), 5", "ck_ledger_posting_owner"),
        ("1, 'wallet_paid', NULL, 5", "ck_ledger_posting_owner"),
    ],
)
async def test_a_posting_that_says_nothing_or_names_nobody_is_refused(
    engine: AsyncEngine, line: str, constraint: str
) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with engine.begin() as connection:
            await connection.execute(text(f"INSERT INTO ledger_posting VALUES (gen_random_uuid(), {line})"))
    assert broken_constraint(caught.value) == constraint


@pytest.mark.parametrize("table", ["ledger_journal", "ledger_posting", "ledger_seal"])
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
async def test_what_is_written_is_never_altered_by_the_application_nor_by_its_owner(
    engine: AsyncEngine, migrator_engine: AsyncEngine, table: str, verb: str
) -> None:
    town = Town(engine)
    await town.do(post, [bought(100)])
    await town.do(seal, 10)
    column = "position = position" if table == "ledger_seal" else "kind = kind"
    column = "line = line" if table == "ledger_posting" else column
    statement = {
        "UPDATE": f"UPDATE {table} SET {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[verb]
    for one in (engine, migrator_engine):
        with pytest.raises(DBAPIError) as caught:
            async with one.begin() as connection:
                await connection.execute(text(statement))
        assert sqlstate(caught.value) == "42501"
    assert await written(engine) == (1, 2)


async def test_a_reversal_brings_every_account_back_and_keeps_both_journals(engine: AsyncEngine) -> None:
    town, deed, undone = Town(engine), uuid4(), uuid4()
    await town.do(post, [bought(100, deed), bought(20, deed), bought(7)])

    async def undo(tx: Tx, _: None) -> int:
        return len(await reverse(tx, deed, JournalKind.CORRECTION, undone))

    assert await town.do(undo, None) == 2
    assert await written(engine) == (5, 10)
    assert await town.do(lambda tx, _: balance(tx, Account.CASH_RECEIVABLE), None) == 7
    assert await town.do(lambda tx, _: balance(tx, Account.SUSPENSE), None) == -7


async def test_a_deed_is_reversed_once(engine: AsyncEngine) -> None:
    town, deed = Town(engine), uuid4()
    await town.do(post, [bought(100, deed)])

    async def undo(tx: Tx, _: None) -> None:
        await reverse(tx, deed, JournalKind.CORRECTION, uuid4())

    await town.do(undo, None)
    with pytest.raises(IntegrityError) as caught:
        await town.do(undo, None)
    assert broken_constraint(caught.value) == "uq_ledger_journal_reverses_id"
    assert await written(engine) == (2, 4)


async def test_a_deed_that_wrote_nothing_cannot_be_reversed(engine: AsyncEngine) -> None:
    async def undo(tx: Tx, _: None) -> None:
        await reverse(tx, uuid4(), JournalKind.CORRECTION, uuid4())

    with pytest.raises(Unbalanced):
        await Town(engine).do(undo, None)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=20))
async def test_whatever_is_posted_all_accounts_together_hold_nothing(engine: AsyncEngine, amounts: list[int]) -> None:
    town = Town(engine, seed=next(SEEDS))
    await town.do(post, [bought(yen) for yen in amounts])
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT sum(amount_yen) FROM ledger_posting"))).scalar_one() == 0


async def test_the_chain_seals_every_journal_once_and_finds_each_again(engine: AsyncEngine) -> None:
    town = Town(engine)
    for yen in range(1, 8):
        await town.do(post, [bought(yen)])
    assert [await town.do(seal, 3) for _ in range(4)] == [3, 3, 1, 0]
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT position, hash FROM ledger_seal ORDER BY position"))).all()
    assert [row[0] for row in rows] == list(range(1, 8))
    assert len({bytes(row[1]) for row in rows}) == 7
