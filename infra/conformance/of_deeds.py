"""Invariants of deeds that are sent again: a duplicate is a no-op, 64 at once are one, a refusal burns nothing."""

from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID

from infra.conformance.ground import PATIENT, POOL, Ground, Resident, Shop, crowd, must, payment
from services.kit.db import Database
from services.kit.deeds import Deed, Deeds, Done, fingerprint
from services.kit.errors import Refusal
from services.kit.ids import SecretEntropy
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.payments.payment import Receipt

DUPLICATES = 64
PROCESSES = 4
PAYMENTS = "SELECT count(*) FROM payment"


async def perform(deeds: Deeds, key: UUID, command: PayStore) -> Done[Receipt]:
    """What the wallet's API does with a payment that carries an idempotency key."""
    deed = Deed(command.account_id, key, fingerprint("pay", command))
    return await deeds.perform(deed, pay_store, command, Receipt)


async def a_duplicate_is_a_no_op(ground: Ground) -> None:
    """The same id and content, in the same process and in another: the same answer, and nothing is paid again."""
    who, shop = await _with_points(ground, 5_000)
    key, command = UUID(int=7), payment(who, shop, 300)
    here = Deeds(ground.database)
    first = await perform(here, key, command)
    must(not first.replayed, "a first deed was answered from memory")
    for process in (here, Deeds(ground.database)):
        try:
            again = await perform(process, key, command)
        except Exception as error:
            must(False, f"a duplicate was not answered: {type(error).__name__}")
        else:
            must(again.replayed and again.result == first.result, "a duplicate was answered otherwise")
    must((await ground.one(PAYMENTS), await ground.owed_to(shop)) == (1, 300), "a duplicate paid again")


async def duplicates_at_once_are_one(ground: Ground) -> None:
    """64 connections of four processes carry the same deed at the same moment: one payment, one answer."""
    who, shop = await _with_points(ground, 50_000)
    key, command = UUID(int=64), payment(who, shop, 300)
    async with AsyncExitStack() as stack:
        processes = []
        for _ in range(PROCESSES):
            engine = ground.handle.app_engine(pool_size=POOL, limits=PATIENT)
            stack.push_async_callback(engine.dispose)
            processes.append(Database(engine, ground.clock, SecretEntropy()))
        # Each its own `Deeds`: within one process the duplicates would not even reach the database.
        attempts = [Deeds(processes[place % PROCESSES]) for place in range(DUPLICATES)]
        answers = await crowd([partial(perform, each, key, command) for each in attempts], DUPLICATES)
    receipts = {answer.result.payment_id for answer in answers if isinstance(answer, Done)}
    must(len(receipts) == 1, f"{len(receipts)} different receipts for one deed")
    must((await ground.one(PAYMENTS), await ground.owed_to(shop)) == (1, 300), "one deed paid more than once")


async def a_refused_deed_is_not_applied(ground: Ground) -> None:
    """Refused for want of points, refused again; and with points, the same id pays."""
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    deeds = Deeds(ground.database)
    key, command = UUID(int=15), payment(who, shop, 300)
    for _ in range(2):
        try:
            await perform(deeds, key, command)
        except Refusal as refusal:
            must(refusal.code == "points_missing", f"refused for another reason: {refusal}")
        else:
            must(False, "a refused deed was reported as applied")
        must(await ground.one(PAYMENTS) == 0, "a refused deed was applied")
    await ground.grant(who, 300)
    done = await perform(deeds, key, command)
    must(not done.replayed and await ground.owed_to(shop) == 300, "the refusal has burned the id")


async def _with_points(ground: Ground, points: int) -> tuple[Resident, Shop]:
    await ground.programme()
    who, shop = await ground.resident(), await ground.shop()
    await ground.grant(who, points)
    return who, shop
