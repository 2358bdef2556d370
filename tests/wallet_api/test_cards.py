"""A printed card by its number and PIN, over HTTP: looked at, its PIN changed, its limits made lower."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.wallets.card import CITY_LIMITS, TRIES, CardLimits, OwnLimits, address_name, limits_of, nobody
from tests.http_town import URL, WALLET, HttpTown, done, problem, town_keys
from tests.town import Resident, Shop

PIN, NEW_PIN = "2580", "7193"
FAR = "8.8.8.8"
WHY = {"reason": "came to the counter"}


@dataclass
class Holder:
    town: HttpTown
    who: Resident
    shop: Shop
    number: str
    symbol: str

    async def asks(self, what: str, pin: str = PIN, *, host: str = "127.0.0.1", **more: Any) -> httpx.Response:
        """From a network address, with the card's number unless another is given."""
        transport = httpx.ASGITransport(self.town.built.app, raise_app_exceptions=False, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url=URL + WALLET) as client:
            return await client.post(f"/cards/{what}", json={"number": self.number, "pin": pin} | more)

    async def pays(self, yen: int, pin: str | None = None) -> httpx.Response:
        body = {"card": self.symbol, "amount_yen": yen} | ({} if pin is None else {"pin": pin})
        return await self.town.as_clerk(self.shop).command(f"/stores/{self.shop.id}/card-payments", body)

    async def office(self, what: str, body: dict[str, Any]) -> httpx.Response:
        return await (await self.town.as_staff(Role.OFFICER)).command(f"/cards/{self.number}/{what}", body | WHY)


@pytest.fixture
async def holder(engine: AsyncEngine) -> Holder:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return await with_card(town, who, shop)


async def with_card(town: HttpTown, who: Resident, shop: Shop) -> Holder:
    officer = await town.as_staff(Role.OFFICER)
    made = done(await officer.command(f"/wallets/{who.wallet.number}/cards", {"pin": PIN} | WHY), 201)
    return Holder(town, who, shop, made["number"], made["symbol"])


async def test_the_history_goes_on_page_by_page_and_names_nobody(holder: Holder) -> None:
    for yen in range(1, 24):
        await holder.town.pay(holder.who, holder.shop, yen)
        holder.town.wait(seconds=1)
    first = done(await holder.asks("history"))
    assert [each["change_points"] for each in first["movements"]] == [-yen for yen in range(23, 3, -1)]
    second = done(await holder.asks("history", after=first["next"]))
    assert [each["change_points"] for each in second["movements"]] == [-3, -2, -1, 13_000]
    assert second["next"] is None
    assert set(first["movements"][0]) == {"kind", "at", "change_points", "store_name"}
    for secret in (holder.who.wallet.id, holder.who.wallet.number, holder.who.person_id, holder.who.account_id):
        assert str(secret) not in str(first) + str(second)


@pytest.mark.parametrize("what", ["balance", "history", "limits", "pin"])
async def test_no_number_of_a_card_is_found_out(holder: Holder, what: str) -> None:
    """An unknown number is answered as a known one: with the same words, and as often."""
    unknown = (await holder.town.do(_free_number, None)) if what else ""
    more = {"new_pin": NEW_PIN} if what == "pin" else {}
    for number in (holder.number, unknown):
        answers = [await holder.asks(what, "9999", number=number, **more) for _ in range(TRIES["web"])]
        assert {(each.status_code, each.json()["code"]) for each in answers} == {(422, "card_pin_wrong")}
        problem(await holder.asks(what, PIN, number=number, **more), 429, "card_pin_throttled")
    done(await holder.pays(5_000, PIN), 201)


async def _free_number(tx: Any, _: None) -> str:
    return str(tx.new_number("C", 9))


