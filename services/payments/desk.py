"""Where payments are handed in: signatures are checked beforehand, then payments are posted together.

Law: nothing is decided here. That a code was signed is remembered (`pay_code.is_signed`), so that the
deed finds it done; the deed itself asks everything again that can change: the phone's state, the wallet,
the store, the code's life and use. A code that could not be looked at beforehand is checked in the deed.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from services.kit.db import Database
from services.kit.deeds import Deed, Done
from services.kit.errors import Busy, Refusal
from services.kit.micro_batch import MOST_TOGETHER, MOST_WAITING, MicroBatch
from services.payments.order import Order, PayByCode
from services.payments.pay import PAYMENTS
from services.payments.pay_code import is_signed, peek_device
from services.payments.pay_plainly import pay_plainly
from services.wallets.read import device_keys

MOST_KEYS = 65_536
"""Phones whose key is remembered; a registered key never changes."""

AT_A_TIME = 64
THREADS = 2

log = logging.getLogger(__name__)


class PaymentDesk:
    """Takes payments for one city in one process. Without the `short_cut` all are paid by `pay`."""

    def __init__(self, database: Database, *, most_together: int = MOST_TOGETHER, short_cut: bool = True) -> None:
        self._signatures = Signatures(database)
        plainly = partial(pay_plainly, keys=self._signatures.keys) if short_cut else None
        kind = replace(PAYMENTS, plainly=plainly)
        self._batch = MicroBatch(database, kind, most_together=most_together)

    def begin(self, deed: Deed, order: Order) -> asyncio.Future[Done[Any]]:
        """As `perform`, but nobody needs a task to wait for it. What stands against it at once is raised at once."""
        if isinstance(order, PayByCode):
            return asyncio.get_running_loop().create_task(self.perform(deed, order))
        return self._batch.submit(deed, order)

    async def perform(self, deed: Deed, order: Order) -> Done[Any]:
        """Pay once for this deed's id; see `MicroBatch.perform` for what it raises."""
        if isinstance(order, PayByCode):
            await self._signatures.check(order.pay_code)
        return await self._batch.perform(deed, order)

    def close(self) -> None:
        """End the threads."""
        self._signatures.close()


class Signatures:
    """Checks signatures of codes that wait, many at a time, on threads: the library lets others run meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.keys: dict[UUID, str] = {}
        """Public keys of phones as JSON, of those whose codes were seen."""
        self._waiting: list[tuple[str, UUID, asyncio.Future[None]]] = []
        self._working: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="signatures")

    async def check(self, token: str) -> None:
        """Have the code's signature checked and remembered. Says nothing: the deed will ask.

        Raises Busy where too many wait already.
        """
        try:
            device_id = peek_device(token)
        except Refusal:
            return
        if len(self._waiting) >= MOST_WAITING:
            raise Busy(retry_after_seconds=1)
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((token, device_id, future))
        if self._working is None:
            self._working = asyncio.get_running_loop().create_task(self._work())
        await future

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        try:
            while self._waiting:
                here = [each for each in self._waiting if not each[2].done()]  # whoever gave up is gone
                batch, self._waiting = here[:AT_A_TIME], here[AT_A_TIME:]
                try:
                    await self._check(batch)
                except Exception:
                    log.exception("signatures could not be checked beforehand; their deeds will check them")
                for *_, future in batch:
                    if not future.done():
                        future.set_result(None)
        finally:
            self._working = None
            for *_, future in self._waiting:  # only when we were cancelled: nobody may wait for ever
                future.cancel()
            self._waiting = []

    async def _check(self, batch: Sequence[tuple[str, UUID, asyncio.Future[None]]]) -> None:
        unknown = {device_id for _, device_id, _ in batch} - self.keys.keys()
        if unknown:
            if len(self.keys) + len(unknown) > MOST_KEYS:
                self.keys.clear()
            try:
                self.keys |= await self._database.transact(device_keys, unknown, single=True)
            except Busy:
                return  # the deeds will wait for the database themselves, and check
        work = [(token, self.keys[device_id]) for token, device_id, _ in batch if device_id in self.keys]
        share = max(1, -(-len(work) // THREADS))
        loop = asyncio.get_running_loop()
        parts = [work[start : start + share] for start in range(0, len(work), share)]
        await asyncio.gather(*(loop.run_in_executor(self._threads, _check_all, part) for part in parts))


def _check_all(work: Sequence[tuple[str, str]]) -> None:
    for token, key in work:
        try:
            is_signed(token, key)
        except Refusal:
            continue  # malformed: the deed says so
