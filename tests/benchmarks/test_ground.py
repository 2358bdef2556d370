"""The benchmarks' ground is a lawful town, its people are known beforehand, and a template is whole or not there."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.benchmarks import ground as benches
from infra.benchmarks import history, masses, past_sql
from infra.benchmarks.ground import NotLawful, Plan, clone, drop, ground, template
from infra.benchmarks.loading import CatalogueDiffers
from infra.database.migrate import create_database, named
from infra.database.provision import DatabaseHandle
from infra.phone import SandboxPhone
from services.kit.clock import OffsetClock, civil_date
from services.kit.db import Database
from services.kit.ids import SecretEntropy
from services.kit.numbers import parse_number
from services.payments.order import PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store
from services.payments.payment import Receipt
from services.proof.proof import Proof
from services.proof.prove import prove
from services.wallets.allocation import Ceiling, Taken, allocate
from services.wallets.lots import Lot, Origin

PAYERS, TILLS, POSTINGS = 60, 12, 2_000

R = TypeVar("R")

NOTHING_TO_SEE = {
    "deeds_of_care_fall_within_it",
    "merges_are_approved",
    "merged_wallets_are_empty",
    "moved_lots_keep_their_terms",
    "moves_are_between_places",
    "caps_count_together",
    "moves_have_journals",
    "reversals_mirror",
    "seals_chain",
    "seals_have_no_gap",
    "late_money_is_held_as_it_came",
    "grants_issue_lots",
    "expiries_have_journals",
    "returns_have_legs",
    "returned_never_exceeds_paid",
    "returned_counters",
    "lots_get_back_what_they_gave",
    "cancels_are_of_the_day",
    "claims_belong",
    "statements_count_their_claims",
    "statements_charge_their_rates",
    "statements_resolve",
    "statements_carry_on",
    "closes_are_posted",
    "payouts_due",
    "stores_owe",
    "payouts_are_posted",
    "money_in_is_posted",
    "grant_receivable_yen",
    "bank_yen",
    "bank_clearing_yen",
    "suspense_yen",
    "breakage_yen",
    "fee_income_yen",
    "fee_tax_yen",
    "bank_files_are_as_fixed",
    "bank_files_have_two_officers",
    "bank_files_sum_their_transfers",
    "transfers_pay_statements",
    "payouts_happen_once",
    "bank_files_add_up",
    "bank_files_name_their_transfers",
    "bank_files_yen",
}
"""Laws of what the ground has none of: care, merges, returns, grants, expiry, seals, settlement."""


def apart(step: Coroutine[Any, Any, R]) -> R:
    """Run on a loop and a thread of its own: a module's fixture must not touch the tests' loops."""
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, step).result()


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the builder told while it built."""
    return []


@pytest.fixture(scope="module")
def town(database_server: DatabaseHandle, said: list[str]) -> Iterator[str]:
    """A template with a history."""
    name = apart(template(database_server, payers=PAYERS, tills=TILLS, postings=POSTINGS, tell=said.append))
    yield name
    apart(drop(database_server, name))


@pytest.fixture
async def copy(database_server: DatabaseHandle, town: str) -> AsyncIterator[DatabaseHandle]:
    name = f"bench_copy_{token_hex(4)}"
    yield await clone(database_server, town, name)
    await drop(database_server, name)


async def bare_template(server: DatabaseHandle, postings: int = 0) -> str:
    """The smallest town that has everything."""
    return await template(server, payers=3, tills=2, postings=postings, tell=lambda _: None)


async def ask(handle: DatabaseHandle, question: str) -> Sequence[Any]:
    engine = handle.migrator_engine()
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text(question))).all()
    finally:
        await engine.dispose()


async def proof_of(handle: DatabaseHandle) -> Proof:
    engine = handle.app_engine()
    try:
        async with Database(engine, OffsetClock(), SecretEntropy()).begin() as tx:
            return await prove(tx)
    finally:
        await engine.dispose()


async def databases(server: DatabaseHandle) -> dict[str, int]:
    return {row[0]: row[1] for row in await ask(server, "SELECT datname, oid FROM pg_database")}


async def test_every_law_holds_and_looked_at_something(copy: DatabaseHandle) -> None:
    proof = await proof_of(copy)
    assert proof.clean, proof.broken
    assert {check.name for check in proof.checks if not check.expected} <= NOTHING_TO_SEE