async def test_one_address_tries_at_many_cards_no_further_than_its_count(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRIES, "address", 7)
    numbers = [await holder.town.do(_free_number, None) for _ in range(4)]
    for turn in range(7):
        problem(await holder.asks("balance", "9999", host=FAR, number=numbers[turn // 4]), 422, "card_pin_wrong")
    problem(await holder.asks("balance", host=FAR), 429, "card_pin_throttled")
    done(await holder.asks("balance", host="8.8.4.4"))
    for turn in range(8):  # a proxy's address is everybody's, and counts for nobody
        number = numbers[2 + turn // 4]
        problem(await holder.asks("balance", "9999", host="10.0.0.1", number=number), 422, "card_pin_wrong")
    holder.town.wait(hours=1)
    done(await holder.asks("balance", host=FAR))


def test_an_address_is_counted_by_its_network_and_not_kept() -> None:
    key = town_keys().code_key
    assert address_name(key, "2400:4000::1") == address_name(key, "2400:4000::ffff")
    assert address_name(key, "2400:4000:0:1::1") != address_name(key, "2400:4000::1")
    assert address_name(key, FAR) != address_name(bytes(32), FAR)
    for nobodys in ("127.0.0.1", "192.168.0.7", "10.1.2.3", "::1", "fe80::1", "testclient", ""):
        assert address_name(key, nobodys) is None


async def test_the_old_pin_changes_it_and_then_pays_no_more(holder: Holder) -> None:
    problem(await holder.asks("pin", new_pin="1234"), 422, "card_pin_invalid")
    problem(await holder.asks("pin", "9999", new_pin=NEW_PIN), 422, "card_pin_wrong")
    done(await holder.asks("pin", new_pin=NEW_PIN))
    problem(await holder.pays(2_000, PIN), 422, "card_pin_wrong")
    done(await holder.pays(2_000, NEW_PIN), 201)
    await holder.town.must_prove()


async def test_at_the_counter_a_forgotten_pin_is_chosen_anew_with_a_reason(holder: Holder) -> None:
    done(await holder.office("pin", {"pin": NEW_PIN}))
    done(await holder.asks("balance", NEW_PIN))
    auditor = await holder.town.as_staff(Role.AUDITOR)
    entries = done(await auditor.get("/audit", params={"action": "card.pin_changed"}))["entries"]
    assert [each["detail"]["reason"] for each in entries] == [WHY["reason"]]
    assert NEW_PIN not in str(entries)


async def test_limits_go_down_by_pin_and_up_at_the_counter_only(holder: Holder) -> None:
    lower: dict[str, Any] = {"without_pin_yen": 0, "payment_yen": 3_000, "day_yen": 4_000}
    assert done(await holder.asks("limits", **lower)) == lower
    assert done(await holder.asks("balance"))["limits"] == lower
    assert problem(await holder.pays(1), 422, "card_pin_missing") == {"limit_yen": 0}
    assert problem(await holder.pays(3_001, PIN), 409, "card_limit_reached")["limit_yen"] == 3_000
    done(await holder.pays(3_000, PIN), 201)
    problem(await holder.pays(1_001, PIN), 409, "card_limit_reached")
    done(await holder.pays(1_000, PIN), 201)
    assert problem(await holder.asks("limits", day_yen=4_001), 422, "card_limit_too_high") == {"most_yen": 4_000}
    city = vars(CITY_LIMITS)
    above = {"without_pin_yen": None, "payment_yen": None, "day_yen": city["day_yen"] + 1}
    problem(await holder.office("limits", above), 422, "card_limit_too_high")
    assert done(await holder.office("limits", dict.fromkeys(city))) == city
    done(await holder.pays(6_000, PIN), 201)
    await holder.town.must_prove()


async def test_a_day_limit_below_one_payment_holds_for_the_first_of_the_day(holder: Holder) -> None:
    done(await holder.asks("limits", day_yen=500))
    problem(await holder.pays(501, PIN), 409, "card_limit_reached")
    done(await holder.pays(500, PIN), 201)


async def test_a_new_card_keeps_points_and_limits_and_the_old_one_knows_nothing(holder: Holder) -> None:
    done(await holder.asks("limits", payment_yen=700))
    new = await with_card(holder.town, holder.who, holder.shop)
    assert done(await new.asks("balance"))["limits"]["payment_yen"] == 700
    problem(await new.pays(701), 409, "card_limit_reached")
    done(await new.pays(700), 201)
    problem(await holder.asks("pin", new_pin=NEW_PIN), 422, "card_pin_wrong")
    problem(await holder.asks("limits", day_yen=1), 422, "card_pin_wrong")
    problem(await holder.office("limits", {"without_pin_yen": 1, "payment_yen": 1, "day_yen": 1}), 404, "not_found")


def test_the_city_lowers_what_a_holder_had_wished_for() -> None:
    card = nobody("C")
    assert limits_of(card, CITY_LIMITS) == CITY_LIMITS
    wished = OwnLimits(900, 8_000, None)
    own = type(card)(**vars(card) | {"own": wished})
    assert limits_of(own, CardLimits(500, 9_000, 9_500)) == CardLimits(500, 8_000, 9_500)


async def test_what_a_holder_does_on_the_web_is_in_the_audit_log_without_the_pin(
    holder: Holder, migrator_engine: AsyncEngine
) -> None:
    done(await holder.asks("limits", day_yen=9_999))
    done(await holder.asks("pin", new_pin=NEW_PIN))
    query = "SELECT action, detail::text FROM audit_entry WHERE action LIKE 'card.%' ORDER BY action"
    async with migrator_engine.connect() as connection:
        rows = (await connection.execute(text(query))).all()
    assert [row[0] for row in rows] == ["card.issued", "card.limits_lowered", "card.pin_changed"]
    assert not any(f'"{pin}"' in row[1] for row in rows for pin in (PIN, NEW_PIN))
