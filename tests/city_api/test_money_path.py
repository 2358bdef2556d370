"""The whole way of the money over HTTP alone: from a city's decision to a store's bank account."""

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.phone import SandboxPhone
from services.identity.people import Role
from services.merchants.add_member import AddMember, add_member
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.shops import MemberRole
from tests.http_town import CITY, MERCHANT, URL, WALLET, Client, HttpTown, done, problem
from tests.town import NOON, OFFICER, town_terms

PASSWORD = "momiji-no-yama-77"
STORE = {
    "name": "星空食堂",
    "name_latin": "HOSHIZORA SHOKUDO",
    "store_class": "small",
    "mcc": "5812",
    "postal_code": "254-0045",
    "city_latin": "HOSHIMI",
}
ACCOUNT = {
    "type": "bank",
    "bank_code": "0138",
    "branch_code": "380",
    "kind": "1",
    "number": "1234567",
    "holder": "ホシゾラショクドウ",
}
TERMS: dict[str, Any] = json.loads(msgspec.json.encode(town_terms()))


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


async def publish(town: HttpTown) -> None:
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    body = {"code": "starlight", "terms": TERMS, "reason": "decided by the assembly"}
    proposed = done(await officer.command("/programmes", body), 201)
    shown = done(await approver.get("/programmes/starlight"))
    assert (shown["fingerprint"], shown["approved"]) == (proposed["fingerprint"], False)
    assert shown["terms"] == TERMS
    path = "/programmes/starlight/versions/1/approval"
    done(await approver.command(path, {"fingerprint": shown["fingerprint"]}), 201)


async def open_store(town: HttpTown) -> tuple[Client, dict[str, Any]]:
    """A merchant with an owner who signs in."""
    officer = await town.as_staff(Role.OFFICER)
    body = {"name": "星空食堂 株式会社", "payout_account": ACCOUNT, "store": STORE}
    merchant = done(await officer.command("/merchants", body), 201)
    owner = {"email": "owner@example.jp", "name": "星空 花子", "password": PASSWORD, "role": "owner"}
    done(await officer.command(f"/stores/{merchant['store_id']}/members", owner), 201)
    sign_in = {"email": "owner@example.jp", "password": PASSWORD}
    answer = done(await town.client(MERCHANT).post("/sign-in", json=sign_in))
    return town.client(MERCHANT, answer["access_token"]), merchant


async def move_in(town: HttpTown) -> tuple[Client, str, SandboxPhone, str]:
    """A resident by phone: client, wallet, phone, device."""
    public = town.client(WALLET)
    attempt = done(await public.post("/sign-in/codes", json={"phone": "090-1111-2222"}), 202)["attempt_id"]
    code = re.search(r"\d{6}", town.built.outbox.messages()[0].text)
    assert code
    answer = done(await public.post("/sign-in", json={"attempt_id": attempt, "code": code[0]}))
    client, wallet = town.client(WALLET, answer["access_token"]), answer["wallets"][0]["id"]
    phone = SandboxPhone(town.entropy.take(32))
    device = {"name": "phone", "public_jwk": phone.public_jwk()}
    made = done(await client.command(f"/wallets/{wallet}/devices", device), 201)
    return client, wallet, phone, made["id"]


async def test_from_decision_to_bank_account(town: HttpTown) -> None:
    await publish(town)
    store, merchant = await open_store(town)
    resident, wallet, phone, device = await move_in(town)
    bought = done(await resident.command(f"/wallets/{wallet}/purchases", {"programme": "starlight", "units": 1}), 201)
    await town.client("").post(f"{bought['checkout_url']}/pay")
    code = phone.pay_code(UUID(wallet), UUID(device), town.clock.now(), uuid4())
    payments = f"/stores/{merchant['store_id']}/payments"
    done(await store.command(payments, {"pay_code": code, "amount_yen": 3_000}), 201)
    scanned = {"code": f"{URL}/S/{merchant['store_code']}", "amount_yen": 2_000}
    paid = done(await resident.command(f"/wallets/{wallet}/payments", scanned), 201)
    back = {"amount_yen": 500, "reason": "返品"}
    done(await store.command(f"{payments}/{paid['payment_id']}/refunds", back), 201)
    assert done(await resident.get(f"/wallets/{wallet}"))["total_points"] == 8_500

    town.go_to(NOON.replace(day=16, hour=9))
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    closed = done(await officer.command("/programmes/starlight/closes", {"closing_date": "2026-04-15"}), 201)
    [statement] = done(await officer.get(f"/closes/{closed['id']}/statements"))["statements"]
    figures = statement["figures"]
    assert (figures["payments_yen"], figures["refunded_yen"]) == (5_000, 500)
    assert figures["payout_yen"] == closed["payout_yen"] > 0
    text = await officer.get(f"/statements/{statement['id']}.txt", headers={"accept-language": "en"})
    assert f"{figures['payout_yen']:,}" in text.text

    file = await pay_out(town, closed["transfer_date"])
    content = await officer.get(f"/bank-files/{file['id']}/content")
    assert hashlib.sha256(content.content).hexdigest() == file["sha256"]
    assert content.headers["content-disposition"].endswith('.zengin"')
    assert content.content == (await approver.get(f"/bank-files/{file['id']}/content")).content
    problem(await (await town.as_staff(Role.AUDITOR)).get(f"/bank-files/{file['id']}/content"), 403, "forbidden")

    store = await signed_in_again(town)
    [told] = done(await store.get(f"/stores/{merchant['store_id']}/statements"))["statements"]
    assert told == statement
    page = await store.get(f"/stores/{merchant['store_id']}/statements/{statement['id']}.txt")
    assert page.headers["content-type"].startswith("text/plain")
    money = {"source": "channel", "amount_yen": 10_000}
    done(await officer.command("/programmes/starlight/money-in", money), 201)
    books = done(await officer.get("/programmes/starlight/trial-balance"))["accounts"]
    assert sum(row["balance_yen"] for row in books) == 0
    assert sum(row["debit_yen"] for row in books) > 0
    assert done(await officer.get("/proof"))["clean"] is True
    await town.must_prove()


