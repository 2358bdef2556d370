"""A register makes a code with the amount in it; it pays once, within a few minutes."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.kit.db import Tx
from services.merchants.at_till import StoreAtTill, StoreSuspended, must_be_staff
from services.payments.pay import STAFF
from services.payments.payment import TillCode, must_be_amount
from services.payments.tables import reading, writing

NUMBER_PREFIX, NUMBER_LENGTH = "T", 8
VALID_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class MakeTillCode:
    account_id: UUID
    store_id: UUID
    amount_yen: int
    register_id: UUID | None = None


@dataclass(frozen=True)
class MadeTillCode:
    code: TillCode
    store: StoreAtTill


async def make_till_code(tx: Tx, command: MakeTillCode) -> MadeTillCode:
    """A code of the store that asks for exactly this amount."""
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
    )
    await writing.insert_till_code(tx, code)
    return MadeTillCode(code, store)
