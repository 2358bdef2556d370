"""What the platform does by itself: points expire, reservations lapse, books close, chains are sealed and anchored.

Law: every job can run at any moment, twice, or in two processes at once, with one effect; what
one does is small transactions of use cases that anybody else could call. A job that fails is
logged and tried again; it never stops another, and neither does one purchase or programme. Jobs run in
a process of their own, beside the one that takes payments.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from infra.apart import InsightFailed
from infra.daily_lake import DailyLake
from infra.forgetting import forget_refusals, forget_what_is_over
from infra.prover import Prover
from infra.rests import Rests
from infra.store_watch import StoreWatch
from services.kit import seal
from services.kit.anchor import anchor
from services.kit.anchors import AnchorPort
from services.kit.audit import ENTRIES
from services.kit.chains import Chain
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.kit.horizon import Horizon
from services.ledger.seal import JOURNALS
from services.payments.store_velocity import USUAL_STORES, StoreLimits
from services.settlement.books import ClosedBooks
from services.settlement.close import Close, CloseUnderWay, close
from services.settlement.due import DueClosing, closings_due
from services.wallets import buy, expire, read
from services.wallets.checkout import CheckoutPort, CheckoutStanding, CheckoutState
from services.wallets.purchase import Purchase

MAX_ROUNDS = 10_000
"""Batches of one run; what is left waits for the next."""

WAITING_PAGE = 500

ENDED_ASKED_EVERY = timedelta(hours=1)
"""How often ended programmes are asked whether deeds have come since their final close."""

ANCHORED_EVERY_S = 600
"""What was sealed since the last anchor could be cut off without anybody noticing, so: not rarely."""

log = logging.getLogger(__name__)

Told = Callable[[int], None]
"""Hears how much more of a job is done, while it runs."""


def unheard(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Job:
    """A task of the platform's own; `run` tells as it goes, and says at the end how much it did."""

    name: str
    every_seconds: float
    run: Callable[[Told], Awaitable[int]]


def jobs(
    database: Database,
    checkout: CheckoutPort,
    anchors: AnchorPort | None = None,
    refresh: Callable[[], Awaitable[int]] | None = None,
    look: Callable[[], Awaitable[int]] | None = None,
    stores: StoreLimits = USUAL_STORES,
) -> tuple[Job, ...]:
    """Every job, in the order in which one run does them; without anchors or `refresh` these two are left out."""
    watch = StoreWatch(database, stores)
    every: tuple[Job, ...] = (
        Job("expire points", 60, partial(expire_points, database)),
        Job("settle checkouts", 20, partial(settle_checkouts, database, checkout)),
        Job("close periods", 60, Closer(database).close),
        Job("forget declines", 3_600, partial(forget_refusals, database)),
        Job("forget what is over", 3_600, partial(forget_what_is_over, database)),
        Job("watch stores", 60, watch.watch),
        Job("forget store hours", 3_600, watch.forget),
        Job("seal journals", 10, Sealer(database, JOURNALS).seal),
        Job("prove", 15, Prover(database).prove),
        Job("seal audit log", 10, Sealer(database, ENTRIES).seal),
    )
    if refresh is not None:
        every = (*every, Job("refresh the lake", 300, DailyLake(database, refresh, look).refresh))
    if anchors is None:
        return every
    return (*every, Job("anchor chains", ANCHORED_EVERY_S, partial(anchor_chains, database, anchors)))


async def run_once(every: tuple[Job, ...], watch: Callable[[Job], Told] = lambda _: unheard) -> dict[str, int | None]:
    """Run each job once; how much each did, None for one that failed. `watch` says who hears of a job's steps."""
    return {job.name: await _attempt(job, watch(job)) for job in every}