async def pay_out(town: HttpTown, day: str) -> dict[str, Any]:
    """Propose, approve, send and pay a file; each step by the right hand only, and once."""
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    asked = {"programme": "starlight", "transfer_date": day}
    file: dict[str, Any] = done(await officer.command("/bank-files", asked), 201)["file"]
    path = f"/bank-files/{file['id']}"
    [line] = done(await approver.get(path))["lines"]
    assert (line["amount_yen"], line["masked_number"]) == (file["total_yen"], "***4567")
    problem(await officer.command("/bank-files", asked), 409, "payouts_none_due")
    problem(await officer.get(f"{path}/content"), 409, "bank_file_step_wrong")
    problem(await officer.command(f"{path}/approval", {"sha256": file["sha256"]}), 403, "forbidden")
    problem(await approver.command(f"{path}/approval", {"sha256": "0" * 64}), 409, "bank_file_differs")
    done(await approver.command(f"{path}/approval", {"sha256": file["sha256"]}), 201)
    problem(await officer.command(f"{path}/void", {"reason": "r"}), 409, "bank_file_step_wrong")
    assert done(await officer.command(f"{path}/sent"))["status"] == "sent"
    assert done(await officer.command(f"{path}/paid"))["status"] == "paid"
    [listed] = done(await officer.get("/bank-files"))["bank_files"]
    assert listed["id"] == file["id"]
    return file


async def signed_in_again(town: HttpTown) -> Client:
    sign_in = {"email": "owner@example.jp", "password": PASSWORD}
    answer = done(await town.client(MERCHANT).post("/sign-in", json=sign_in))
    return town.client(MERCHANT, answer["access_token"])


async def test_nobody_approves_what_they_proposed(town: HttpTown) -> None:
    both = await town.as_staff(Role.OFFICER, Role.APPROVER)
    body = {"code": "starlight", "terms": TERMS, "reason": "r"}
    proposed = done(await both.command("/programmes", body), 201)
    path = "/programmes/starlight/versions/1/approval"
    answer = await both.command(path, {"fingerprint": proposed["fingerprint"]})
    problem(answer, 403, "second_officer_needed")
    other = await town.as_staff(Role.APPROVER)
    problem(await other.command(path, {"fingerprint": "0" * 64}), 409, "nothing_to_approve")
    problem(await town.client(WALLET).get("/programmes/starlight"), 404, "programme_unknown")
    corrected = TERMS | {"name": "改訂版"}
    version = {"terms": corrected, "reason": "a slip"}
    done(await both.command("/programmes/starlight/versions", version), 201)
    answer = await other.command(path, {"fingerprint": proposed["fingerprint"]})
    problem(answer, 409, "nothing_to_approve")


async def test_an_approver_opens_accounts_that_can_sign_in(town: HttpTown) -> None:
    approver = await town.as_staff(Role.APPROVER)
    body = {"email": "sato@city.example.jp", "name": "佐藤", "password": PASSWORD, "roles": ["auditor"]}
    done(await approver.command("/officers", body), 201)
    answer = done(await town.client(CITY).post("/sign-in", json={"email": body["email"], "password": PASSWORD}))
    assert answer["roles"] == ["auditor"]
    auditor = town.client(CITY, answer["access_token"])
    assert done(await auditor.get("/proof"))["clean"] is True
    problem(await auditor.command("/officers", body), 403, "forbidden")


