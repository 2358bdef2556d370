"""Purchases at a checkout, in short words: what the tests of buying start from."""

from dataclasses import replace
from itertools import count

from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import read as campaigns
from services.ledger.chart import Account
from services.ledger.read import balance
from services.wallets.buy import (
    AttachCheckout,
    Buy,
    CheckoutWord,
    attach_checkout,
    hear,
    reserve,
)
from services.wallets.purchase import (
    Purchase,
)
from tests.town import CODE, Resident, Town, town_terms

SEEDS = count()


async def reserved(town: Town, who: Resident, units: int = 1) -> Purchase:
    """A purchase whose resident has been sent to the checkout page."""
    purchase = await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, units))
    await town.do(attach_checkout, AttachCheckout(purchase.id, f"checkout-{purchase.id}"))
    return replace(purchase, checkout_id=f"checkout-{purchase.id}")


async def word(town: Town, purchase: Purchase, *, paid: bool, yen: int | None = None) -> Purchase:
    said = purchase.price_yen if yen is None else yen
    return await town.do(hear, CheckoutWord(purchase.checkout_id or "", paid, said))


async def units_left(town: Town, purchase: Purchase) -> int:
    return (await town.do(campaigns.stock, purchase.programme_id)).units_left


async def account(town: Town, which: Account) -> int:
    return await town.do(lambda tx, _: balance(tx, which), None)


async def town_with_buyer(engine: AsyncEngine, **changes: object) -> tuple[Town, Resident]:
    town = Town(engine, seed=next(SEEDS))
    await town.programme(replace(town_terms(), **changes))  # type: ignore[arg-type]
    return town, await town.resident()
