"""What the platform does by itself: points expire, reservations lapse, books close, journals are sealed.

Law: every job can run at any moment, twice, or in two processes at once, with one effect; what
one does is small transactions of use cases that anybody else could call. A job that fails is
logged and tried again; it never stops another, and neither does one purchase or programme.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from services.kit.clock import TOKYO
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.ledger import seal as chain
from services.proof.proof import Proof
from services.proof.prove import prove
from services.settlement.close import Close, close
from services.settlement.due import DueClosing, closings_due
from services.wallets import buy, expire, read
from services.wallets.checkout import CheckoutPort, CheckoutStanding, CheckoutState
from services.wallets.purchase import Purchase

MAX_ROUNDS = 1_000
"""Batches of one run; what is left waits for the next."""

WAITING_PAGE = 500

PROVEN_FROM_HOUR = 3
"""The books are proven once a day, when the night in Japan is quiet."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A task of the platform's own; `run` says how much it did."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[int]]


def jobs(database: Database, checkout: CheckoutPort) -> tuple[Job, ...]:
    """Every job, in the order in which one run does them."""
    return (
        Job("expire points", 60, partial(expire_points, database)),
        Job("settle checkouts", 20, partial(settle_checkouts, database, checkout)),
        Job("close periods", 60, partial(close_periods, database)),
        Job("seal journals", 10, partial(seal_journals, database)),
        Job("prove", 300, Nightly(database).prove),
    )


async def run_once(every: tuple[Job, ...]) -> dict[str, int | None]:
    """Run each job once; how much each did, None for one that failed."""
    return {job.name: await _attempt(job) for job in every}


async def run_forever(every: tuple[Job, ...]) -> None:
    """Run each job at its interval, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for job in every:
            group.create_task(_repeat(job))


async def _repeat(job: Job) -> None:
    while True:
        await _attempt(job)
        await asyncio.sleep(job.every_seconds)


async def _attempt(job: Job) -> int | None:
    try:
        done = await job.run()
    except Exception:
        log.exception("the job %r failed; it will be tried again", job.name)
        return None
    if done:
        log.info("the job %r did %d", job.name, done)
    return done


async def expire_points(database: Database) -> int:
    """Lots whose time is over; the number expired."""
    return await _until_none(lambda: database.transact(_expire, expire.BATCH))


async def seal_journals(database: Database) -> int:
    """Journals into the hash chain; the number sealed."""
    return await _until_none(lambda: database.transact(chain.seal, chain.BATCH))


async def close_periods(database: Database) -> int:
    """Every closing that is due, in order; the number closed."""
    failed: set[str] = set()
    done = 0
    for due in await database.transact(_due, None):
        if due.programme_code in failed:
            continue  # its later closings must wait for this one
        try:
            await database.transact(close, Close(due.programme_code, due.closing_date, None))
            done += 1
        except Exception:  # whatever is wrong with one programme's books, the others' close
            log.exception("the close of %s on %s failed", due.programme_code, due.closing_date)
            failed.add(due.programme_code)
    return done


async def settle_checkouts(database: Database, checkout: CheckoutPort) -> int:
    """Ask the channel about purchases that wait, free those whose time is over, return what is owed."""
    done, after = 0, None
    while page := await database.transact(_waiting, after):
        for purchase in page:
            try:
                done += await _settle(database, checkout, purchase)
            except Exception:
                log.exception("the checkout of purchase %s could not be settled", purchase.number)
        after = page[-1].id
    return done


async def _settle(database: Database, checkout: CheckoutPort, purchase: Purchase) -> int:
    """One purchase: whatever the webhook would have told us, if it never came."""
    if await buy.return_money(database, checkout, purchase):
        return 1
    standing = await _standing(checkout, purchase)
    if standing.state is CheckoutState.OPEN or purchase.checkout_id is None:
        return int((await database.transact(buy.lapse, purchase.id)).status is not purchase.status)
    paid = standing.state is CheckoutState.PAID
    await database.transact(buy.hear, buy.CheckoutWord(purchase.checkout_id, paid, standing.paid_yen))
    return 1


async def _standing(checkout: CheckoutPort, purchase: Purchase) -> CheckoutStanding:
    """What the channel says; a session that it does not know is one that nobody paid."""
    if purchase.checkout_id is None:
        return CheckoutStanding(CheckoutState.OPEN)
    try:
        return await checkout.status(purchase.checkout_id)
    except Missing:
        log.warning("the channel does not know the checkout of purchase %s", purchase.number)
        return CheckoutStanding(CheckoutState.OPEN)


class Nightly:
    """Proves the books once a day, and once more after a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._proven_on: date | None = None

    async def prove(self) -> int:
        """1 if it was time; names every broken law in an error of the log."""
        now = self._database.clock.now().astimezone(TOKYO)
        if now.hour < PROVEN_FROM_HOUR or self._proven_on == now.date():
            return 0
        proof = await self._database.transact(_prove, None)
        self._proven_on = now.date()
        if not proof.clean:
            log.error("the books do not prove: %s", ", ".join(check.name for check in proof.broken))
        return 1


async def _until_none(once: Callable[[], Awaitable[int]]) -> int:
    total = 0
    for _ in range(MAX_ROUNDS):
        done = await once()
        total += done
        if done == 0:
            break
    return total


async def _expire(tx: Tx, limit: int) -> int:
    return (await expire.expire_due(tx, limit)).lots


async def _due(tx: Tx, _: None) -> tuple[DueClosing, ...]:
    return await closings_due(tx)


async def _waiting(tx: Tx, after: UUID | None) -> list[Purchase]:
    return await read.waiting_purchases(tx, after=after, limit=WAITING_PAGE)


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)
