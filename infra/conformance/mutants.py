"""Fifteen mutants: each takes away what holds one invariant, in the program or in the database.

A mutant lives as long as its context; the database it is given is thrown away afterwards. Parts of
the program are found by name, because what they replace is private to its package.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import event, text

from infra.conformance.ground import Ground
from services.kit import tables
from services.kit.db import Tx
from services.kit.deeds import Deed, DeedIdReused, DeedInProgress, Deeds, Done
from services.kit.errors import Busy, Refusal
from services.ledger import post
from services.ledger.chart import Account
from services.ledger.journal import Journal, JournalKind, Posting, WrittenJournal
from services.payments.order import PayStore
from services.payments.payment import Leg, Mode, Receipt, leg_journals

Mutant = Callable[[Ground], AbstractAsyncContextManager[None]]

LINGER_S = 0.05
"""How long a mutant waits between its look and its deed, so that the others look as well."""


@contextmanager
def replaced(where: object, name: str, by: object) -> Iterator[None]:
    """A part of the program, in a module or a class, is another for a while."""
    original = getattr(where, name)
    setattr(where, name, by)
    try:
        yield
    finally:
        setattr(where, name, original)


def _holdings() -> Any:
    return import_module("services.wallets.tables.holdings")


async def _sql(ground: Ground, *statements: str) -> None:
    async with ground.owner.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@contextmanager
def _without_locks(ground: Ground) -> Iterator[None]:
    """Rows are read and not locked."""

    def strip(_c: object, _k: object, statement: str, parameters: object, _x: object, _m: object) -> tuple[str, Any]:
        return re.sub(r"\s+FOR UPDATE( OF [\w, ]+)?\s*$", "", statement), parameters

    event.listen(ground.engine.sync_engine, "before_cursor_execute", strip, retval=True)
    try:
        yield
    finally:
        event.remove(ground.engine.sync_engine, "before_cursor_execute", strip)


@asynccontextmanager
async def no_zero_sum_trigger(ground: Ground) -> AsyncIterator[None]:
    await _sql(ground, "DROP TRIGGER ledger_zero_sum ON ledger_posting")
    yield


@asynccontextmanager
async def postings_may_change(ground: Ground) -> AsyncIterator[None]:
    await _sql(
        ground,
        "DROP TRIGGER ledger_posting_written_once ON ledger_posting",
        "GRANT UPDATE ON ledger_posting TO tanabata_app",
    )
    yield


@asynccontextmanager
async def seals_forget_the_one_before(_: Ground) -> AsyncIterator[None]:
    def forgetful(_previous: bytes, content: str) -> bytes:
        return hashlib.sha256(content.encode()).digest()

    with replaced(import_module("services.kit.seal"), "next_hash", forgetful):
        yield


@asynccontextmanager
async def answers_are_not_looked_up(_: Ground) -> AsyncIterator[None]:
    async def blind(*_: object) -> tuple[bool, None, None]:
        return True, None, None

    with replaced(tables, "claim_deed", blind):
        yield


@asynccontextmanager
async def check_then_insert(ground: Ground) -> AsyncIterator[None]:
    """Idempotency as it is often built: look whether the id is known, then insert it."""

    async def look(tx: Tx, account_id: UUID, key: UUID) -> tuple[bool, bytes | None, Any]:
        question = text("SELECT fingerprint, result FROM deed WHERE account_id = :account AND key = :key")
        row = (await tx.connection.execute(question, {"account": account_id, "key": key})).first()
        await asyncio.sleep(LINGER_S)
        return (True, row[0], row[1]) if row else (True, None, None)

    await _sql(ground, "ALTER TABLE deed DROP CONSTRAINT pk_deed")
    with replaced(tables, "claim_deed", look):
        yield


@asynccontextmanager
async def read_then_write_back(ground: Ground) -> AsyncIterator[None]:
    """A credit reads the lot, adds, and writes the sum back, without a lock."""

    async def write_back(tx: Tx, parts: Sequence[Any]) -> None:
        for part in parts:
            question = text("SELECT paid_yen, premium_yen FROM lot WHERE id = :lot")
            paid, premium = (await tx.connection.execute(question, {"lot": part.lot_id})).one()
            values = {"paid": paid + part.paid_yen, "premium": premium + part.premium_yen, "lot": part.lot_id}
            await tx.connection.execute(
                text("UPDATE lot SET paid_yen = :paid, premium_yen = :premium WHERE id = :lot"), values
            )

    with _without_locks(ground), replaced(_holdings(), "give_to_lots", write_back):
        yield


@asynccontextmanager
async def busy_stores_are_skipped(_: Ground) -> AsyncIterator[None]:
    """Whoever finds the store's account busy pays without crediting it."""

    async def skip_locked(tx: Tx, journals: Sequence[Journal]) -> list[WrittenJournal]:
        store = next(p.owner_id for p in journals[0].postings if p.account is Account.STORE_PAYABLE)
        question = text("SELECT pg_try_advisory_xact_lock(hashtext(:store))")
        free = (await tx.connection.execute(question, {"store": str(store)})).scalar_one()
        await asyncio.sleep(LINGER_S / 10)
        return await post.post(tx, journals) if free else []

    with replaced(import_module("services.payments.pay"), "post", SimpleNamespace(post=skip_locked)):
        yield