async def test_the_people_are_the_ones_in_the_database(copy: DatabaseHandle) -> None:
    people = ground(PAYERS, TILLS)
    residents = await ask(
        copy,
        "SELECT a.account_id, w.id, d.id, d.public_jwk FROM device d JOIN wallet w ON w.id = d.wallet_id "
        "JOIN account_acts_for a ON a.person_id = w.person_id AND a.account_id = d.account_id ORDER BY d.id",
    )
    expected = [(p.account_id, p.wallet_id, p.device_id, SandboxPhone(p.secret).public_jwk()) for p in people.payers]
    assert [tuple(row) for row in residents][:PAYERS] == expected
    clerks = await ask(
        copy,
        "SELECT s.id, s.code, m.account_id FROM store s JOIN store_member m ON m.store_id = s.id ORDER BY s.id",
    )
    assert [tuple(row) for row in clerks][:TILLS] == [
        (till.store_id, till.store_code, till.clerk_account_id) for till in people.tills
    ]


def test_the_people_follow_from_the_sizes_alone() -> None:
    people = ground(PAYERS, TILLS)
    assert ground(PAYERS, TILLS) == people
    ids = [payer.account_id for payer in people.payers]
    assert ids == sorted(ids)
    assert all(each.version == 7 for each in ids)
    assert len({payer.secret for payer in people.payers}) == PAYERS
    assert all(parse_number(till.store_code, prefix="S") == till.store_code for till in people.tills)
    with pytest.raises(ValueError, match="payers"):
        ground(0, TILLS)


async def test_a_resident_pays_by_code_and_by_the_stores_code(copy: DatabaseHandle) -> None:
    people = ground(PAYERS, TILLS)
    payer, till = people.payers[7], people.tills[3]
    engine = copy.app_engine()
    try:
        clock = OffsetClock()
        database = Database(engine, clock, SecretEntropy())
        code = SandboxPhone(payer.secret).pay_code(payer.wallet_id, payer.device_id, clock.now(), uuid4())
        shown = await database.transact(pay_by_code, PayByCode(till.clerk_account_id, till.store_id, code, 500))
        read = await database.transact(pay_store, PayStore(payer.account_id, payer.wallet_id, till.store_code, 1))
    finally:
        await engine.dispose()
    assert shown.balance_after_yen - read.balance_after_yen == 1
    proof = await proof_of(copy)
    assert proof.clean, proof.broken


async def test_everybody_has_a_purchases_worth_left_for_every_store(copy: DatabaseHandle) -> None:
    left = await ask(
        copy,
        "SELECT min(yen) FROM (SELECT sum(paid_yen + premium_yen) AS yen FROM lot "
        "WHERE store_classes LIKE '%large%' GROUP BY wallet_id) x",
    )
    assert left[0][0] >= history.COMMON_LOT_YEN


@pytest.fixture
async def spent_low(database_server: DatabaseHandle, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DatabaseHandle]:
    """Residents who bought so little for so much that small stores reach into the common purse, too."""
    monkeypatch.setattr(history, "purchases_each", lambda *_: 2)
    name = await template(database_server, payers=12, tills=12, postings=10_800, tell=lambda _: None)
    copied = f"bench_copy_{token_hex(4)}"
    yield await clone(database_server, name, copied)
    await drop(database_server, copied)
    await drop(database_server, name)


async def test_the_history_took_what_the_allocator_would_have_taken(spent_low: DatabaseHandle) -> None:
    wallets: dict[UUID, dict[UUID, Lot]] = defaultdict(dict)
    for row in await ask(spent_low, f"SELECT {', '.join(Lot.__dataclass_fields__)} FROM lot"):
        lot = Lot(**row._mapping)
        wallets[lot.wallet_id][lot.id] = replace(
            lot,
            paid_yen=lot.paid_issued_yen,
            premium_yen=lot.premium_issued_yen,
            store_classes=tuple(row.store_classes.split(",")),
            origin=Origin(row.origin),
        )
    payments = await ask(
        spent_low,
        "SELECT p.wallet_id, p.amount_yen, p.balance_after_yen, p.effective_at, s.store_class, "
        "(SELECT json_agg(json_build_array(a.lot_id, a.paid_yen, a.premium_yen) ORDER BY a.turn) "
        "FROM payment_leg l JOIN payment_allocation a ON a.leg_id = l.id "
        "WHERE l.payment_id = p.id AND l.kind = 'payment') "
        "FROM payment p JOIN store s ON s.id = p.store_id ORDER BY p.id",
    )
    assert len(payments) == 3_600
    reached: Counter[tuple[str, ...]] = Counter()
    for wallet_id, amount_yen, balance_after_yen, now, store_class, parts in payments:
        lots = wallets[wallet_id]
        programme_id = next(iter(lots.values())).programme_id
        taken = allocate(list(lots.values()), amount_yen, store_class, now, {programme_id: Ceiling(10**9, 10**9)})
        assert isinstance(taken, Taken)
        assert [[str(part.lot_id), part.paid_yen, part.premium_yen] for part in taken.parts] == parts
        for part in taken.parts:
            lot = lots[part.lot_id]
            lots[lot.id] = replace(
                lot, paid_yen=lot.paid_yen - part.paid_yen, premium_yen=lot.premium_yen - part.premium_yen
            )
        assert sum(lot.remaining_yen for lot in lots.values()) == balance_after_yen
        reached[tuple(lots[part.lot_id].purse for part in taken.parts)] += 1
    assert reached.keys() == {
        ("small",),
        ("common",),
        ("small", "small"),
        ("small", "common"),
        ("common", "common"),
    }