async def test_the_office_looks_and_it_is_written_down(town: HttpTown) -> None:
    await town.programme()
    who, officer = await town.resident(), await town.as_staff(Role.OFFICER)
    await town.buy(who)
    path, why = f"/wallets/{who.wallet.number.lower()}", {"reason": "she asked what is left"}
    problem(await officer.get(path), 422, "invalid_request")
    found = done(await officer.get(path, params=why))
    assert found["total_points"] == 13_000
    async with town.database.begin() as tx:
        asked = "SELECT actor_id, detail FROM audit_entry WHERE action = 'wallet.looked_at' AND subject_id = $1"
        row = await tx.connection.exec_driver_sql(asked, (who.wallet.id,))
        assert [tuple(each) for each in row] == [(town.account_of(Role.OFFICER), why)]
    path = f"/wallets/{who.wallet.number}/status"
    assert done(await officer.command(path, {"status": "suspended", "reason": "lost"}))["status"] == "suspended"


async def test_a_correction_names_who_approved_it(town: HttpTown) -> None:
    await publish(town)
    officer, approver = await town.as_staff(Role.OFFICER), await town.as_staff(Role.APPROVER)
    town.wait(minutes=5)
    done(
        await officer.command(
            "/programmes/starlight/versions", {"terms": TERMS | {"name": "改訂"}, "reason": "a slip"}
        ),
        201,
    )
    shown = done(await officer.get("/programmes/starlight"))
    assert (shown["version"], shown["approved"], shown["approved_by"], shown["reason"]) == (2, False, None, "a slip")
    assert (shown["terms"]["name"], shown["published"]["terms"]) == ("改訂", TERMS)
    assert (shown["published"]["version"], shown["published"]["in_force"]) == (1, True)
    approval = "/programmes/starlight/versions/2/approval"
    done(await approver.command(approval, {"fingerprint": shown["fingerprint"]}), 201)
    versions = done(await (await town.as_staff(Role.AUDITOR)).get("/programmes/starlight/versions"))["versions"]
    assert [(each["version"], each["in_force"], each["reason"]) for each in versions] == [
        (2, True, "a slip"),
        (1, False, "decided by the assembly"),
    ]
    for each, minutes in zip(versions, (5, 0), strict=True):
        assert each["proposed_by"] == str(town.account_of(Role.OFFICER))
        assert each["approved_by"] == str(town.account_of(Role.APPROVER))
        assert each["approved_by_name"] == "職員"
        assert datetime.fromisoformat(each["approved_at"]) == NOON + timedelta(minutes=minutes)
        assert len(each["fingerprint"]) == 64
    problem(await officer.get("/programmes/moonlight/versions"), 404, "programme_unknown")


async def pages(client: Client, path: str, name: str, after: str = "after") -> list[dict[str, Any]]:
    """A whole list, read one thing at a time."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": 1}
    while True:
        page = done(await client.get(path, params=asked))
        assert len(page[name]) <= 1
        found += page[name]
        if page["next"] is None:
            return found
        asked[after] = page["next"]


async def test_no_list_ends_silently(town: HttpTown) -> None:
    await town.programme()
    who, shop, other = await town.resident(), await town.shop(), await town.shop()
    await town.buy(who)
    officer = await town.as_staff(Role.OFFICER)
    for minute in range(3):
        town.wait(minutes=minute)
        await town.pay(who, shop, 1_000 + minute)
        await town.pay(who, other, 1_000)
    payments = await pages(town.as_clerk(shop), f"/stores/{shop.id}/payments", "payments")
    assert [each["amount_yen"] for each in payments] == [1_002, 1_001, 1_000]
    merchants = await pages(officer, "/merchants", "merchants")
    assert {each["id"] for each in merchants} == {str(shop.merchant_id), str(other.merchant_id)}
    await town.do(disable_member, DisableMember(OFFICER, True, shop.id, shop.clerk_id, "promoted"))
    await town.do(add_member, AddMember(OFFICER, True, shop.id, shop.clerk_id, MemberRole.OWNER))
    for number, (now, day) in enumerate(((16, "2026-04-15"), (31, "2026-04-30"))):
        town.go_to(NOON + timedelta(days=now - 6))
        officer = await town.as_staff(Role.OFFICER)
        closed = done(await officer.command("/programmes/starlight/closes", {"closing_date": day}), 201)
        listed = await pages(officer, f"/closes/{closed['id']}/statements", "statements", "after_store")
        assert len(listed) == 2
        asked = {"programme": "starlight", "transfer_date": closed["transfer_date"]}
        done(await officer.command("/bank-files", asked), 201)
        if number == 0:
            await town.pay(who, shop, 3_000)
            await town.pay(who, other, 1_000)
    files = await pages(officer, "/bank-files", "bank_files")
    assert [each["transfer_date"] for each in files] == sorted((each["transfer_date"] for each in files), reverse=True)
    assert len(files) == 2
    statements = await pages(town.as_clerk(shop), f"/stores/{shop.id}/statements", "statements")
    assert [each["closing_date"] for each in statements] == ["2026-04-30", "2026-04-15"]
