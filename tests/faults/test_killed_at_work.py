"""PostgreSQL is killed while purchases, registers' codes, refunds and cancels are done, a close, and an expiry.

Law: what was answered is kept, what was not is done once when it is asked for again, and a job finishes its work
from the same process: with the same pool, at its next turn.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text

from infra import rests, worker
from infra.benchmarks import checks
from infra.database import postmaster
from infra.database.connect import JOBS
from services.kit.db import Tx
from services.kit.deeds import Deed, DeedInProgress, Deeds, Done, fingerprint
from services.kit.errors import Busy
from services.payments.desk import PaymentDesk
from services.payments.order import Order, PayStore, PayTill
from services.payments.payment import ReturnReceipt
from services.payments.refund import Cancel, Refund, cancel, refund
from services.payments.till import MadeTillCode, MakeTillCode, make_till_code
from services.settlement.close import Close
from services.settlement.tables import claims
from services.wallets import expire
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, attach_checkout, hear, reserve
from services.wallets.purchase import Purchase, PurchaseStatus
from tests.faults.conftest import Place
from tests.faults.paying import PATIENCE_S
from tests.faults.test_killed_database import kill_database
from tests.settlement.office import FIRST, Office
from tests.town import Resident, Shop, Town, town_terms

R = TypeVar("R")
CODE = "moonlight"
"""Another programme than the place's own."""
PEOPLE, TURNS, DEEDS_A_TURN, KILLS = 8, 2, 6, 2
PAID = """
SELECT count(*) FROM purchase JOIN programme p ON p.id = programme_id WHERE purchase.status = 'paid' AND p.code = :code
"""


@pytest.fixture
async def town(place: Place) -> AsyncIterator[Town]:
    engine = place.handle.app_engine(pool_size=8, limits=JOBS)
    town = Town(engine)
    await town.programme(town_terms(), code=CODE)
    yield town
    await engine.dispose()


async def people_of(town: Town, count: int) -> list[Resident]:
    """Residents whose telephones nobody of the place has."""
    return [await town.resident(f"080-1234-{number:04}") for number in range(count)]


async def kill(place: Place) -> None:
    """`kill -9`, and another server on the same folder."""
    found = postmaster.find(place.postgres.pgdata)
    assert found is not None
    await kill_database(place, found.pid)
    await place.postgres.start()


async def insist(ask: Callable[[], Awaitable[R]]) -> R:
    """Ask again for as long as the answer is to come again."""
    while True:
        try:
            return await ask()
        except (Busy, DeedInProgress):
            await asyncio.sleep(0.02)


@dataclass
class Work:
    """Deeds of residents and clerks, each asked for under its id until it is answered; and what they were answered."""

    town: Town
    deeds: Deeds
    desk: PaymentDesk
    answers: list[tuple[Callable[[], Awaitable[Done[Any]]], object]] = field(default_factory=list)

    async def do(self, account_id: UUID, use_case: Any, command: object, kind: type[R]) -> R:
        deed = self._deed(account_id, use_case.__name__, command)
        answer: R = await self._heard(lambda: self.deeds.perform(deed, use_case, command, kind))
        return answer

    async def pay(self, order: Order) -> UUID:
        deed = self._deed(order.account_id, "pay", order)
        answer = await self._heard(lambda: self.desk.perform(deed, order))
        return UUID(str(answer.payment_id))

    def _deed(self, account_id: UUID, operation: str, command: object) -> Deed:
        return Deed(account_id, UUID(bytes=self.town.entropy.take(16), version=4), fingerprint(operation, command))

    async def _heard(self, ask: Callable[[], Awaitable[Done[Any]]]) -> Any:
        answer = (await insist(ask)).result
        self.answers.append((ask, answer))
        return answer

    async def turn(self, who: Resident, shop: Shop, chance: random.Random) -> int:
        """A purchase that is finished, two payments, a refund and a cancel; what the wallet gains by all, in yen."""
        account, wallet, clerk, yen = who.account_id, who.wallet.id, shop.clerk_id, chance.randint(100, 900)
        bought = await self.do(account, reserve, Buy(wallet, account, CODE, 1), Purchase)
        noted = AttachCheckout(bought.id, f"checkout-{bought.id}")
        await insist(lambda: self.town.database.transact(attach_checkout, noted, single=True))
        word = CheckoutWord(noted.checkout_id, paid=True, amount_yen=bought.price_yen)
        assert (await insist(lambda: self.town.do(hear, word))).status is PurchaseStatus.PAID
        made = await self.do(clerk, make_till_code, MakeTillCode(clerk, shop.id, yen), MadeTillCode)
        bread = await self.pay(PayTill(account, wallet, made.code.number, yen))
        wrong = await self.pay(PayStore(account, wallet, shop.code, 50))
        back = Refund(clerk, shop.id, bread, chance.randint(1, yen), "brought back")
        await self.do(clerk, refund, back, ReturnReceipt)
        await self.do(clerk, cancel, Cancel(clerk, shop.id, wrong, "mistyped"), ReturnReceipt)
        return bought.points - yen + back.amount_yen


