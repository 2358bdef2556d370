"""A tablet that a store's staff share, over HTTP: who signs in there, what they may do, and when it ends."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.hashing import compare_password
from services.identity.people import AccountStatus, Role
from services.identity.staff import OpenMerchantAccount, SetAccountStatus, open_merchant_account, set_account_status
from services.identity.tokens import Audience
from services.merchants.add_member import AddMember, add_member
from services.merchants.shops import MemberRole
from services.tills.pin import SPANS
from tests.http_town import MERCHANT, Client, HttpTown, done, problem
from tests.town import OFFICER, Resident, Shop

PIN, OTHER_PIN = "4071", "905162"
WHY = {"reason": "matters of course"}
MOST = SPANS["short"][0]


@dataclass
class Desk:
    """A store with an owner, its clerk, and a register."""

    town: HttpTown
    who: Resident
    shop: Shop
    owner_id: UUID
    register_token: str
    register_id: str

    @property
    def owner(self) -> Client:
        return self.full(self.owner_id)

    @property
    def path(self) -> str:
        return f"/stores/{self.shop.id}"

    def full(self, account_id: UUID) -> Client:
        """Signed in by e-mail and password."""
        return self.town.client(MERCHANT, self.town.token(Audience.MERCHANT, account_id, Role.MERCHANT))

    def shown(self, **more: Any) -> dict[str, Any]:
        return {"register_token": self.register_token} | more

    async def invite(self, account_id: UUID) -> str:
        path = f"{self.path}/members/{account_id}/pin-invitation"
        return str(done(await self.owner.command(path, {}), 201)["code"])

    async def choose(self, account_id: UUID, pin: str = PIN) -> None:
        body = self.shown(account_id=str(account_id), code=await self.invite(account_id), pin=pin)
        done(await self.town.client(MERCHANT).post("/registers/pin", json=body))

    async def type_pin(self, account_id: UUID, pin: str = PIN) -> Any:
        body = self.shown(account_id=str(account_id), pin=pin)
        return await self.town.client(MERCHANT).post("/registers/sign-in", json=body)

    async def sign_in(self, account_id: UUID, pin: str = PIN) -> Client:
        return self.town.client(MERCHANT, done(await self.type_pin(account_id, pin))["access_token"])

    async def pay(self, by: Client, yen: int = 100) -> Any:
        return await by.command(f"{self.path}/payments", {"pay_code": self.town.code_of(self.who), "amount_yen": yen})


@pytest.fixture
async def counter(engine: AsyncEngine) -> Desk:
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    owner_id = await employ(town, shop, MemberRole.OWNER)
    client = town.client(MERCHANT, town.token(Audience.MERCHANT, owner_id, Role.MERCHANT))
    made = done(await client.command(f"/stores/{shop.id}/registers", {"name": "1番レジ"}), 201)
    return Desk(town, who, shop, owner_id, made["register_token"], made["id"])


async def employ(town: HttpTown, shop: Shop, role: MemberRole) -> UUID:
    email = f"{role.value}-{shop.id.hex}@shop.example.jp"
    opened = await town.do(open_merchant_account, OpenMerchantAccount(OFFICER, email, role.value, "no password"))
    await town.do(add_member, AddMember(OFFICER, True, shop.id, opened.account_id, role))
    return opened.account_id


async def test_a_clerk_takes_and_gives_back_by_pin_and_each_deed_names_both(counter: Desk) -> None:
    town, clerk_id = counter.town, counter.shop.clerk_id
    await counter.choose(clerk_id)
    clerk = await counter.sign_in(clerk_id)
    paid = done(await counter.pay(clerk, 300), 201)
    path = f"{counter.path}/payments/{paid['payment_id']}"
    done(await clerk.command(f"{path}/refunds", WHY | {"amount_yen": 50}), 201)
    line = done(await clerk.get(path))
    assert (line["taken_by"], line["register_id"]) == (str(clerk_id), counter.register_id)
    [back] = line["returns"]
    assert (back["acted_by"], back["register_id"]) == (str(clerk_id), counter.register_id)
    full = done(await counter.pay(counter.full(clerk_id), 10), 201)
    line = done(await clerk.get(f"{counter.path}/payments/{full['payment_id']}"))
    assert (line["taken_by"], line["register_id"]) == (str(clerk_id), None)
    await town.must_prove()


async def test_a_code_shown_at_a_register_names_the_register_but_not_who_paid(counter: Desk) -> None:
    await counter.choose(counter.shop.clerk_id)
    clerk = await counter.sign_in(counter.shop.clerk_id)
    code = done(await clerk.command(f"{counter.path}/till-codes", {"amount_yen": 40}), 201)
    pay = f"/wallets/{counter.who.wallet.id}/payments"
    done(await counter.town.as_resident(counter.who).command(pay, {"code": code["url"], "amount_yen": 40}), 201)
    [line] = done(await clerk.get(f"{counter.path}/payments"))["payments"]
    assert (line["mode"], line["taken_by"], line["register_id"]) == ("till", None, counter.register_id)


async def test_a_retry_at_the_register_after_signing_in_again_is_the_same_payment(counter: Desk) -> None:
    await counter.choose(counter.shop.clerk_id)
    body = {"pay_code": counter.town.code_of(counter.who), "amount_yen": 30}
    key, answers = counter.town.new_key(), []
    for _ in range(2):
        clerk = await counter.sign_in(counter.shop.clerk_id)
        answers.append(done(await clerk.command(f"{counter.path}/payments", body, key=key), 201))
    assert answers[0] == answers[1]
    assert await counter.town.points(counter.who) == 13_000 - 30


async def test_no_right_of_an_owner_comes_by_a_pin_not_even_through_a_refresh(counter: Desk) -> None:
    await counter.choose(counter.owner_id)
    answer = done(await counter.type_pin(counter.owner_id))
    again = {"refresh_token": answer["refresh_token"]}
    refreshed = done(await counter.town.client(MERCHANT).command("/sign-in/refresh", again))
    for token in (answer["access_token"], refreshed["access_token"]):
        owner = counter.town.client(MERCHANT, token)
        done(await owner.get(counter.path))
        for path in ("members", "statements", "registers"):
            problem(await owner.get(f"{counter.path}/{path}"), 403, "forbidden")
        problem(await owner.get("/sessions"), 403, "forbidden")
        problem(await owner.command("/sign-out", {"everywhere": True}), 403, "forbidden")
    assert done(await owner.command("/sign-out", {}))["ended"] == 1
    problem(await owner.get(counter.path), 401, "session_ended")


async def test_a_session_at_a_register_is_for_its_store_only(counter: Desk) -> None:
    town, clerk_id = counter.town, counter.shop.clerk_id
    branch = await town.shop(merchant_id=counter.shop.merchant_id)
    await town.do(add_member, AddMember(OFFICER, True, branch.id, clerk_id, MemberRole.CLERK))
    await counter.choose(clerk_id)
    clerk = await counter.sign_in(clerk_id)
    body = {"pay_code": town.code_of(counter.who), "amount_yen": 5}
    problem(await clerk.command(f"/stores/{branch.id}/payments", body), 404, "not_found")
    done(await counter.full(clerk_id).command(f"/stores/{branch.id}/payments", body), 201)


async def test_a_register_alone_offers_its_staff_and_does_nothing_else(counter: Desk) -> None:
    clerk_id = counter.shop.clerk_id
    nobody = counter.town.client(MERCHANT)
    assert done(await nobody.post("/registers/staff", json=counter.shown()))["staff"] == []
    await counter.choose(clerk_id)
    offered = done(await nobody.post("/registers/staff", json=counter.shown()))
    assert offered["staff"] == [{"account_id": str(clerk_id), "name": "店員"}]
    assert offered["store_id"] == str(counter.shop.id)
    register = counter.town.client(MERCHANT, counter.register_token)
    problem(await register.get(counter.path), 401, "token_invalid")
    forged = counter.register_token[:-2] + ("AA" if counter.register_token[-2:] != "AA" else "BB")
    problem(await nobody.post("/registers/staff", json={"register_token": forged}), 401, "register_refused")


async def test_who_signs_in_takes_the_place_of_who_was_there(counter: Desk) -> None:
    await counter.choose(counter.owner_id, OTHER_PIN)
    await counter.choose(counter.shop.clerk_id)
    clerk = await counter.sign_in(counter.shop.clerk_id)
    owner = await counter.sign_in(counter.owner_id, OTHER_PIN)
    problem(await counter.pay(clerk), 401, "session_ended")
    done(await counter.pay(owner), 201)


async def test_ten_idle_minutes_end_it_and_only_deeds_put_that_off(counter: Desk) -> None:
    await counter.choose(counter.shop.clerk_id)
    answer = done(await counter.type_pin(counter.shop.clerk_id))
    refresh = answer["refresh_token"]

    async def on() -> Client:
        nonlocal refresh
        client = counter.town.client(MERCHANT)
        got = done(await client.command("/sign-in/refresh", {"refresh_token": refresh}))
        refresh = got["refresh_token"]
        return counter.town.client(MERCHANT, got["access_token"])

    for _ in range(3):
        counter.town.wait(minutes=9)
        done(await counter.pay(await on(), 1), 201)
    for _ in range(2):
        counter.town.wait(minutes=4)
        clerk = await on()
        done(await clerk.get(f"{counter.path}/payments"))
    counter.town.wait(minutes=3)
    problem(await counter.pay(clerk), 401, "session_ended")
    sent = await counter.town.client(MERCHANT).command("/sign-in/refresh", {"refresh_token": refresh})
    problem(sent, 401, "session_ended")


@pytest.mark.parametrize("what", ["register", "member", "pin", "account"])
async def test_what_is_taken_away_is_heard_at_the_next_payment(counter: Desk, what: str) -> None:
    clerk_id, town = counter.shop.clerk_id, counter.town
    await counter.choose(clerk_id)
    clerk = await counter.sign_in(clerk_id)
    done(await counter.pay(clerk), 201)
    match what:
        case "register":
            done(await counter.owner.command(f"{counter.path}/registers/{counter.register_id}/revocation", WHY))
        case "member":
            done(await counter.owner.command(f"{counter.path}/members/{clerk_id}/disable", WHY))
        case "pin":
            await counter.invite(clerk_id)
        case _:
            await town.do(set_account_status, SetAccountStatus(OFFICER, clerk_id, AccountStatus.DISABLED, "left"))
    problem(await counter.pay(clerk), 401, "session_ended")
    code = "register_refused" if what == "register" else "clerk_pin_wrong"
    problem(await counter.type_pin(clerk_id), 401, code)


async def test_a_pin_does_not_come_back_with_the_work(counter: Desk) -> None:
    clerk_id = counter.shop.clerk_id
    await counter.choose(clerk_id)
    done(await counter.owner.command(f"{counter.path}/members/{clerk_id}/disable", WHY))
    await counter.town.do(add_member, AddMember(OFFICER, True, counter.shop.id, clerk_id, MemberRole.CLERK))
    problem(await counter.type_pin(clerk_id), 401, "clerk_pin_wrong")


async def test_of_many_guesses_at_once_only_the_allowed_are_compared(
    counter: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk_id = counter.shop.clerk_id
    await counter.choose(clerk_id)
    compared = []

    async def counting(stored: str | None, *rest: Any) -> bool:
        compared.append(stored)
        return await compare_password(stored, *rest)

    monkeypatch.setattr("services.tills.use_pin.compare_password", counting)
    answers = await asyncio.gather(*(counter.type_pin(clerk_id, f"{7300 + turn}") for turn in range(20)))
    codes = Counter(each.json()["code"] for each in answers)
    assert codes == {"clerk_pin_wrong": MOST, "clerk_pin_throttled": 20 - MOST}
    assert len(compared) == MOST
    problem(await counter.type_pin(clerk_id), 429, "clerk_pin_throttled")


async def test_a_prankster_locks_nobody_out_for_good_nor_elsewhere(counter: Desk) -> None:
    clerk_id, town = counter.shop.clerk_id, counter.town
    await counter.choose(clerk_id)
    for _ in range(MOST):
        problem(await counter.type_pin(clerk_id, "7300"), 401, "clerk_pin_wrong")
    wait = problem(await counter.type_pin(clerk_id), 429, "clerk_pin_throttled")["retry_after_seconds"]
    second = done(await counter.owner.command(f"{counter.path}/registers", {"name": "2番レジ"}), 201)
    elsewhere = {"register_token": second["register_token"], "account_id": str(clerk_id), "pin": PIN}
    done(await town.client(MERCHANT).post("/registers/sign-in", json=elsewhere))
    town.clock.advance(timedelta(seconds=wait))
    done(await counter.type_pin(clerk_id))
    most, window = SPANS["day"]
    for turn in range(most - MOST):
        if turn % (MOST - 1) == 0:
            town.clock.advance(SPANS["short"][1])
        problem(await counter.type_pin(clerk_id, "7300"), 401, "clerk_pin_wrong")
    town.clock.advance(SPANS["short"][1])
    problem(await counter.type_pin(clerk_id), 429, "clerk_pin_throttled")
    town.clock.advance(window)
    done(await counter.type_pin(clerk_id))


async def test_a_right_pin_buys_no_more_guesses(counter: Desk) -> None:
    clerk_id = counter.shop.clerk_id
    await counter.choose(clerk_id)
    for _ in range(MOST - 1):
        problem(await counter.type_pin(clerk_id, "7300"), 401, "clerk_pin_wrong")
    done(await counter.type_pin(clerk_id))
    problem(await counter.type_pin(clerk_id, "7300"), 401, "clerk_pin_wrong")
    problem(await counter.type_pin(clerk_id), 429, "clerk_pin_throttled")


async def test_an_invitation_works_once_for_a_day_and_is_guessed_no_better_than_a_pin(counter: Desk) -> None:
    clerk_id, nobody = counter.shop.clerk_id, counter.town.client(MERCHANT)
    code = await counter.invite(clerk_id)
    body = counter.shown(account_id=str(clerk_id), code=code.lower().replace("-", " "), pin=PIN)
    wrong = body | {"code": "0" * 16}
    problem(await nobody.post("/registers/pin", json=body | {"pin": "1234"}), 422, "clerk_pin_guessable")
    problem(await nobody.post("/registers/pin", json=wrong), 401, "pin_invitation_refused")
    done(await nobody.post("/registers/pin", json=body))
    problem(await nobody.post("/registers/pin", json=body), 401, "pin_invitation_refused")
    old = body | {"code": await counter.invite(clerk_id)}
    counter.town.wait(hours=24)
    problem(await nobody.post("/registers/pin", json=old), 401, "pin_invitation_refused")
    await counter.invite(clerk_id)
    for _ in range(MOST - 1):
        problem(await nobody.post("/registers/pin", json=wrong), 401, "pin_invitation_refused")
    problem(await nobody.post("/registers/pin", json=wrong), 429, "clerk_pin_throttled")


async def test_a_manager_invites_clerks_only_and_a_clerk_nobody(counter: Desk) -> None:
    manager_id = await employ(counter.town, counter.shop, MemberRole.MANAGER)
    manager, clerk = counter.full(manager_id), counter.full(counter.shop.clerk_id)
    members = f"{counter.path}/members"
    done(await manager.command(f"{members}/{counter.shop.clerk_id}/pin-invitation", {}), 201)
    done(await manager.command(f"{members}/{manager_id}/pin-invitation", {}), 201)
    problem(await manager.command(f"{members}/{counter.owner_id}/pin-invitation", {}), 403, "forbidden")
    problem(await clerk.command(f"{members}/{counter.shop.clerk_id}/pin-invitation", {}), 403, "forbidden")
    problem(await clerk.command(f"{counter.path}/registers", {"name": "x"}), 403, "forbidden")


async def test_neither_pin_nor_register_nor_invitation_can_be_read(counter: Desk, migrator_engine: AsyncEngine) -> None:
    code = await counter.invite(counter.shop.clerk_id)
    await counter.choose(counter.owner_id)
    stored = ""
    async with migrator_engine.connect() as connection:
        for table in ("register", "clerk_pin", "deed", "audit_entry"):
            query = f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t"
            stored += (await connection.execute(text(query))).scalar_one()
    assert "argon2id" in stored
    assert counter.register_token.removeprefix("TR1.") not in stored
    assert code not in stored
    assert code.replace("-", "") not in stored
