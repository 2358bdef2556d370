"""An incremental proof finds what is wrong with what is new, and calls nothing wrong that is not.

`docs/algorithms/proof.md` says what it promises; the two lists here are what it does not.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.database.provision import DatabaseHandle
from services.kit.clock import OffsetClock
from services.kit.db import Database, Tx
from services.kit.ids import SeededEntropy
from services.proof.prove import audit, prove
from services.proof.since import MARGIN, first_id
from tests.proof.bookkeeper import Bookkeeper, tokyo
from tests.proof.corruption import AFTER, Corruption, one
from tests.proof.test_prove import ALL
from tests.proof.world import BEFORE, build
from tests.proof.written import read_rows, written_at

NOT_ASKED = (
    "points_issued_are_accounted_for",
    "stores_are_owed_unclaimed_legs",
    *("cash_receivable_yen", "funder_receivable_yen", "grant_receivable_yen", "bank_yen", "bank_clearing_yen"),
    *("suspense_yen", "breakage_yen", "fee_income_yen", "fee_tax_yen"),
)
"""Totals over a programme or a store: part of the rows says nothing about them."""

REWRITTEN = {
    *("a posting one yen larger", "the lines of a journal renumbered around a gap"),
    *("a journal deleted, its postings left", "a journal of a programme that never was"),
    *("a lot's value moved within another programme's journal", "a debt to a store that never was"),
    *("a reversal of two yen less, balanced in itself", "a reversal of nothing"),
    *("a sealed journal dated back one second", "two lines of a sealed journal exchanged"),
    *("a seal forged", "a seal taken out", "a journal slipped in behind the seals"),
    *("two purchases exchange their journals", "late money that was never booked as returned"),
    *("a grant larger than its lot", "a lot that nobody granted", "a grant in another purse"),
    *("an expiry of one yen more premium and one less paid", "an expiry deleted"),
    *("a payment of one yen more than its legs", "a payer that never was", "a store that is gone"),
    *("a refund of one yen more than its legs", "a refund that calls itself a cancel"),
    *("a leg that says more than its lots gave", "two lots taken at the same turn"),
    *("a payment from somebody else's lot", "refunds of more than was paid"),
    *("a refund that turns premium into paid points", "a cancel on the next day"),
    *("a pay code's use forgotten", "a second code for one payment", "a register's code of another amount"),
    "a register's code that asked somebody else",
    *("a payment never posted", "a payment owed to another store"),
    *("a move of more than its journal", "a move that nobody wrote down", "a journal of a move that was a gift"),
    "paid points posted where premium points were taken",
    *("a leg from after the cut-off", "a leg on another store's statement"),
    *("a statement that counts a payment too many", "a statement that moves a cancel to the refunds"),
}
"""Old rows of tables that are written once, altered or taken away, which no application's role may do."""

GONE = {"a lot whose account stays behind", "a cap counter gone", "a counter gone"}
"""Old rows that live on, taken away, which no application's role may do: nothing is left to be new."""

PAST_DAYS = {"a day's counter set back", "a day's counter gone"}
"""Counters of a day that is over; no deed looks at them again."""

UNSEEN = REWRITTEN | GONE | PAST_DAYS
ASKED = [each for each in ALL if each.law not in NOT_ASKED]


@pytest.mark.parametrize("corruption", ASKED, ids=[f"{each.law}: {each.what}" for each in ASKED])
async def test_what_is_corrupted_since_is_found(corruption: Corruption, intruder: Tx) -> None:
    """The first row that was corrupted is as old as may be: its deed took the whole margin. The same law turns red."""
    before = await read_rows(intruder)
    for statement in corruption.statements:
        await intruder.connection.exec_driver_sql(statement)
    changed = before ^ await read_rows(intruder)
    began = min((written_at(table, key) for table, key, _ in changed), default=AFTER)
    proof = await audit(intruder, began + MARGIN)
    assert corruption.law in {check.name for check in proof.broken}


@pytest.mark.parametrize("corruption", ASKED, ids=[f"{each.law}: {each.what}" for each in ASKED])
async def test_what_is_done_to_old_rows_is_seen_where_rows_live_on(corruption: Corruption, intruder: Tx) -> None:
    """All rows are older than `since`, and are corrupted now: seen but for the corruptions that are listed above."""
    for statement in corruption.statements:
        await intruder.connection.exec_driver_sql(statement)
    proof = await audit(intruder, AFTER)
    assert (corruption.law in {check.name for check in proof.broken}) == (corruption.what not in UNSEEN)


def test_every_corruption_that_is_listed_as_unseen_is_one() -> None:
    assert {each.what for each in ASKED} >= UNSEEN


@pytest.fixture
async def onlooker(town_database: DatabaseHandle) -> AsyncIterator[Database]:
    engine = town_database.app_engine()
    yield Database(engine, OffsetClock(), SeededEntropy(1))
    await engine.dispose()


