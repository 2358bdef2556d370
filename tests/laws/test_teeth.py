"""Teeth: with a guard taken away, the law's test fails.

`mutants.py` holds the guards of the program; each is taken away and its story through the state
machine must end in a failure. `GUARDED` holds guards that races and refusals rest on: the named
test itself is run without its guard, and must fail.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from services.campaigns import tables as campaigns
from services.kit import db, deeds
from services.kit import tables as kit
from services.kit.errors import Refusal
from services.ledger.chart import Account
from services.ledger.journal import JournalKind
from services.payments import agree
from services.payments.tables import reading, writing
from tests.campaigns import test_publish
from tests.kit import test_db, test_deeds
from tests.laws.machine import Laws
from tests.laws.mutants import MUTANTS
from tests.laws.stories import tell
from tests.ledger import test_post
from tests.payments import test_pay, test_pay_by_code
from tests.races import (
    contest,
    test_midnight,
    test_one_balance,
    test_one_code,
    test_same_deed,
    test_suspension,
)
from tests.town import Town
from tests.wallets import test_buy

FAILURE = (AssertionError, pytest.fail.Exception, DBAPIError, Refusal)


@pytest.mark.parametrize("mutant", sorted(MUTANTS))
def test_without_its_guard_the_story_fails(
    database_server: DatabaseHandle, template_database: str, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    found = MUTANTS[mutant]
    template = f"{template_database}_mutant"
    asyncio.run(_copy(database_server, template_database, template, found.statements))
    try:
        found.apply(monkeypatch)
        with pytest.raises(FAILURE):
            tell(type("Laws", (Laws,), {"server": database_server, "template": template}), found.story)
    finally:
        asyncio.run(drop_database(database_server.migrator_url, template))


async def _copy(server: DatabaseHandle, template: str, name: str, statements: tuple[str, ...]) -> None:
    """A database without some of its guards, for the story's own copies."""
    await create_database(server.migrator_url, name, template)
    if statements:
        url = named(server.migrator_url, name)
        engine = DatabaseHandle(url, url, server.schema).migrator_engine(pool_size=1)
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()


@dataclass(frozen=True)
class Guarded:
    """A named test, what is taken away from the program before it, and from the database."""

    test: Callable[..., Awaitable[None]]
    apply: Callable[[pytest.MonkeyPatch], None] = lambda _: None
    statements: tuple[str, ...] = ()
    given: tuple[tuple[str, object], ...] = ()


def _no_key(table: str, name: str) -> str:
    return f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"


def _second_look_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A refusal is believed, though the deed may have been done meanwhile."""
    real = db.Database.transact

    async def transact(self: Any, use_case: Any, command: Any, **named: Any) -> Any:
        if use_case.__name__ == "look_again":
            raise command
        return await real(self, use_case, command, **named)

    patch.setattr(db.Database, "transact", transact)


def _pays_without_using_up(patch: pytest.MonkeyPatch) -> None:
    real = writing.insert_payments

    async def insert_payments(tx: Any, made: Sequence[writing.Made], velocity: Any) -> None:
        await real(tx, [replace(each, code_id=None) for each in made], velocity)

    patch.setattr(writing, "insert_payments", insert_payments)


def _no_shared_answers(patch: pytest.MonkeyPatch) -> None:
    """Every duplicate goes to the database, which has lost the deed's key and its lock."""

    async def never_seen(*_: Any) -> tuple[bool, None, None]:
        return True, None, None

    patch.setattr(kit, "claim_deed", never_seen)


def _both_look_first(patch: pytest.MonkeyPatch) -> None:
    """No lock, and two refunds that have both seen what is left before either gives it back."""
    contest.without_locks(patch)
    real, both = reading.outstanding, asyncio.Barrier(2)

    async def outstanding(tx: Any, payment_id: UUID) -> Any:
        found = await real(tx, payment_id)
        await both.wait()
        return found

    patch.setattr(reading, "outstanding", outstanding)


