"""What the short cut may not pay goes to the plain path, which refuses it: stores and merchants that are suspended."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.deeds import Deed, fingerprint
from services.merchants.at_till import StoreSuspended
from services.merchants.set_status import SetMerchantStatus, SetStoreStatus, set_merchant_status, set_store_status
from services.merchants.shops import Status
from services.payments.desk import PaymentDesk
from services.payments.order import Order, PayByCode, PayStore
from tests.town import OFFICER, Town


@pytest.mark.parametrize("what", ["store", "merchant"])
async def test_where_a_store_or_its_merchant_is_suspended_the_short_cut_pays_nothing(
    engine: AsyncEngine, what: str
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop, other = await town.resident(), await town.shop(), await town.shop()
    await town.buy(who)
    desk = PaymentDesk(town.database)

    async def pay(order: Order) -> None:
        await desk.perform(Deed(order.account_id, uuid4(), fingerprint("pay", order)), order)

    def orders() -> list[Order]:
        code = town.code_of(who)
        return [
            PayStore(who.account_id, who.wallet.id, shop.code, 1),
            PayByCode(shop.clerk_id, shop.id, code, 1),
        ]

    async def set_to(status: Status) -> None:
        if what == "store":
            await town.do(set_store_status, SetStoreStatus(OFFICER, shop.id, status, "x"))
        else:
            await town.do(set_merchant_status, SetMerchantStatus(OFFICER, shop.merchant_id, status, "x"))

    for order in orders():
        await pay(order)
    await set_to(Status.SUSPENDED)
    for order in orders():
        with pytest.raises(StoreSuspended):
            await pay(order)
    await pay(PayStore(who.account_id, who.wallet.id, other.code, 1))  # others go on
    await set_to(Status.ACTIVE)
    for order in orders():
        await pay(order)
    await town.must_prove()
