"""Printed cards: a way to a wallet that is replaced; limits and PINs counted exactly, whoever guesses."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.kit.errors import Busy, Missing
from services.payments.order import PayByCard
from services.payments.pay import pay_by_card
from services.payments.payment import Mode, StoreReceipt
from services.residency.prove import AtTheCounter
from services.wallets import card_pin
from services.wallets.card import (
    CITY_LIMITS,
    Card,
    CardFrozen,
    CardLimitReached,
    CardMalformed,
    CardPinInvalid,
    CardPinThrottled,
    CardPinWrong,
    CardStatus,
    CardUnknown,
    card_token,
    is_genuine,
    new_pin,
    number_in,
)
from services.wallets.card_pin import PinGuess, prove_pin
from services.wallets.hold_card import find_card
from services.wallets.issue_card import IssueCard, IssuedCard, SetCardStatus, issue_card, set_card_status
from services.wallets.open_at_counter import NOBODY_YET, PersonHasWallet, open_at_counter
from services.wallets.wallet import WalletSuspended
from tests.town import OFFICER, Resident, Shop, Town

KEY = bytes(range(32))
PIN = "2580"


@pytest.fixture
async def town(engine: AsyncEngine) -> Town:
    town = Town(engine)
    await town.programme()
    return town


async def with_card(town: Town, who: Resident) -> Card:
    made = await town.do(issue_card, IssueCard(who.wallet.number, OFFICER, "no phone", PIN, KEY))
    return await card_of(town, made)


async def card_of(town: Town, made: IssuedCard) -> Card:
    found = await town.do(find_card, made.number)
    assert found is not None
    return found


def by_card(shop: Shop, card: Card, yen: int) -> PayByCard:
    return PayByCard(shop.clerk_id, shop.id, card.number, card.wallet_id, yen)


async def freeze(town: Town, card: Card, status: CardStatus = CardStatus.FROZEN) -> None:
    await town.do(set_card_status, SetCardStatus(card.number, status, "lost", OFFICER))


async def test_a_card_pays_from_its_wallet_and_the_books_prove(town: Town) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    card = await with_card(town, who)
    receipt = await town.do(pay_by_card, by_card(shop, card, 700))
    assert isinstance(receipt, StoreReceipt)
    assert (receipt.mode, receipt.amount_yen) == (Mode.CARD, 700)
    assert await town.points(who) == 13_000 - 700
    await town.must_prove()


async def test_a_stolen_cards_value_is_on_the_new_one_whole(town: Town) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    stolen = await with_card(town, who)
    new = await with_card(town, who)
    with pytest.raises(CardFrozen):
        await town.do(pay_by_card, by_card(shop, stolen, 1))
    await town.do(pay_by_card, by_card(shop, new, 10_000))
    assert await town.points(who) == 3_000
    with pytest.raises(Missing):
        await freeze(town, stolen, CardStatus.ACTIVE)
    await town.must_prove()


async def test_a_frozen_card_pays_nothing_and_works_again(town: Town) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    card = await with_card(town, who)
    await freeze(town, card)
    with pytest.raises(CardFrozen):
        await town.do(pay_by_card, by_card(shop, card, 1))
    await freeze(town, card, CardStatus.ACTIVE)
    await town.do(pay_by_card, by_card(shop, card, 1))


async def test_limits_hold_for_one_payment_and_for_a_day_exactly_under_a_race(town: Town) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 3)
    card = await with_card(town, who)
    with pytest.raises(CardLimitReached):
        await town.do(pay_by_card, by_card(shop, card, CITY_LIMITS.payment_yen + 1))
    asked = [town.do(pay_by_card, by_card(shop, card, 4_000)) for _ in range(12)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, StoreReceipt) for each in answers) == CITY_LIMITS.day_yen // 4_000
    assert sum(isinstance(each, CardLimitReached) for each in answers) == 12 - CITY_LIMITS.day_yen // 4_000
    town.clock.advance(timedelta(days=1))
    await town.do(pay_by_card, by_card(shop, card, 4_000))
    await town.must_prove()


async def test_who_has_no_phone_has_a_wallet_and_pays_but_only_once_a_person(town: Town) -> None:
    seen = AtTheCounter(NOBODY_YET, OFFICER, "月野 花", "ツキノ ハナ", date(1940, 1, 1), "254-0045", "passport")
    wallet = await town.do(open_at_counter, seen)
    with pytest.raises(PersonHasWallet):
        await town.do(open_at_counter, seen)
    made = await town.do(issue_card, IssueCard(wallet.number, OFFICER, "no phone", PIN, KEY))
    card, shop, giver = await card_of(town, made), await town.shop(), await town.resident()
    holder = Resident(OFFICER, wallet.person_id, wallet, giver.phone, giver.device)
    await town.grant(holder, 500)
    await town.do(pay_by_card, by_card(shop, card, 500))
    await town.must_prove()


async def test_a_card_of_a_suspended_wallet_or_of_another_pays_nothing(
    town: Town, migrator_engine: AsyncEngine
) -> None:
    who, other, shop = await town.resident(), await town.resident(), await town.shop()
    await town.buy(who)
    await town.buy(other)
    card = await with_card(town, who)
    with pytest.raises(Missing):
        await town.do(pay_by_card, PayByCard(shop.clerk_id, shop.id, card.number, other.wallet.id, 1))
    async with migrator_engine.begin() as connection:
        await connection.execute(text("UPDATE wallet SET status = 'suspended' WHERE id = :id"), {"id": who.wallet.id})
    with pytest.raises(WalletSuspended):
        await town.do(pay_by_card, by_card(shop, card, 1))
    stranger = await town.shop()
    with pytest.raises(Missing):
        await town.do(pay_by_card, PayByCard(stranger.clerk_id, shop.id, card.number, card.wallet_id, 1))
    with pytest.raises(CardUnknown):
        await town.do(pay_by_card, PayByCard(shop.clerk_id, shop.id, "CNONE", card.wallet_id, 1))


async def test_a_symbol_that_we_did_not_print_is_not_genuine(town: Town) -> None:
    card, other = await with_card(town, await town.resident()), await with_card(town, await town.resident())
    symbol = card_token(KEY, card.number, card.id)
    assert number_in(f" {symbol}\r\n") == card.number
    assert is_genuine(KEY, f"{symbol}\r\n", card)
    forged = symbol.replace(card.number, other.number)
    assert not is_genuine(KEY, forged, other)
    assert not is_genuine(bytes(32), symbol, card)
    for wrong in ("", "TC1.X.Y", "TC2." + symbol[4:], symbol + ".x", card.number):
        with pytest.raises(CardMalformed):
            number_in(wrong)


@pytest.mark.parametrize("pin", ["0000", "1234", "4321", "123", "12345", "１２３５", "12a5", ""])
def test_a_pin_is_four_digits_that_not_everybody_tries_first(pin: str) -> None:
    with pytest.raises(CardPinInvalid):
        new_pin(pin)


async def naive_try(tx: Tx, card: Card) -> bool:
    """The control: read the count, then write it."""
    query = text("SELECT tries FROM card_tries WHERE place = 'card' AND subject_id = :id")
    tries = (await tx.connection.execute(query, {"id": card.id})).scalar_one()
    await asyncio.sleep(0.01)
    if tries >= 5:
        return False
    write = text("UPDATE card_tries SET tries = :tries WHERE place = 'card' AND subject_id = :id")
    await tx.connection.execute(write, {"tries": tries + 1, "id": card.id})
    return True


async def test_of_a_hundred_pins_at_once_five_are_compared(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    card, control = await with_card(town, await town.resident()), await with_card(town, await town.resident())
    with pytest.raises(CardPinWrong):
        await prove_pin(town.database, PinGuess(control, "9999", KEY, (("card", control.id),)))
    assert sum(await asyncio.gather(*(town.do(naive_try, control) for _ in range(40)))) > 5

    compared = []

    def counting(_key: bytes, _card: Card, pin: str) -> bool:
        compared.append(pin)
        return False

    monkeypatch.setattr(card_pin, "pin_fits", counting)
    guesses = (PinGuess(card, f"{pin:04}", KEY, (("card", card.id),)) for pin in range(100))
    answers = await asyncio.gather(*(prove_pin(town.database, each) for each in guesses), return_exceptions=True)
    assert len(compared) == 5
    late = [each for each in answers if isinstance(each, CardPinThrottled | Busy)]  # a slow machine is busy
    assert len(late) == 95


async def test_wrong_pins_freeze_no_card_for_good_and_the_web_keeps_nobody_from_paying(town: Town) -> None:
    card = await with_card(town, await town.resident())
    for _ in range(5):
        with pytest.raises(CardPinWrong):
            await prove_pin(town.database, PinGuess(card, "9999", KEY, (("web", card.id),)))
    with pytest.raises(CardPinThrottled) as waits:
        await prove_pin(town.database, PinGuess(card, PIN, KEY, (("web", card.id),)))
    assert waits.value.params == {"retry_after_seconds": 3_600}
    await prove_pin(town.database, PinGuess(card, PIN, KEY, (("card", card.id),)))
    town.clock.advance(timedelta(hours=1))
    for _ in range(10):  # the right PIN costs nothing, however often
        await prove_pin(town.database, PinGuess(card, PIN, KEY, (("web", card.id),)))


async def test_one_device_guesses_at_many_cards_no_further_than_twenty(town: Town) -> None:
    clerk = (await town.shop()).clerk_id
    cards = [await with_card(town, await town.resident()) for _ in range(5)]
    for card in cards[:4]:
        for _ in range(5):
            with pytest.raises(CardPinWrong):
                await prove_pin(town.database, PinGuess(card, "9999", KEY, (("till", clerk), ("card", card.id))))
    with pytest.raises(CardPinThrottled):
        await prove_pin(town.database, PinGuess(cards[4], PIN, KEY, (("till", clerk), ("card", cards[4].id))))
    other = (await town.shop()).clerk_id
    await prove_pin(town.database, PinGuess(cards[4], PIN, KEY, (("till", other), ("card", cards[4].id))))
