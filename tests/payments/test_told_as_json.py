"""What the short cut tells as JSON is, byte for byte, what the program would write of the same answer."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.deeds import Deed, fingerprint
from services.payments.desk import PaymentDesk
from services.payments.order import Order, PayByCode, PayStore, answer_type_of
from services.payments.payment import Receipt
from tests.town import Town

ASCII = "".join(map(chr, range(1, 128)))
NAMES = ["星見商店 本店", ASCII, 'Café "Ōsaka" \\ 24/7', "\u2028\u2029\u00a0\ufeff", "𠮷野家 🎋", ""]


async def told(desk: PaymentDesk, deed: Deed, order: Order) -> Any:
    return (await desk.begin(deed, order)).result


@pytest.mark.parametrize("whole_second", [False, True])
async def test_an_answer_of_the_short_cut_is_written_as_the_program_writes_it(
    engine: AsyncEngine, migrator_engine: AsyncEngine, whole_second: bool
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    for _ in range(6):
        await town.grant(who, 20)
    if whole_second:
        town.clock.set(town.clock.now().replace(microsecond=0) + timedelta(minutes=1))
    desk = PaymentDesk(town.database)
    await desk.perform(  # its phone's key is known from here on
        Deed(shop.clerk_id, uuid4(), b"1" * 32), PayByCode(shop.clerk_id, shop.id, town.code_of(who), 1)
    )
    seen: list[int] = []
    for number, name in enumerate(NAMES, start=1):
        async with migrator_engine.begin() as connection:
            await connection.execute(text("UPDATE store SET name = :name"), {"name": name})
        for order in (
            PayStore(who.account_id, who.wallet.id, shop.code, 25 if number == 1 else number),
            PayByCode(shop.clerk_id, shop.id, town.code_of(who), number),
        ):
            deed = Deed(order.account_id, uuid4(), fingerprint("pay", order))
            answer = await told(desk, deed, order)
            assert isinstance(answer, msgspec.Raw)  # it was the short cut that paid
            receipt = msgspec.json.decode(answer, type=answer_type_of(order))
            assert receipt.store_name == name
            assert (receipt.amount_yen, receipt.paid_at) == (order.amount_yen, town.clock.now())
            seen.append(len(receipt.parts) if isinstance(receipt, Receipt) else 0)
            assert bytes(answer) == msgspec.json.encode(receipt)
            again = await told(desk, deed, order)
            assert msgspec.json.encode(again) == bytes(answer)
            assert (await desk.perform(deed, order)).result == receipt
    assert max(seen) > 1  # and it was paid from several lots