APPENDING = (
    "DROP TRIGGER ledger_posting_written_once ON ledger_posting",
    "GRANT UPDATE, DELETE, TRUNCATE ON ledger_posting TO tanabata_app",
)
LOT_CHECKS = (_no_key("lot", "ck_lot_paid"), _no_key("lot", "ck_lot_premium"))
GUARDED: dict[str, Guarded] = {
    "zero-sum trigger": Guarded(
        test_post.test_the_trigger_refuses_unbalanced_postings_whoever_writes_them,
        statements=("DROP TRIGGER ledger_zero_sum ON ledger_posting",),
    ),
    "append-only ledger": Guarded(
        test_post.test_what_is_written_is_never_altered_by_the_application_nor_by_its_owner,
        statements=APPENDING,
        given=(("table", "ledger_posting"), ("verb", "UPDATE")),
    ),
    "reversed once": Guarded(
        test_post.test_a_deed_is_reversed_once,
        statements=("DROP INDEX uq_ledger_journal_reverses_id",),
    ),
    "published terms never change": Guarded(
        test_publish.test_published_terms_never_change_not_even_by_their_owner,
        statements=("DROP TRIGGER programme_version_written_once ON programme_version",),
    ),
    "three tries": Guarded(
        test_db.test_a_deadlock_or_serialization_failure_is_tried_again_whole,
        lambda patch: patch.setattr(db, "TRIES", 1),
        given=(("code", "40P01"),),
    ),
    "the deed's key": Guarded(
        test_deeds.test_the_key_makes_a_second_one_impossible_when_the_look_misses_the_first,
        statements=(_no_key("deed", "pk_deed"),),
    ),
    "the second look": Guarded(
        test_deeds.test_a_duplicate_is_not_refused_for_what_its_own_first_run_did, _second_look_forgotten
    ),
    "one deed in one process": Guarded(
        test_deeds.test_duplicates_in_one_process_share_one_run_and_one_answer,
        lambda patch: patch.setattr(deeds.Deeds, "perform", deeds.Deeds._perform_alone),
    ),
    "one payment across processes": Guarded(
        test_same_deed.test_the_same_payment_64_times_at_once_across_processes_is_one_payment,
        _no_shared_answers,
        (_no_key("deed", "pk_deed"),),
        (("way", "store code"),),
    ),
    "the wallet's lock, against suspension": Guarded(
        test_suspension.test_a_payment_that_waits_behind_the_suspension_is_refused, contest.without_locks
    ),
    "the wallet's lock, against expiry": Guarded(
        test_midnight.test_a_job_that_waits_behind_a_payment_expires_only_the_rest, contest.without_locks
    ),
    "the wallet's lock and the lots' CHECK": Guarded(
        test_one_balance.test_two_phones_spend_exactly_what_is_there, contest.without_locks, LOT_CHECKS
    ),
    "the wallet's lock and the counter's CHECK": Guarded(
        test_one_balance.test_two_refunds_of_everything_at_once_give_it_back_once,
        _both_look_first,
        (*LOT_CHECKS, _no_key("payment_returned", "ck_payment_returned_returned")),
    ),
    "a pay code's use": Guarded(
        test_pay_by_code.test_a_pay_code_works_once_at_any_store_and_a_refused_payment_does_not_use_it_up,
        _pays_without_using_up,
    ),
    "a code's key": Guarded(
        test_one_code.test_its_key_alone_lets_a_pay_code_pay_once,
        statements=(_no_key("code_use", "pk_code_use"),),
    ),
    "an own store": Guarded(
        test_pay.test_nobody_pays_a_store_that_they_work_for,
        lambda patch: patch.setattr(agree, "must_accept", lambda *_: None),
    ),
    "units of stock": Guarded(
        test_buy.test_the_stock_is_exact_and_a_refused_buyer_keeps_the_cap,
        lambda patch: patch.setattr(campaigns, "move_stock", _always_in_stock),
    ),
}


async def _always_in_stock(*_: Any, **__: Any) -> bool:
    return True


@pytest.mark.parametrize("guard", sorted(GUARDED))
async def test_without_its_guard_the_named_test_fails(
    crowd: AsyncEngine,
    processes: list[deeds.Deeds],
    engine: AsyncEngine,
    migrator_engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
    guard: str,
) -> None:
    found = GUARDED[guard]
    async with migrator_engine.begin() as connection:
        for statement in found.statements:
            await connection.execute(text(statement))
    found.apply(monkeypatch)
    wanted = inspect.signature(found.test).parameters
    known: dict[str, object] = {"crowd": crowd, "engine": engine, "migrator_engine": migrator_engine}
    known |= {"monkeypatch": monkeypatch, "processes": processes, **dict(found.given)}
    if "sides" in wanted:
        before = Town(crowd)
        await before.programme()
        known["sides"] = (before, Town(crowd, at=test_midnight.MIDNIGHT, seed=2))
    with pytest.raises(FAILURE):
        await found.test(**{name: known[name] for name in wanted})


async def test_an_unbalanced_journal_that_no_trigger_stopped_is_found_by_the_auditor(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    town = Town(engine)
    programme_id = await town.programme()
    await town.must_prove()
    async with migrator_engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER ledger_zero_sum ON ledger_posting"))
    head = "INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at) VALUES (:id, :p, :k, :id, now())"
    line = "INSERT INTO ledger_posting VALUES (:id, 1, :a, NULL, 5), (:id, 2, :a, NULL, -4)"
    values = {"id": UUID(int=5), "p": programme_id, "k": JournalKind.CORRECTION.value, "a": Account.BANK.value}
    async with engine.begin() as connection:
        await connection.execute(text(head), values)
        await connection.execute(text(line), values)
    broken = {check.name for check in (await town.proof()).broken}
    assert {"journals_balance", "guard_zero_sum"} <= broken