async def test_a_proof_says_what_it_did_not_ask(onlooker: Database) -> None:
    async with onlooker.begin() as tx:
        whole = await prove(tx)
    async with onlooker.begin() as tx:
        part = await prove(tx, BEFORE)
    assert (whole.since, whole.not_asked) == (None, ())
    assert (part.since, set(part.not_asked)) == (BEFORE, set(NOT_ASKED))
    assert [check.name for check in part.checks] == [
        check.name for check in whole.checks if check.name not in part.not_asked
    ]
    assert "not_asked" not in whole.plain()
    assert part.plain()["not_asked"] == list(part.not_asked)


async def test_since_before_everything_everything_is_asked(onlooker: Database) -> None:
    """Of each law that is asked, the rows that must hold are those of the whole proof, and they do."""
    async with onlooker.begin() as tx:
        whole = {check.name: check for check in (await prove(tx)).checks}
        part = await audit(tx, BEFORE)
    assert part.checks == tuple(whole[check.name] for check in part.checks)


async def test_since_the_last_deed_there_is_nothing_of_payments(onlooker: Database) -> None:
    async with onlooker.begin() as tx:
        asked = {check.name: check.expected for check in (await prove(tx, AFTER)).checks}
    for law in ("journals_balance", "lots_paid", "payments_have_legs", "legs_have_one_journal", "seals_chain"):
        assert asked[law] == 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(minutes=st.integers(0, 122 * 24 * 60), seconds=st.sampled_from([0, 1, 59]))
async def test_a_consistent_town_is_clean_since_any_instant(onlooker: Database, minutes: int, seconds: int) -> None:
    since = tokyo(3, 1) + timedelta(minutes=minutes, seconds=seconds)
    async with onlooker.begin() as tx:
        assert (await prove(tx, since)).broken == ()


async def test_a_consistent_town_is_clean_since_each_of_its_deeds(intruder: Tx) -> None:
    """A deed at the very edge of the margin is new, whole; one a millisecond older is not."""
    instants = {written_at(table, key) for table, key, _ in await read_rows(intruder)}
    for instant in sorted(instants):
        for edge in (timedelta(0), timedelta(milliseconds=1)):
            assert (await audit(intruder, instant + MARGIN + edge)).broken == ()


@pytest.mark.parametrize("shift_ms", [1, -1])
async def test_ids_of_one_deed_may_lie_on_both_sides_of_the_edge(shift_ms: int, intruder: Tx) -> None:
    """A journal whose id is a millisecond younger or older than its deed's: together they are in or out."""
    found = await intruder.connection.exec_driver_sql("SELECT id FROM ledger_journal")
    moved = [(UUID(int=id_.int + (shift_ms << 80)), id_) for id_ in found.scalars()]
    await intruder.connection.exec_driver_sql("DELETE FROM ledger_seal")
    for column in ("ledger_journal SET id", "ledger_journal SET reverses_id", "ledger_posting SET journal_id"):
        name = column.rpartition(" ")[2]
        await intruder.connection.exec_driver_sql(f"UPDATE {column} = $1 WHERE {name} = $2", moved)
    instants = {written_at("ledger_journal", str(new)) for new, _ in moved}
    assert (await audit(intruder)).broken == ()
    for instant in sorted(instants):
        edge = timedelta(0) if shift_ms > 0 else timedelta(milliseconds=1)
        assert (await audit(intruder, instant + MARGIN + edge)).broken == ()


@pytest.mark.parametrize(
    ("journals", "age"),
    [(100, MARGIN), (1, 2 * MARGIN)],
    ids=["a hundred deeds that were open beside it", "a forged one of long ago"],
)
async def test_what_is_altered_is_new_whatever_younger_transactions_record(
    journals: int, age: timedelta, database: DatabaseHandle
) -> None:
    """The alteration took its number first, and was not committed at the instant since which we ask."""
    engine = database.migrator_engine()
    async with engine.begin() as connection:
        await build().write(connection)
    book = Bookkeeper()
    ids = [str(book.new_id(AFTER - age - timedelta(seconds=1))) for _ in range(journals)]
    async with engine.connect() as slow, engine.connect() as quick, slow.begin():
        await slow.exec_driver_sql(f"UPDATE lot SET paid_yen = paid_yen - 1 WHERE {one('lot', 'paid_yen > 9')}")
        async with quick.begin():
            await quick.exec_driver_sql(
                "INSERT INTO ledger_journal SELECT made, j.programme_id, 'correction', made, NULL, j.effective_at, "
                f"j.recorded_at FROM unnest('{{{','.join(ids)}}}'::uuid[]) made, (TABLE ledger_journal LIMIT 1) j"
            )
    async with engine.connect() as connection:
        proof = await audit(Tx(connection, AFTER, SeededEntropy(1)), AFTER)
    await engine.dispose()
    assert "lots_paid" in {check.name for check in proof.broken}


def test_the_first_id_of_an_instant_is_the_standards() -> None:
    """The example of RFC 9562, appendix A.6: 2022-02-22 14:22:22.00 at UTC-5."""
    instant = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    assert str(first_id(instant)) == "017f22e2-79b0-0000-0000-000000000000"
    assert first_id(instant + timedelta(microseconds=999)) == first_id(instant)


async def test_an_instant_without_an_offset_is_refused(onlooker: Database) -> None:
    async with onlooker.begin() as tx:
        with pytest.raises(ValueError, match="offset"):
            await prove(tx, datetime(2026, 4, 1))  # noqa: DTZ001
