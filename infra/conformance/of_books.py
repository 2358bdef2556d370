"""Invariants of the books: balance, append-only, hash chain, one kind of value, compensation, order."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from infra.conformance.ground import OFFICER, Ground, must, payment
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Refusal
from services.kit.ids import SecretEntropy
from services.ledger.seal import seal
from services.payments.pay import pay_store
from services.proof.prove import audit
from services.wallets.buy import Undo, undo

RAW_JOURNALS: Final = """
WITH head AS (
    INSERT INTO ledger_journal (id, programme_id, kind, deed_id, effective_at)
    SELECT gen_random_uuid(), :programme, 'correction', gen_random_uuid(), now() FROM generate_series(1, 10)
    RETURNING id),
numbered AS (SELECT id, row_number() OVER () AS place FROM head)
INSERT INTO ledger_posting (journal_id, line, account, amount_yen)
SELECT id, 1, 'bank', 100 FROM numbered
UNION ALL
SELECT id, 2, 'suspense', -100 - CASE place WHEN 7 THEN CAST(:difference AS bigint) ELSE 0 END FROM numbered
"""
"""Ten journals past the program's own check; the seventh is wrong by the difference."""

UNBALANCED: Final = """
SELECT count(*) FROM (SELECT 1 FROM ledger_posting GROUP BY journal_id HAVING sum(amount_yen) <> 0) AS wrong
"""

LEDGER: Final = ("ledger_journal", "ledger_posting", "ledger_seal")
CHANGES: Final = (
    "UPDATE ledger_journal SET effective_at = effective_at - interval '1 day'",
    "UPDATE ledger_posting SET amount_yen = amount_yen * 2",
    "UPDATE ledger_seal SET position = position + 1000",
    "DELETE FROM ledger_journal",
    "DELETE FROM ledger_posting",
    "DELETE FROM ledger_seal",
    "TRUNCATE ledger_journal CASCADE",
    "TRUNCATE ledger_posting",
    "TRUNCATE ledger_seal",
)

WHOLE_LEDGER: Final = """
SELECT line FROM (SELECT to_jsonb(j)::text AS line FROM ledger_journal j
       UNION ALL SELECT to_jsonb(p)::text FROM ledger_posting p
       UNION ALL SELECT to_jsonb(s)::text FROM ledger_seal s) AS lines ORDER BY line
"""

CHAIN: Final = ("seals_chain", "seals_have_no_gap")
TAMPERINGS: Final = (
    "UPDATE ledger_posting SET amount_yen = amount_yen + sign(amount_yen) WHERE journal_id = :victim",
    "UPDATE ledger_posting SET owner_id = gen_random_uuid() WHERE journal_id = :victim AND owner_id IS NOT NULL",
    "UPDATE ledger_posting SET line = line + 50 WHERE journal_id = :victim",
    "UPDATE ledger_journal SET effective_at = effective_at - interval '1 microsecond' WHERE id = :victim",
    "UPDATE ledger_journal SET deed_id = gen_random_uuid() WHERE id = :victim",
    "UPDATE ledger_seal SET hash = sha256(hash) WHERE journal_id = :victim",
    "DELETE FROM ledger_seal WHERE journal_id = :victim",
)

MIXED: Final = """
SELECT count(*) FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id JOIN lot l ON l.id = p.owner_id
 WHERE l.programme_id <> j.programme_id
"""

JOURNALS: Final = "SELECT id, to_jsonb(j)::text FROM ledger_journal j ORDER BY recorded_at, id"
NET: Final = """
SELECT count(*) FROM (SELECT 1 FROM ledger_posting WHERE journal_id = ANY (CAST(:pair AS uuid[]))
                       GROUP BY account, owner_id HAVING sum(amount_yen) <> 0) AS different
"""
RECORDED: Final = """
SELECT DISTINCT j.deed_id, j.recorded_at FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
 WHERE j.kind = 'payment' AND p.account IN ('wallet_paid', 'wallet_premium') ORDER BY j.recorded_at
"""


async def every_journal_balances(ground: Ground) -> None:
    """Written past the program, ten journals are taken when they balance and refused when one of them does not."""
    programme_id = await ground.programme()
    for difference in (1, -1, 100, -100, 10**12):
        refused = await ground.refuses(RAW_JOURNALS, programme=programme_id, difference=difference)
        must(refused, f"a journal that is {difference} yen off was written")
    must(not await ground.refuses(RAW_JOURNALS, programme=programme_id, difference=0), "balanced journals were refused")
    must(await ground.one(UNBALANCED) == 0, "a journal does not sum to zero")


