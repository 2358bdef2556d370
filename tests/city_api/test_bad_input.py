"""What an officer may type wrong: each a problem with a stable code, and nothing changed."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from tests.http_town import Client, HttpTown, done, problem
from tests.town import CODE, Resident, town_terms

TERMS: dict[str, Any] = json.loads(msgspec.json.encode(town_terms()))


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    made = HttpTown(engine)
    await made.programme()
    return made


@pytest.fixture
async def officer(town: HttpTown) -> Client:
    return await town.as_staff(Role.OFFICER)


def replaced(content: Any, path: str, value: Any) -> Any:
    """A copy of JSON content with one member changed."""
    copy = json.loads(json.dumps(content))
    *above, last = path.split(".")
    inner = copy
    for name in above:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    return copy


BAD_TERMS = [
    ("unit_price_yen", 0, "invalid_request"),
    ("unit_price_yen", "10000", "invalid_request"),
    ("unit_price_yen", 1e4, "invalid_request"),
    ("cap_yen", True, "invalid_request"),
    ("cap_yen", 10**20, "invalid_request"),
    ("cap_yen", 25_000, "terms_invalid"),
    ("stock_units", -1, "invalid_request"),
    ("purses", [], "invalid_request"),
    ("purses.0.premium_points", -1, "invalid_request"),
    ("purses.0.paid_points", 5_999, "terms_invalid"),
    ("purses.0.store_classes", ["huge"], "invalid_request"),
    ("purses.0.colour", "red", "invalid_request"),
    ("sale.first", "2026-02-30", "invalid_request"),
    ("sale.first", 20_260_401, "invalid_request"),
    ("sale.last", "2026-03-01", "terms_invalid"),
    ("issuer.kind", "company", "terms_invalid"),
    ("settlement.rhythm", "hourly", "invalid_request"),
    ("notices.cautions", "", "invalid_request"),
    ("notices.cautions", " ", "terms_invalid"),
    ("name", "a\u0000b", "invalid_request"),
]


async def test_bad_terms_are_refused(officer: Client, subtests: pytest.Subtests) -> None:
    for path, value, code in BAD_TERMS:
        with subtests.test(path=path, value=value, code=code):
            body = {"code": "another", "terms": replaced(TERMS, path, value), "reason": "r"}
            problem(await officer.command("/programmes", body), 422, code)
            assert len(done(await officer.get("/programmes"))["programmes"]) == 1


BAD_CODES = [
    ("X", 422, "programme_code_invalid"),
    ("日本", 422, "programme_code_invalid"),
    ("", 422, "invalid_request"),
    (CODE, 409, "programme_code_taken"),
]


async def test_a_programmes_code_is_checked(officer: Client, subtests: pytest.Subtests) -> None:
    for code, status, refused in BAD_CODES:
        with subtests.test(code=code, status=status, refused=refused):
            problem(
                await officer.command("/programmes", {"code": code, "terms": TERMS, "reason": "r"}), status, refused
            )


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
    "holder": "ホシ",
}
YUCHO = {"type": "yucho", "symbol": "14030", "number": "12345671", "holder": "ホシ"}
MERCHANT = {"name": "星空食堂", "payout_account": ACCOUNT, "store": STORE}


BAD_MERCHANTS = [
    ("payout_account.holder", "星空食堂", "not_bank_character"),
    ("payout_account.holder", "ｴｲｷﾞｮｳ,", "not_bank_character"),
    ("payout_account.holder", " ", "bank_text_empty"),
    ("payout_account.bank_code", "9999", "bank_unknown"),
    ("payout_account.branch_code", "998", "branch_unknown"),
    ("payout_account.number", "12345678", "account_number_invalid"),
    ("payout_account.number", 1234567, "invalid_request"),
    ("payout_account.kind", 1, "invalid_request"),
    ("payout_account.kind", "3", "invalid_request"),
    ("payout_account.type", "crypto", "invalid_request"),
    ("payout_account", None, "invalid_request"),
    ("payout_account", YUCHO | {"symbol": "24030"}, "yucho_number_invalid"),
    ("payout_account.unlisted", {"reason": "", "bank_name": "a", "branch_name": "b"}, "invalid_request"),
    ("invoice_number", "T123", "invoice_registration_invalid"),
    ("name", "", "invalid_request"),
    ("store.name", "x" * 26, "store_name_invalid"),
    ("store.name_latin", "星空", "store_name_latin_invalid"),
    ("store.mcc", "58", "mcc_invalid"),
    ("store.postal_code", "254", "postal_code_invalid"),
    ("store.store_class", "medium", "invalid_request"),
]


async def test_a_bad_merchant_is_refused(officer: Client, subtests: pytest.Subtests) -> None:
    for path, value, code in BAD_MERCHANTS:
        with subtests.test(path=path, value=value, code=code):
            problem(await officer.command("/merchants", replaced(MERCHANT, path, value)), 422, code)
            assert done(await officer.get("/merchants"))["merchants"] == []


async def test_kanji_in_a_bank_name_are_named_with_their_place(officer: Client) -> None:
    answer = await officer.command("/merchants", replaced(MERCHANT, "payout_account.holder", "ホシ空"))
    assert problem(answer, 422, "not_bank_character") == {"character": "空", "position": 3}


async def test_an_unlisted_bank_passes_with_an_officers_word(town: HttpTown, officer: Client) -> None:
    unlisted = {"reason": "opened last week", "bank_name": "ホシギンコウ", "branch_name": "ホンテン"}
    account = ACCOUNT | {"bank_code": "9899", "branch_code": "001", "unlisted": unlisted}
    made = done(await officer.command("/merchants", MERCHANT | {"payout_account": account}), 201)
    found = done(await officer.get(f"/merchants/{made['merchant_id']}"))["payout_account"]
    assert (found["override_reason"], found["bank_kana"]) == ("opened last week", "ﾎｼｷﾞﾝｺｳ")
    assert found["number"] == "***4567"
    path = f"/merchants/{made['merchant_id']}"
    town.wait(minutes=1)
    await town.second_yes(done(await officer.command(f"{path}/payout-accounts", {"payout_account": YUCHO}), 201))
    officer = await town.as_staff(Role.OFFICER)
    assert done(await officer.get(path))["payout_account"]["bank_code"] == "9900"
    done(await officer.command(f"{path}/stores", STORE | {"name": "二号店"}), 201)
    done(await officer.command(f"{path}/status", {"status": "suspended", "reason": "a check"}))
    assert [each["status"] for each in done(await officer.get("/merchants"))["merchants"]] == ["suspended"]
    problem(await officer.get(f"/merchants/{uuid4()}"), 404, "not_found")


class Grants:
    """The list of grants as an officer sends it."""

    def __init__(self, town: HttpTown, officer: Client, who: Resident) -> None:
        self.town, self.officer, self.who = town, officer, who

    async def send(self, content: bytes, media_type: str = "text/csv; charset=utf-8", **changes: Any) -> Any:
        params = {"programme": CODE, "purse": "common", "reason": "祝い金"} | changes
        headers = {"content-type": media_type}
        return await self.officer.command("/grants/batches", content=content, params=params, headers=headers)

    async def nothing_changed(self) -> None:
        assert await self.town.points(self.who) == 0
        await self.town.must_prove()


@pytest.fixture
async def grants(town: HttpTown, officer: Client) -> Grants:
    return Grants(town, officer, await town.resident())


async def test_a_list_is_tried_dry_and_then_granted(grants: Grants) -> None:
    content = f"\ufeffwallet_number,points\r\n{grants.who.wallet.number},300\r\n".encode()
    dry = done(await grants.send(content, dry_run="true"), 201)
    assert dry == {"change_id": None, "fingerprint": None, "wallets": 1, "points": 300}
    await grants.nothing_changed()
    proposed = done(await grants.send(content), 201)
    assert proposed["points"] == 300
    await grants.nothing_changed()
    await grants.town.second_yes(proposed)
    one = {"programme": CODE, "wallet_number": grants.who.wallet.number, "purse": "small", "points": 5, "reason": "r"}
    await grants.town.second_yes(done(await grants.officer.command("/grants", one), 201))
    assert await grants.town.points(grants.who) == 305
    await grants.town.must_prove()


BAD_LISTS = [
    (b"", (1, 1, "header_wrong")),
    (b"wallet,points\n", (1, 1, "header_wrong")),
    (b"wallet_number,points\n", (2, 1, "no_lines")),
    (b"wallet_number,points\n%s,0\n", (2, 2, "points_wrong")),
    (b"wallet_number,points\n%s,1.5\n", (2, 2, "points_wrong")),
    (b"wallet_number,points\n%s,1e3\n", (2, 2, "points_wrong")),
    (b"wallet_number,points\n%s,-1\n", (2, 2, "points_wrong")),
    (b"wallet_number,points\n%s,10\n%s,10\n", (3, 1, "wallet_repeated")),
    (b"wallet_number,points\n%s\n", (2, 2, "cells_wrong")),
    (b"wallet_number,points\n%s,1,2\n", (2, 3, "cells_wrong")),
    (b"wallet_number,points\nW0000,10\n", (2, 1, "wallet_number_wrong")),
    (b'wallet_number,points\n"%s,10\n', (2, 1, "not_csv")),
    (b"wallet_number,points\n%s,\xff\n", (2, 13, "not_utf8")),
    (b"wallet_number,points\n%s,1\x00\n", (2, 2, "points_wrong")),
]


async def test_a_bad_list_names_line_and_column(grants: Grants, subtests: pytest.Subtests) -> None:
    for rows, place in BAD_LISTS:
        with subtests.test(rows=rows, place=place):
            number = grants.who.wallet.number.encode()
            params: Mapping[str, Any] = problem(
                await grants.send(rows.replace(b"%s", number)), 422, "grant_list_invalid"
            )
            found = params["problems"][0]
            assert (found["line"], found["code"]) == (place[0], place[2])
            assert found["column"] == place[1]
            await grants.nothing_changed()


async def test_a_list_in_another_form_is_refused(grants: Grants) -> None:
    content = f"wallet_number,points\n{grants.who.wallet.number},300\n".encode()
    problem(await grants.send(content, "application/json"), 415, "unsupported_media_type")
    problem(await grants.send(content, ""), 415, "unsupported_media_type")
    huge = b"wallet_number,points\n" + b"x" * 5 * 1024 * 1024
    assert problem(await grants.send(huge), 413, "content_too_large")["limit_bytes"] == 5 * 1024 * 1024
    problem(await grants.send(content, programme="none"), 404, "programme_unknown")
    problem(await grants.send(content, purse="none"), 404, "purse_unknown")
    problem(await grants.send(content, reason=""), 422, "invalid_request")
    problem(await grants.send(content, dry_run="maybe"), 422, "invalid_request")
    problem(await grants.send(content, force="true"), 422, "invalid_request")
    answer = await grants.officer.post("/grants/batches", content=content, headers={"content-type": "text/csv"})
    problem(answer, 400, "idempotency_key_missing")
    await grants.nothing_changed()


async def test_more_than_the_budget_or_after_the_end_is_refused(grants: Grants) -> None:
    one = {"programme": CODE, "wallet_number": grants.who.wallet.number, "purse": "common", "reason": "r"}
    await grants.town.correct(replace(town_terms(), grant_budget_points=900_000))
    too_much = await grants.officer.command("/grants", one | {"points": 1_000_000})
    assert problem(too_much, 409, "grant_budget_exhausted")["left_points"] == 900_000
    for points in (0, -1, 1.5, True, "10", 10**20, 1_000_001):
        problem(await grants.officer.command("/grants", one | {"points": points}), 422, "invalid_request")
    grants.town.wait(days=300)
    officer = await grants.town.as_staff(Role.OFFICER)
    problem(await officer.command("/grants", one | {"points": 1}), 409, "programme_closed")
    await grants.nothing_changed()


async def test_one_grant_names_what_is_unknown(grants: Grants) -> None:
    one = {"programme": CODE, "wallet_number": grants.who.wallet.number, "purse": "common", "points": 1, "reason": "r"}
    problem(await grants.officer.command("/grants", one | {"purse": "gold"}), 404, "purse_unknown")
    problem(await grants.officer.command("/grants", one | {"wallet_number": "W"}), 422, "number_malformed")
    async with grants.town.database.begin() as tx:
        free = tx.new_number("W", 10)
    assert problem(await grants.officer.command("/grants", one | {"wallet_number": free}), 404, "wallet_unknown")
    await grants.nothing_changed()


async def test_numbers_are_checked_wherever_they_are_typed(officer: Client, subtests: pytest.Subtests) -> None:
    for typed, code in (("W", "number_malformed"), ("W234567", "number_mistyped")):
        with subtests.test(typed=typed):
            problem(await officer.get(f"/wallets/{typed}", params={"reason": "r"}), 422, code)
            problem(await officer.command(f"/wallets/{typed}/status", {"status": "active", "reason": "r"}), 422, code)
            problem(await officer.command(f"/purchases/{typed}/undo", {"reason": "r"}), 422, code)


DAYS = ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"]


async def test_days_and_instants_lie_between_2000_and_2099(
    town: HttpTown, officer: Client, subtests: pytest.Subtests
) -> None:
    shop = await town.shop()
    clerk = town.as_clerk(shop)
    for day in DAYS:
        with subtests.test(day=day):
            for path in (f"/stores/{shop.id}/payments", f"/stores/{shop.id}/totals"):
                [field] = problem(await clerk.get(path, params={"day": day}), 422, "invalid_request")["fields"]
                assert (field["location"], field["code"]) == ("query.day", "out_of_range")
            for instant in (f"{day}T00:00:00Z", f"{day}T23:59:59+14:00", f"{day}T00:00:00-14:00"):
                if instant in {"1999-12-31T00:00:00-14:00", "2100-01-01T23:59:59+14:00"}:
                    continue
                answer = await officer.get(f"/programmes/{CODE}/trial-balance", params={"at": instant})
                problem(answer, 422, "invalid_request")
    for day in ("2000-01-01", "2099-12-31"):
        done(await clerk.get(f"/stores/{shop.id}/totals", params={"day": day}))
        done(await officer.get(f"/programmes/{CODE}/trial-balance", params={"at": f"{day}T12:00:00Z"}))


async def test_reasons_are_not_only_spaces(town: HttpTown, officer: Client) -> None:
    shop = await town.shop()
    body = {"status": "suspended", "reason": " "}
    problem(await officer.command(f"/stores/{shop.id}/status", body), 422, "merchant_reason_missing")
    problem(await officer.command(f"/merchants/{shop.merchant_id}/status", body), 422, "merchant_reason_missing")


BAD_CLOSING_DAYS = [
    ("2026-04-15", 409, "closing_not_over"),
    ("2026-04-14", 422, "closing_date_not_in_calendar"),
    ("2026-03-31", 422, "closing_date_not_in_calendar"),
    ("2026-02-30", 422, "invalid_request"),
    (20260415, 422, "invalid_request"),
    (None, 422, "invalid_request"),
]


async def test_only_a_day_of_the_calendar_is_closed(officer: Client, subtests: pytest.Subtests) -> None:
    for day, status, code in BAD_CLOSING_DAYS:
        with subtests.test(day=day, status=status, code=code):
            problem(await officer.command(f"/programmes/{CODE}/closes", {"closing_date": day}), status, code)
            assert done(await officer.get(f"/programmes/{CODE}/closes"))["closes"] == []


BAD_TRANSFER_DAYS = [
    ("2026-04-07", 409, "payouts_none_due"),
    ("2026-04-05", 422, "transfer_date_out_of_range"),
    ("2026-04-11", 422, "transfer_day_closed"),
    ("2026-11-30", 422, "transfer_date_out_of_range"),
    ("tomorrow", 422, "invalid_request"),
]


async def test_a_bank_file_needs_a_day_and_money(officer: Client, subtests: pytest.Subtests) -> None:
    for day, status, code in BAD_TRANSFER_DAYS:
        with subtests.test(day=day, status=status, code=code):
            problem(await officer.command("/bank-files", {"programme": CODE, "transfer_date": day}), status, code)
            assert done(await officer.get("/bank-files"))["bank_files"] == []


BAD_AMOUNTS = [0, -1, 0.5, True, "10", 1e3, 10**20, None]


async def test_money_in_is_whole_yen(officer: Client, subtests: pytest.Subtests) -> None:
    for amount in BAD_AMOUNTS:
        with subtests.test(amount=amount):
            body = {"source": "channel", "amount_yen": amount}
            problem(await officer.command(f"/programmes/{CODE}/money-in", body), 422, "invalid_request")


async def test_a_used_purchase_is_not_undone(town: HttpTown, officer: Client) -> None:
    who, shop = await town.resident(), await town.shop()
    client = town.as_resident(who)
    path = f"/wallets/{who.wallet.id}/purchases"
    numbers = []
    for _ in range(2):
        town.wait(minutes=1)
        made = done(await client.command(path, {"programme": CODE, "units": 1}), 201)
        await town.client("").post(f"{made['checkout_url']}/pay")
        numbers.append(made["number"])
    await town.pay(who, shop, 100)
    undone = done(await officer.command(f"/purchases/{numbers[1]}/undo", {"reason": "by mistake"}), 200)
    assert undone["status"] == "undone"
    assert await town.points(who) == 12_900
    problem(await officer.command(f"/purchases/{numbers[0]}/undo", {"reason": "r"}), 409, "purchase_not_undoable")
    problem(await officer.command("/purchases/B1/undo", {"reason": "r"}), 422, "number_malformed")
    await town.must_prove()
