"""Keep declined payments for the desk, behind the payments: heard at once, written many at a time, later.

Law: a payment never waits for this and never fails by it. What is heard is put into a bounded queue in memory; when
that is full the oldest go, and what a process has not written when it dies is lost: a help to the desk, not a record of
money. Whoever shows declines has what its own process heard written first.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.identity.bulk_reading import Looker, Why, must_say_why
from services.identity.look_at import look_at
from services.kit.db import Database, Tx
from services.kit.errors import Refusal
from services.merchants import read as merchants
from services.merchants.shops import Store
from services.payments.decline import Decline, Declined, declined
from services.payments.order import Order, PayAtRegister, PayByCode
from services.payments.pay_code import PayCodeMalformed, is_signed, peek_device
from services.payments.tables import declines as rows
from services.wallets import read as wallets

MOST_WAITING = 2_048
TOGETHER = 256
WRITTEN_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Declines:
    """What one process heard of. `key_of` is the public key of a phone that is known, as JSON."""

    def __init__(self, database: Database, key_of: Callable[[UUID], str | None]) -> None:
        self._database = database
        self._key_of = key_of
        self._waiting: deque[Declined] = deque(maxlen=MOST_WAITING)

    def hear(self, order: Order, refusal: Refusal) -> None:
        """An order was refused. Never raises, never waits."""
        try:
            found = declined(order, refusal, self._database.clock.now())
            if found is not None and self._is_theirs(order):
                self._waiting.append(found)
        except Exception:
            log.exception("a declined payment could not be kept for the desk")

    async def write(self) -> int:
        """Write what was heard; how many were kept. What cannot be written now waits, as far as there is room."""
        kept = 0
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            try:
                kept += await self._database.transact(rows.insert_declines, batch)
            except BaseException:
                room = MOST_WAITING - len(self._waiting)
                self._waiting.extendleft(reversed(batch[-room:] if room else []))
                raise
        return kept

    async def keep_writing(self) -> None:
        """Write what was heard, again and again, until cancelled."""
        while True:
            await asyncio.sleep(WRITTEN_EVERY_S)
            try:
                await self.write()
            except Exception:
                log.exception("declined payments could not be written; they are tried again")

    def _is_theirs(self, order: Order) -> bool:
        """Whether the phone has signed the code: not every refusal comes after that was asked."""
        if not isinstance(order, PayByCode | PayAtRegister):
            return True
        key = self._key_of(peek_device(order.pay_code))
        try:
            return key is not None and is_signed(order.pay_code, key)
        except PayCodeMalformed:
            return False  # what stands in a signature's place is none


@dataclass(frozen=True)
class LookAtDeclines:
    looker: Looker
    number: str
    why: Why
    limit: int


@dataclass(frozen=True)
class WalletDeclines:
    """The newest first; stores by id, those that are known."""

    declines: Sequence[Decline]
    stores: Mapping[UUID, Store]


async def look_at_declines(tx: Tx, asked: LookAtDeclines) -> WalletDeclines:
    """A wallet's last declines, by its number. Raises Missing, LookNoteMissing and TooManyLooks."""
    why = must_say_why(asked.why)
    wallet = await wallets.wallet_by_number(tx, asked.number)
    said = {"purpose": why.purpose, "note": why.note}
    await look_at(tx, asked.looker, "wallet.declines_looked_at", [wallet.person_id], about=[wallet.id], **said)
    found = await rows.find_declines(tx, wallet.id, asked.limit)
    store_ids = {each.store_id for each in found if each.store_id is not None}
    return WalletDeclines(found, await merchants.stores(tx, store_ids) if store_ids else {})


async def forget_declines(tx: Tx, _: None) -> int:
    """Remove those that were kept for their time; how many."""
    return await rows.forget_declines(tx)
