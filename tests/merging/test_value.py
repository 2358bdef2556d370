"""What a wallet holds moves whole into the other one of its person, and whatever still comes to it goes on."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, Undo, attach_checkout, hear, reserve, undo
from services.wallets.purchase import PurchaseStatus
from tests.http_town import HttpTown, done, problem
from tests.merging.two_wallets import two_wallets
from tests.town import OFFICER

PURSES = """
SELECT purse, origin, paid_yen, premium_yen, paid_issued_yen, premium_issued_yen, expires_at, usable_from, issued_at
  FROM lot WHERE wallet_id = :wallet AND paid_yen + premium_yen > 0 ORDER BY origin_id, purse
"""


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


async def ask(town: HttpTown, query: str, **values: Any) -> list[tuple[Any, ...]]:
    async with town.database.begin() as tx:
        return [tuple(row) for row in await tx.connection.execute(text(query), values)]


async def test_every_lot_moves_whole_with_its_purse_parts_and_dates(town: HttpTown) -> None:
    two = await two_wallets(town, kept=0)
    town.wait(days=1)
    await town.grant(two.other, 700)
    await town.pay(two.other, two.shop, 1_000)
    before = await ask(town, PURSES, wallet=two.other.wallet.id)
    await two.merge()
    assert await ask(town, PURSES, wallet=two.kept.wallet.id) == before
    assert await ask(town, PURSES, wallet=two.other.wallet.id) == []
    assert await town.points(two.kept) == 12_700
    await town.must_prove()


async def test_a_refund_of_what_the_closed_wallet_paid_goes_to_the_other(town: HttpTown) -> None:
    two = await two_wallets(town)
    paid = await town.pay(two.other, two.shop, 2_000)
    spent = await town.pay(two.other, two.shop, 11_000)
    await two.merge()
    await town.refund(two.shop, paid, 500)
    await town.cancel(two.shop, spent)
    assert (await town.points(two.kept), await town.points(two.other)) == (24_500, 0)
    await town.must_prove()


async def test_money_that_comes_in_time_for_the_closed_wallets_purchase_becomes_the_others_points(
    town: HttpTown,
) -> None:
    two = await two_wallets(town)
    purchase = await town.do(reserve, Buy(two.other.wallet.id, two.other.account_id, "starlight", 1))
    await town.do(attach_checkout, AttachCheckout(purchase.id, "checkout"))
    assert (await two.shown(await two.propose()))["open_purchases"] == 1
    await two.merge()
    word = CheckoutWord("checkout", paid=True, amount_yen=purchase.price_yen)
    assert (await town.do(hear, word)).status is PurchaseStatus.PAID
    await town.do(hear, word)
    assert (await town.points(two.kept), await town.points(two.other)) == (39_000, 0)
    await town.must_prove()


async def test_a_purchase_of_the_closed_wallet_is_undone_whole_or_not_at_all(town: HttpTown) -> None:
    two = await two_wallets(town, kept=0)
    second = await town.buy(two.other)
    await two.merge()
    await town.do(undo, Undo(second.number, "bought twice", OFFICER))
    assert await town.points(two.kept) == 13_000
    await town.must_prove()


async def test_what_lies_two_merges_back_still_comes_to_the_person(town: HttpTown) -> None:
    two = await two_wallets(town)
    paid = await town.pay(two.other, two.shop, 3_000)
    await two.merge()
    third = await two_wallets(town, kept=0, other=0)
    third.other = two.kept
    await third.merge()
    await town.refund(two.shop, paid, 3_000)
    assert await town.points(third.kept) == 26_000
    await town.must_prove()


async def test_points_that_expired_before_are_not_moved_and_a_refund_to_them_keeps_their_rule(town: HttpTown) -> None:
    two = await two_wallets(town)
    paid = await town.pay(two.other, two.shop, 2_000)
    [(ends,)] = await ask(town, "SELECT DISTINCT expires_at FROM lot")
    town.go_to(ends)
    await two.merge()
    assert await town.points(two.kept) == 0
    await town.refund(two.shop, paid, 2_000)
    await town.expire()
    await town.must_prove()


async def test_both_wallets_caps_are_one_and_nothing_above_it_is_taken_away(town: HttpTown) -> None:
    two = await two_wallets(town, kept=2, other=2)
    proposed = await two.propose()
    [cap] = (await two.shown(proposed))["caps"]
    assert cap == {
        "programme": "starlight",
        "closed_yen": 20_000,
        "into_yen": 20_000,
        "cap_yen": 30_000,
        "left_yen": 0,
        "above_yen": 10_000,
    }
    done(await two.approve(proposed), 201)
    assert await town.points(two.kept) == 52_000
    buy = {"programme": "starlight", "units": 1}
    refused = await two.as_kept().command(f"/wallets/{two.kept.wallet.id}/purchases", buy)
    assert problem(refused, 409, "cap_exceeded")["left_yen"] == 0
    await town.must_prove()


async def test_what_the_closed_wallet_left_of_the_cap_can_be_bought_once(town: HttpTown) -> None:
    two = await two_wallets(town, kept=1, other=1)
    await two.merge()
    await town.buy(two.kept)
    refused = await two.as_kept().command(
        f"/wallets/{two.kept.wallet.id}/purchases", {"programme": "starlight", "units": 1}
    )
    problem(refused, 409, "cap_exceeded")
    await town.must_prove()


async def test_what_was_bought_a_moment_before_the_merge_by_a_clock_ahead_of_its_is_no_breach(town: HttpTown) -> None:
    """Two processes' clocks differ by some seconds, and whoever began earlier may have the wallet's lock later."""
    two = await two_wallets(town, kept=1, other=2)
    town.wait(seconds=2)
    await town.buy(two.kept, 2)
    town.wait(seconds=-2)
    await two.merge()
    assert await town.points(two.kept) == 65_000
    await town.must_prove()