async def journals_are_append_only(ground: Ground) -> None:
    """Neither the application nor the tables' owner can alter, delete or empty what is written."""
    await _sell(ground, 3)
    await ground.do(seal, 100)
    before = await ground.ask(WHOLE_LEDGER)
    for change in CHANGES:
        for who, as_owner in (("the application", False), ("the owner", True)):
            must(await ground.refuses(change, as_owner=as_owner), f"{who} may: {change}")
    must(await ground.ask(WHOLE_LEDGER) == before, "the ledger has changed")


async def the_hash_chain_is_intact(ground: Ground) -> None:
    """Laid in several runs, it is recomputed by the auditor; whatever is changed under it breaks it."""
    await _sell(ground, 4)
    while await ground.do(seal, 2):
        pass
    must(await ground.law(*CHAIN) == [], "the chain does not follow from the journals")
    ((victim,),) = await ground.ask("SELECT journal_id FROM ledger_seal WHERE position = 3")
    for tampering in TAMPERINGS:
        must(await _breaks_the_chain(ground, tampering, victim), f"not noticed: {tampering}")


async def _breaks_the_chain(ground: Ground, tampering: str, victim: UUID) -> bool:
    """Whether the auditor sees what an owner does who puts the triggers to sleep; then all is undone."""
    async with ground.owner.connect() as connection, connection.begin() as transaction:
        for table in LEDGER:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        await connection.execute(text(tampering), {"victim": victim})
        proof = await audit(Tx(connection, ground.clock.now(), SecretEntropy()))
        await transaction.rollback()
    return any(check.name in CHAIN for check in proof.broken)


async def kinds_of_value_never_mix(ground: Ground) -> None:
    """One payment out of two programmes writes a journal for each, and each moves its own lots only."""
    for code in ("starlight", "harvest"):
        await ground.programme(code)
    who, shop = await ground.resident(), await ground.shop()
    for code in ("starlight", "harvest"):
        await ground.grant(who, 1_000, code=code)
    receipt = await ground.pay(who, shop, 1_500)
    await ground.refund(shop, receipt, 1_200)
    must(await ground.one(MIXED) == 0, "a journal moves value of two programmes")
    await ground.cancel(shop, await ground.pay(who, shop, 1_100))
    must(await ground.one(MIXED) == 0, "a journal moves value of two programmes")
    must(await ground.law("value_never_mixes") == [], "the auditor sees value mixed")


async def a_reversal_compensates(ground: Ground) -> None:
    """An undone purchase and a cancelled payment leave the first journal as it was, beside its mirror image."""
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    purchase = await ground.buy(who)
    command = Undo(purchase.number, "bought by mistake", OFFICER)
    before = await _a_minute_later(ground)
    await ground.do(undo, command)
    await _mirrors_the_last(ground, before)
    try:
        await ground.do(undo, command)
    except Refusal:
        pass
    else:
        must(False, "a purchase was undone twice")
    await _a_minute_later(ground)
    await ground.buy(who)
    await _a_minute_later(ground)
    receipt = await ground.pay(who, shop, 777)
    before = await _a_minute_later(ground)
    await ground.cancel(shop, receipt)
    await _mirrors_the_last(ground, before)


async def _a_minute_later(ground: Ground) -> list[tuple[Any, ...]]:
    """The journals so far, in their order."""
    ground.clock.advance(timedelta(minutes=1))
    return await ground.ask(JOURNALS)


async def _mirrors_the_last(ground: Ground, before: list[tuple[Any, ...]]) -> None:
    after = await ground.ask(JOURNALS)
    must(after[:-1] == before, "a journal was altered or removed, or more than one was added")
    pair = [before[-1][0], after[-1][0]]
    must(await ground.one(NET, pair=pair) == 0, "a journal and its reversal do not sum to nothing on every account")


async def order_per_account_is_monotonic(ground: Ground) -> None:
    """Two workers whose clocks differ by almost two seconds take turns: the record keeps the order of the turns."""
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    await ground.buy(who)
    ground.clock.advance(timedelta(hours=1))
    slow = SetClock(ground.clock.now() - timedelta(seconds=1.9))
    workers = (ground.database, Database(ground.engine, slow, SecretEntropy()))
    turns = []
    for turn in range(50):
        ground.clock.advance(timedelta(milliseconds=1))
        slow.advance(timedelta(milliseconds=1))
        receipt = await workers[turn % 2].transact(pay_store, payment(who, shop, 10 + turn))
        turns.append(receipt.payment_id)
    must([row[0] for row in await ground.ask(RECORDED)] == turns, "the record has the deeds of a lot in another order")


async def _sell(ground: Ground, payments: int) -> None:
    """A little business: one purchase and some payments."""
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    await ground.buy(who)
    for _ in range(payments):
        await ground.pay(who, shop, 100)