async def test_the_history_has_real_lifes_ids_numbers_and_deeds(copy: DatabaseHandle) -> None:
    rows = await ask(
        copy,
        "SELECT p.id, p.number, p.effective_at, l.id, j.id, j.recorded_at, d.key, d.result, p.mode, p.amount_yen "
        "FROM payment p JOIN payment_leg l ON l.deed_id = p.id JOIN ledger_journal j ON j.deed_id = p.id "
        "JOIN deed d ON d.result->>'payment_id' = p.id::text AND d.account_id = p.acted_by ORDER BY p.effective_at",
    )
    assert len(rows) == history.payments_of(POSTINGS)
    assert len({each.int & (1 << 60) - 1 for each in (row[0] for row in rows)}) == len(rows)
    for payment_id, number, at, leg_id, journal_id, recorded_at, key, result, mode, amount_yen in rows:
        assert parse_number(number, prefix="P") == number
        for each in (payment_id, leg_id, journal_id, key):
            assert each.version == 7
            assert each.int >> 80 == at.timestamp() * 1_000
        assert recorded_at == at
        assert (result["number"], result["mode"], result["amount_yen"]) == (number, mode, amount_yen)
        if mode == "mpm":
            receipt = msgspec.convert(result, Receipt)
            assert sum(part.yen for part in receipt.parts) == amount_yen
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert len({row[1] for row in rows}) == len(rows)


async def test_stores_are_paid_by_zipfs_law(copy: DatabaseHandle) -> None:
    paid = {row[0]: row[1] for row in await ask(copy, "SELECT store_id, count(*) FROM payment GROUP BY store_id")}
    stores = [paid[till.store_id] for till in ground(PAYERS, TILLS).tills]
    assert stores[0] > stores[1] > stores[2] > max(stores[3:])


def test_progress_is_told_in_per_cent(town: str, said: list[str]) -> None:
    percent = [int(found[1]) for each in said if (found := re.search(r"(\d+) %", each))]
    assert percent == sorted(percent)
    assert 0 <= percent[0] < percent[-1] <= 100


async def test_a_template_is_reused(database_server: DatabaseHandle, town: str) -> None:
    before = await databases(database_server)
    told: list[str] = []
    again = await template(database_server, payers=PAYERS, tills=TILLS, postings=POSTINGS, tell=told.append)
    assert again == town
    assert (await databases(database_server))[town] == before[town]
    assert not told


async def test_nobody_connects_to_a_template(database_server: DatabaseHandle, town: str) -> None:
    inside = replace(database_server, migrator_url=named(database_server.migrator_url, town))
    with pytest.raises(DBAPIError, match="not currently accepting connections"):
        await ask(inside, "SELECT 1")


async def test_a_half_built_template_is_built_anew(
    database_server: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(masses, "sell", cut)
        with pytest.raises(ConnectionError):
            await bare_template(database_server)
    plan = Plan(3, 2, 0, civil_date(datetime.now(UTC)).year)
    assert plan.name not in await databases(database_server)
    stale = "tanabata_bench_00000000_00000000"
    await create_database(database_server.migrator_url, stale)
    name = await bare_template(database_server)
    found = await databases(database_server)
    assert name in found
    assert stale not in found
    assert not [each for each in found if each.endswith(benches.UNFINISHED)]
    await drop(database_server, name)


async def test_an_unlawful_ground_is_no_template(
    database_server: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_sql, "LOTS_ARE_SPENT", ())
    with pytest.raises(NotLawful, match="lots_paid"):
        await bare_template(database_server, postings=30)


async def test_an_index_that_does_not_come_back_is_missed(
    database_server: DatabaseHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget(*_: object) -> None:
        """Put nothing back."""

    monkeypatch.setattr(history, "_put_back", forget)
    with pytest.raises(CatalogueDiffers, match=r"index deed\.pk_deed"):
        await bare_template(database_server, postings=30)


def test_a_templates_name_tells_apart_whatever_decides_its_content() -> None:
    plan = Plan(PAYERS, TILLS, POSTINGS, 2026)
    others = [replace(plan, payers=61), replace(plan, tills=6), replace(plan, postings=0), replace(plan, year=2027)]
    assert len({each.name for each in [plan, *others]}) == 5
    assert {each.edition for each in others[:3]} == {plan.edition}
    assert others[3].edition != plan.edition