async def run_forever(every: tuple[Job, ...]) -> None:
    """Run each job at its interval, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for job in every:
            group.create_task(_repeat(job))


async def _repeat(job: Job) -> None:
    while True:
        await _attempt(job, unheard)
        await asyncio.sleep(job.every_seconds)


async def _attempt(job: Job, told: Told) -> int | None:
    try:
        done = await job.run(told)
    except Exception as error:
        words = str(error) if isinstance(error, InsightFailed) else ""  # another process's: our traceback tells nothing
        log.error("the job %r failed; it will be tried again. %s", job.name, words, exc_info=not words)  # noqa: TRY400
        return None
    if done:
        log.info("the job %r did %d", job.name, done)
    return done


async def expire_points(database: Database, told: Told = unheard) -> int:
    """Lots whose time is over; the number expired. Spent ones are put aside first, and do not count."""
    await _until_none(database, lambda: database.transact(expire.retire_spent, expire.SPENT_BATCH), unheard)
    return await _until_none(database, lambda: database.transact(_expire, expire.BATCH, direct=True), told)


class Sealer:
    """Seals what is recorded, looking no further back than it must; everything at its first run."""

    def __init__(self, database: Database, chain: Chain) -> None:
        self._database = database
        self._chain = chain
        self.horizon = Horizon()

    async def seal(self, told: Told = unheard) -> int:
        """Entries into the chain, until none that committed before this run is left; the number sealed."""
        look = await self._database.transact(seal.look, None)
        since = self.horizon.since
        after = None if since is None else seal.from_instant(since)
        total = 0
        for _ in range(MAX_ROUNDS):
            step = await self._database.transact(seal.seal_stretch, seal.Stretch(self._chain, after))
            if step.last is None:
                self.horizon = self.horizon.after(look)
                break
            after = step.last
            total += step.entries
            told(step.entries)
        return total


async def anchor_chains(database: Database, anchors: AnchorPort, told: Told = unheard) -> int:
    """The heads of the chains, outside the database; the number of those that have grown."""
    done = await anchor(database, anchors, (JOURNALS, ENTRIES))
    told(done)
    return done


class Closer:
    """Closes what is due; whether an ended programme still sells is asked now and then, for it takes a search."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked_at: datetime | None = None

    async def close(self, told: Told = unheard) -> int:
        now = self._database.clock.now()
        ended = self._asked_at is None or now - self._asked_at >= ENDED_ASKED_EVERY
        done = await close_periods(self._database, told, ended=ended)
        if ended:
            self._asked_at = now
        return done


async def close_periods(database: Database, told: Told = unheard, *, ended: bool = True) -> int:
    """Every closing that is due, in order; the number closed. `ended` as in `closings_due`."""
    failed: set[str] = set()
    done = 0
    for due in await database.transact(_due, ended):
        if due.programme_code in failed:
            continue  # its later closings must wait for this one
        try:
            books = await close_at_leisure(database, Close(due.programme_code, due.closing_date, None))
        except CloseUnderWay:
            log.info("the books of %s are being closed by somebody else", due.programme_code)
            failed.add(due.programme_code)
            continue
        except Exception:  # whatever is wrong with one programme's books, the others' close
            log.exception("the close of %s on %s failed", due.programme_code, due.closing_date)
            failed.add(due.programme_code)
            continue
        done += 1
        told(1)
        log.info(
            "closed %s on %s: %d statements, %d yen to be paid on %s",
            *(due.programme_code, due.closing_date, books.statements, books.payout_yen, books.transfer_date),
        )
    return done


async def close_at_leisure(database: Database, command: Close) -> ClosedBooks:
    """A close for which nobody waits: it rests between its pieces, while somebody pays."""
    return await database.transact(partial(close, rest=Rests().within(database.clock)), command)


async def settle_checkouts(database: Database, checkout: CheckoutPort, told: Told = unheard) -> int:
    """Ask the channel about purchases that wait, free those whose time is over, return what is owed."""
    done, after = 0, None
    while page := await database.transact(_waiting, after):
        for purchase in page:
            try:
                settled = await _settle(database, checkout, purchase)
                done += settled
                told(settled)
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


async def _until_none(database: Database, once: Callable[[], Awaitable[int]], told: Told) -> int:
    """Batch by batch until one finds nothing; it rests after each, while somebody pays."""
    total, rests = 0, Rests()
    for _ in range(MAX_ROUNDS):
        if (done := await once()) == 0:
            break
        total += done
        told(done)
        await rests.after(database)
    return total


async def _expire(tx: Tx, limit: int) -> int:
    return (await expire.expire_due(tx, limit)).lots


async def _due(tx: Tx, ended: bool) -> tuple[DueClosing, ...]:
    return await closings_due(tx, ended=ended)


async def _waiting(tx: Tx, after: UUID | None) -> list[Purchase]:
    return await read.waiting_purchases(tx, after=after, limit=WAITING_PAGE)
