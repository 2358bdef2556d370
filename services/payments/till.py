"""A register makes a code with the amount in it; it pays once, within a few minutes.

Shown to everybody, or asked of one customer's phone, whose pay code was scanned: then store and sum are on that phone,
and nobody else's yes counts. Law: the code that was scanned proves whose phone it is, and is not used up; the store
never learns who was asked.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.at_till import StoreAtTill, StoreSuspended, must_be_staff
from services.payments.agree import STAFF, agree, counter_asked
from services.payments.order import PayByCode, payer_asked
from services.payments.payment import TillCode, must_be_amount
from services.payments.tables import reading, writing
from services.payments.velocity import USUAL, Velocity
from services.wallets import spend
from services.wallets.wallet import Absent, DeviceUnknown, Payer

NUMBER_PREFIX, NUMBER_LENGTH = "T", 8
VALID_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class MakeTillCode:
    """`pay_code` is what was scanned of the customer whose phone is to be asked."""

    account_id: UUID
    store_id: UUID
    amount_yen: int
    register_id: UUID | None = None
    pay_code: str | None = None


@dataclass(frozen=True)
class MadeTillCode:
    code: TillCode
    store: StoreAtTill


async def make_till_code(tx: Tx, command: MakeTillCode, velocity: Velocity = USUAL) -> MadeTillCode:
    """A code of the store that asks for exactly this amount.

    Raises, where a phone is asked, what stands against a payment by its code, but for the points.
    """
    must_be_amount(command.amount_yen)
    store = must_be_staff(await reading.store_by_id(tx, command.store_id, command.account_id), STAFF)
    if not store.accepting:
        raise StoreSuspended(store=store.code)
    code = TillCode(
        tx.new_id(),
        tx.new_number(NUMBER_PREFIX, NUMBER_LENGTH),
        store.id,
        command.amount_yen,
        command.account_id,
        tx.now + VALID_FOR,
        command.register_id,
        None if command.pay_code is None else await _wallet_of(tx, command, command.pay_code, velocity),
    )
    await writing.insert_till_code(tx, code)
    return MadeTillCode(code, store)


async def _wallet_of(tx: Tx, command: MakeTillCode, pay_code: str, velocity: Velocity) -> UUID:
    """The wallet whose phone is asked."""
    order = PayByCode(command.account_id, command.store_id, pay_code, command.amount_yen)
    [payer] = await spend.lock_payers(tx, [payer_asked(order)], wait=True)
    if not isinstance(payer, Payer):
        raise DeviceUnknown() if payer is Absent.DEVICE else Missing()
    [counter] = await reading.counters(tx, [counter_asked(order, payer)])
    agreed = agree(tx, order, payer, counter, velocity, None)
    if agreed.against is not None:
        raise agreed.against
    return payer.wallet.id
