"""Where payments are handed in: a code's signature is checked as it comes, then payments are posted together.

Law: nothing is decided here. That a code was signed is remembered (`pay_code.is_signed`), so that the
deed finds it done; the deed itself asks everything again that can change: the phone's state, the wallet,
the store, the code's life and use. A code that could not be looked at beforehand is checked in the deed.

A signature is checked on the spot: handing it to another thread costs more than checking it, once the
program's turns are what is scarce (docs/decisions/0028).
"""

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from services.kit.db import Database
from services.kit.deeds import Deed, Done
from services.kit.errors import Busy, Refusal
from services.kit.micro_batch import MOST_TOGETHER, MOST_WAITING, MicroBatch
from services.payments.keep_declines import Declines
from services.payments.order import Order, PayAtRegister, PayByCode
from services.payments.pay import PAYMENTS, pay
from services.payments.pay_code import is_signed, peek_device
from services.payments.pay_plainly import pay_plainly
from services.payments.tap import USUAL_LIMITS, PayingLimits
from services.wallets.read import device_keys

MOST_KEYS = 65_536
"""Phones whose key is remembered; a registered key never changes. Beyond them, what was learned first is forgotten."""

log = logging.getLogger(__name__)


class PaymentDesk:
    """Takes payments for one city in one process."""

    def __init__(
        self,
        database: Database,
        *,
        most_together: int = MOST_TOGETHER,
        limits: PayingLimits = USUAL_LIMITS,
    ) -> None:
        self.velocity = limits.velocity
        self._phones = Phones(database)
        kind = replace(
            PAYMENTS,
            use_case=partial(pay, velocity=limits.velocity, tap_above_yen=limits.tap_above_yen),
            plainly=partial(pay_plainly, keys=self._phones.keys),
        )
        self.declines = Declines(database, self._phones.keys.get)
        self._batch = MicroBatch(database, kind, most_together=most_together, refused=self.declines.hear)

    def begin(self, deed: Deed, order: Order) -> asyncio.Future[Done[Any]]:
        """As `perform`, but nobody needs a task to wait for it, and an answer may be told as JSON (`msgspec.Raw`).

        What stands against it at once is raised at once.
        """
        if isinstance(order, PayByCode | PayAtRegister) and not self._phones.look(order.pay_code):
            return asyncio.get_running_loop().create_task(self.perform(deed, order))
        return self._batch.submit(deed, order)

    async def perform(self, deed: Deed, order: Order) -> Done[Any]:
        """Pay once for this deed's id; see `MicroBatch.perform` for what it raises."""
        if isinstance(order, PayByCode | PayAtRegister) and not self._phones.look(order.pay_code):
            await self._phones.meet(order.pay_code)
        return await self._batch.perform(deed, order)


class Phones:
    """The public keys of phones whose codes were seen, looked up for many at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.keys: OrderedDict[UUID, str] = OrderedDict()
        """Public keys as JSON, in the order in which they were learned."""
        self._waiting: list[tuple[UUID, asyncio.Future[None]]] = []
        self._looking: asyncio.Task[None] | None = None

    def look(self, token: str) -> bool:
        """Have the signature of a known phone's code checked and remembered; False for an unknown phone.

        Of what is no code at all nothing is said: the deed will say it.
        """
        try:
            key = self.keys.get(peek_device(token))
            if key is None:
                return False
            is_signed(token, key)
        except Refusal:
            return True
        return True

    async def meet(self, token: str) -> None:
        """Look up the phone's key, and check its code as `look` does. Raises Busy where too many wait already."""
        if len(self._waiting) >= MOST_WAITING:
            raise Busy(retry_after_seconds=1)
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((peek_device(token), future))
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_up())
        await future
        self.look(token)

    async def _look_up(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    await self._read({device_id for device_id, future in batch if not future.done()})
                except Exception:
                    log.exception("keys of phones could not be read beforehand; their deeds will read them")
                for _, future in batch:
                    if not future.done():  # whoever gave up is gone
                        future.set_result(None)
        finally:
            self._looking = None
            for _, future in self._waiting:  # only when we were cancelled: nobody may wait for ever
                future.cancel()
            self._waiting = []

    async def _read(self, device_ids: set[UUID]) -> None:
        # One by one: a set less a dictionary's keys goes through all of these, which are tens of thousands.
        unknown = {device_id for device_id in device_ids if device_id not in self.keys}
        if not unknown:
            return
        with suppress(Busy):  # the deeds will wait for the database themselves, and check
            self.keys |= await self._database.transact(device_keys, unknown, single=True)
        while len(self.keys) > MOST_KEYS:
            self.keys.popitem(last=False)