async def test_purchases_registers_codes_refunds_and_cancels_are_each_done_once(place: Place, town: Town) -> None:
    people, shops = await people_of(town, PEOPLE), [await town.shop() for _ in range(3)]
    work, held = Work(town, Deeds(town.database), PaymentDesk(town.database)), [0] * PEOPLE

    async def live(number: int) -> None:
        chance = random.Random(number)
        for _ in range(TURNS):
            held[number] += await work.turn(people[number], shops[number % 3], chance)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        for number in range(PEOPLE):
            group.create_task(live(number))
        for number in range(KILLS):
            goal = PEOPLE * TURNS * DEEDS_A_TURN * (number + 1) // (KILLS + 1)
            while len(work.answers) < goal:  # noqa: ASYNC110 - the work tells nobody
                await asyncio.sleep(0.001)
            await kill(place)
    for ask, answer in work.answers:
        again = await ask()
        assert (again.replayed, again.result) == (True, answer)
    assert [await town.points(who) for who in people] == held
    async with checks.owner(place.handle) as connection:
        assert (await connection.execute(text(PAID), {"code": CODE})).scalar_one() == PEOPLE * TURNS
    await town.must_prove()


async def sold(town: Town) -> tuple[list[Resident], int]:
    """Payments over nearly a week, and what they come to."""
    people, shops, paid = await people_of(town, 3), [await town.shop() for _ in range(3)], 0
    for who in people:
        await town.buy(who, 3, code=CODE)
    for number in range(24):
        await town.pay_store(people[number % 3], shops[number // 8], 100 + number)
        paid += 100 + number
        town.wait(hours=6)
    return people, paid


@pytest.mark.parametrize("dies", [["claims"] * 2, ["claims"] * 11 + ["tells"] * 2], ids=["at once", "before its end"])
async def test_a_close_that_dies_where_it_may_rest_is_made_at_the_jobs_next_turn(
    place: Place, town: Town, monkeypatch: pytest.MonkeyPatch, dies: list[str]
) -> None:
    _, paid = await sold(town)
    Office(town).morning_after(FIRST)
    asked: list[str] = []
    statements = text("SELECT EXISTS (SELECT FROM statement)")

    async def somebody(tx: Tx) -> bool:
        asked.append("tells" if (await tx.connection.execute(statements)).scalar_one() else "claims")
        if asked == dies:
            await kill(place)
        return True

    monkeypatch.setattr(claims, "LEGS_OF_A_PIECE", 4)
    monkeypatch.setattr(rests, "ASKED_EVERY_S", 0.0)
    monkeypatch.setattr(rests, "somebody_pays", somebody)
    with pytest.raises(Busy):
        await worker.close_at_leisure(town.database, Close(CODE, FIRST, None))
    assert asked == dies
    books = await worker.close_at_leisure(town.database, Close(CODE, FIRST, None))
    assert asked[len(dies) :] == ["claims"] * 11 + ["tells"] * 2
    told = (await Office(town).told(books)).values()
    assert sum(record.statement.figures.payments_yen for record in told) == paid
    await town.must_prove()


async def test_an_expiry_that_dies_before_a_commit_goes_on_where_it_was(
    place: Place, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, _ = await sold(town)
    town.go_to(town_terms().expires_at)
    real, batches = worker._expire, 0

    async def dying(tx: Tx, limit: int) -> int:
        nonlocal batches
        batches += 1
        done = await real(tx, limit)
        if batches == 2:
            await kill(place)
        return done

    monkeypatch.setattr(expire, "BATCH", 1)
    monkeypatch.setattr(worker, "_expire", dying)
    job = (worker.Job("expire points", 60, partial(worker.expire_points, town.database)),)
    assert await worker.run_once(job) == {"expire points": None}
    again = (await worker.run_once(job))["expire points"]
    assert again is not None
    assert [await town.points(who) for who in people] == [0] * len(people)
    assert batches >= 3
    await town.must_prove()