@asynccontextmanager
async def expiry_is_not_posted(_: Ground) -> AsyncIterator[None]:
    async def nothing(_tx: Tx, _journals: Sequence[Journal]) -> list[WrittenJournal]:
        return []

    with replaced(import_module("services.wallets.expire"), "post", SimpleNamespace(post=nothing)):
        yield


@asynccontextmanager
async def no_lock_and_no_check(ground: Ground) -> AsyncIterator[None]:
    """Nobody waits for the wallet, and a lot may go below zero."""
    await _sql(ground, *(f"ALTER TABLE lot DROP CONSTRAINT ck_lot_{part}" for part in ("paid", "premium")))
    original: Any = _holdings().read_payers

    async def linger(tx: Tx, asked: Sequence[Any]) -> Any:
        found = await original(tx, asked)
        await asyncio.sleep(LINGER_S)
        return found

    with _without_locks(ground), replaced(_holdings(), "read_payers", linger):
        yield


@asynccontextmanager
async def dust_is_not_posted(_: Ground) -> AsyncIterator[None]:
    """A payment of less than two yen is not worth a journal."""

    def without_dust(legs: Sequence[Leg]) -> list[Journal]:
        return leg_journals([leg for leg in legs if leg.amount_yen >= 2])

    with replaced(import_module("services.payments.pay"), "leg_journals", without_dust):
        yield


@asynccontextmanager
async def one_journal_for_all(_: Ground) -> AsyncIterator[None]:
    """A payment out of several programmes is one leg of the first."""

    def lump(parts: Sequence[Any]) -> dict[UUID, tuple[Any, ...]]:
        return {parts[0].programme_id: tuple(parts)}

    with replaced(import_module("services.payments.pay"), "by_programme", lump):
        yield


@asynccontextmanager
async def reversals_go_to_breakage(_: Ground) -> AsyncIterator[None]:
    """What is taken back from a wallet does not go where it came from."""

    def astray(written: WrittenJournal, kind: JournalKind, deed_id: UUID) -> Journal:
        first = written.journal
        taken = [Posting(p.account, -p.amount_yen, p.owner_id) for p in first.postings if p.owner_id is not None]
        rest = Posting(Account.BREAKAGE, -sum(posting.amount_yen for posting in taken))
        return Journal(first.programme_id, kind, deed_id, (*taken, rest), reverses_id=written.id)

    with replaced(import_module("services.ledger.post"), "reversal", astray):
        yield


@asynccontextmanager
async def cancels_free_no_limit(_: Ground) -> AsyncIterator[None]:
    async def nothing(*_: object) -> None:
        return None

    with replaced(_holdings(), "uncount_spent", nothing):
        yield


@asynccontextmanager
async def recorded_by_the_workers_clock(ground: Ground) -> AsyncIterator[None]:
    await _sql(
        ground,
        "CREATE FUNCTION by_the_workers_clock() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.recorded_at = NEW.effective_at; RETURN NEW; END'",
        "CREATE TRIGGER by_the_workers_clock BEFORE INSERT ON ledger_journal "
        "FOR EACH ROW EXECUTE FUNCTION by_the_workers_clock()",
    )
    yield


@asynccontextmanager
async def refusals_are_kept_as_answers(_: Ground) -> AsyncIterator[None]:
    """A deed that was refused keeps its id, with an answer that hopes for the best."""
    original: Any = Deeds._perform_alone

    async def hopeful(deeds: Deeds, deed: Deed, use_case: Any, command: PayStore, result_type: Any) -> Done[Any]:
        try:
            done: Done[Any] = await original(deeds, deed, use_case, command, result_type)
        except (DeedIdReused, DeedInProgress, Busy):
            raise
        except Refusal:
            await deeds._database.transact(keep, (deed, command))
            raise
        return done

    async def keep(tx: Tx, kept: tuple[Deed, PayStore]) -> None:
        deed, command = kept
        answer = Receipt(deed.key, "", command.store_code, "", Mode.MPM, command.amount_yen, tx.now, 0, ())
        await tables.finish_deed(tx, deed.account_id, deed.key, deed.fingerprint, msgspec.to_builtins(answer))

    with replaced(Deeds, "_perform_alone", hopeful):
        yield
