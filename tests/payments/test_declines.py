"""Declined payments: explained to the desk in three languages, kept behind the payment, and nobody else's doing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import locales
from services.identity.people import Role
from services.kit.db import Tx
from services.kit.errors import Busy, Missing
from services.payments import keep_declines
from services.payments.decline import EXPLAINED, MOST_A_DAY, Declined, declined
from services.payments.keep_declines import MOST_WAITING, Declines, forget_declines
from services.payments.order import PayStore
from services.payments.payment import Mode
from services.payments.tables import declines as rows
from services.wallets.card import card_token
from services.wallets.issue_card import IssueCard, issue_card
from services.wallets.lost_phone import BlockPhones, block_phones
from services.wallets.open import SetWalletStatus, set_wallet_status
from services.wallets.spend import PointsMissing
from tests.house.counting import counting
from tests.http_town import HttpTown, documented_codes, done, operations, problem, town_keys
from tests.town import NOON, OFFICER, Resident, Shop

LOOK = {"purpose": "payment_declined"}
LANGUAGES = ("ja", "en", "ja-simple")
NOT_THE_PAYERS = {
    "pay_code_malformed", "pay_code_forged", "device_unknown", "not_found", "card_malformed", "card_unknown",
    "number_malformed", "number_mistyped", "number_of_other_kind",
    "code_foreign", "code_unknown", "invalid_request", "too_many_requests",
    "idempotency_key_reused", "deed_in_progress", "forbidden", "cross_site",
}  # fmt: skip
"""What is said before anybody has proved whose wallet it is, or of the request itself."""


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


async def shown(town: HttpTown, who: Resident) -> list[dict[str, Any]]:
    desk = await town.as_staff(Role.CALL_CENTRE)
    found: list[dict[str, Any]] = done(await desk.get(f"/wallets/{who.wallet.number}/declines", params=LOOK))[
        "declines"
    ]
    return found


async def by_code(town: HttpTown, who: Resident, shop: Shop, yen: int, code: str | None = None) -> Any:
    body = {"pay_code": code or town.code_of(who), "amount_yen": yen}
    return await town.as_clerk(shop).command(f"/stores/{shop.id}/payments", body)


async def by_store(town: HttpTown, who: Resident, code: str, yen: int | None) -> Any:
    return await town.as_resident(who).command(f"/wallets/{who.wallet.id}/payments", {"code": code, "amount_yen": yen})


@pytest.mark.parametrize("way", ["code", "store", "till", "card"])
async def test_a_declined_payment_is_explained_whichever_way_it_was_tried(town: HttpTown, way: str) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.grant(who, 100)
    if way == "code":
        answer = await by_code(town, who, shop, 700)
    elif way == "store":
        answer = await by_store(town, who, shop.code, 700)
    elif way == "till":
        till = done(await town.as_clerk(shop).command(f"/stores/{shop.id}/till-codes", {"amount_yen": 700}), 201)
        answer = await by_store(town, who, till["number"], None)
    else:
        card = await town.do(issue_card, IssueCard(who.wallet.number, OFFICER, "x", "2580", town_keys().code_key))
        body = {"card": card_token(town_keys().code_key, card.number, card.card_id), "amount_yen": 700}
        answer = await town.as_clerk(shop).command(f"/stores/{shop.id}/card-payments", body)
    problem(answer, 409, "points_missing")
    [line] = await shown(town, who)
    modes = {"code": "cpm", "store": "mpm", "till": "till", "card": "card"}
    assert (line["code"], line["mode"], line["amount_yen"]) == ("points_missing", modes[way], 700)
    assert (line["store_code"], line["store_name"]) == (shop.code, "星見商店 本店")
    assert "600" in line["explanation"]["ja"]
    assert "600" in line["explanation"]["en"]
    assert "残高" in line["way_out"]["ja"]
    assert line["way_out"]["ja_simple"] != line["way_out"]["ja"]
    assert await town.points(who) == 100
    await town.must_prove()


async def test_each_look_at_declines_is_recorded_with_its_purpose(town: HttpTown) -> None:
    who = await town.resident()
    desk, path = await town.as_staff(Role.OFFICER), f"/wallets/{who.wallet.number}/declines"
    problem(await desk.get(path), 422, "invalid_request")
    problem(await desk.get(path, params={"purpose": "other"}), 422, "look_note_missing")
    done(await desk.get(path, params=LOOK | {"note": "stood at the till"}))
    asked = {"action": "wallet.declines_looked_at"}
    [entry] = done(await (await town.as_staff(Role.AUDITOR)).get("/audit", params=asked))["entries"]
    assert entry["detail"] == LOOK | {"note": "stood at the till"}


def test_every_refusal_of_a_payment_is_explained_or_said_to_be_nobodys() -> None:
    explained = {each.code for each in EXPLAINED}
    said: set[str] = set()
    for method, pattern, responses in operations():
        if method == "POST" and pattern.pattern.endswith(("/wallets/[^/]+/payments", "/payments", "/card\\-payments")):
            for status in ("403", "404", "409", "422", "429"):
                said |= set(responses.get(status, {}).get("x-codes", []))
    assert "points_missing" in said
    unexplained = {each for each in said - NOT_THE_PAYERS - explained if not each.startswith("emvco_")}
    assert unexplained == set()
    assert not explained & NOT_THE_PAYERS
    for language in LANGUAGES:
        assert all(locales.find(language, f"decline.{code}") for code in explained)
    assert documented_codes("POST", "/api/merchant/v1/stores/x/card-payments", 409)


async def test_a_thief_of_a_number_writes_nothing_into_anybodys_declines(town: HttpTown) -> None:
    """A forged code, another's wallet in one's own code, an account that does not act for the wallet."""
    who, thief, shop = await town.resident(), await town.resident(), await town.shop()
    await town.do(set_wallet_status, SetWalletStatus(who.wallet.number, "suspended", "x", OFFICER))
    await town.do(block_phones, BlockPhones(OFFICER, thief.wallet.number, "x", "x"))
    now = town.clock.now()
    forged = thief.phone.pay_code(who.wallet.id, who.device.id, now, UUID(bytes=town.entropy.take(16), version=4))
    theirs = thief.phone.pay_code(who.wallet.id, thief.device.id, now, UUID(bytes=town.entropy.take(16), version=4))
    for code in (forged, theirs):
        assert (await by_code(town, who, shop, 10, code)).status_code >= 400
    answer = await town.as_resident(thief).command(
        f"/wallets/{who.wallet.id}/payments", {"code": shop.code, "amount_yen": 10}
    )
    problem(answer, 404, "not_found")
    assert await shown(town, who) == []
    problem(await by_code(town, who, shop, 10), 403, "wallet_suspended")
    assert [each["code"] for each in await shown(town, who)] == ["wallet_suspended"]


async def test_a_payment_writes_no_decline_itself(town: HttpTown, engine: AsyncEngine) -> None:
    who, shop = await town.resident(), await town.shop()
    async with counting(engine) as counted:
        problem(await by_store(town, who, shop.code, 700), 409, "points_missing")
    assert not [each for each in counted.statements if "decline" in each], counted.report()
    assert await town.built.context.payments.declines.write() == 1
    assert await town.built.context.payments.declines.write() == 0


async def test_what_cannot_be_written_changes_no_answer_and_is_written_later(
    town: HttpTown, migrator_engine: AsyncEngine
) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    async with migrator_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE decline RENAME TO elsewhere"))
    problem(await by_store(town, who, shop.code, 50_000), 409, "points_missing")
    done(await by_store(town, who, shop.code, 500), 201)
    with pytest.raises(Exception, match="decline"):
        await town.built.context.payments.declines.write()
    async with migrator_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO decline"))
    assert [each["amount_yen"] for each in await shown(town, who)] == [50_000]
    await town.must_prove()


def order(who: Resident, yen: int) -> PayStore:
    return PayStore(who.account_id, who.wallet.id, "S0000000", yen)


async def test_what_waits_and_what_is_kept_are_bounded(town: HttpTown) -> None:
    who, heard = await town.resident(), Declines(town.database, lambda _: None)
    for yen in range(1, MOST_WAITING + 101):
        heard.hear(order(who, yen), PointsMissing(missing_yen=yen))
    kept = await heard.write()
    assert MOST_A_DAY <= kept < MOST_A_DAY + 256, "a batch sees only what was there before it"
    assert await heard.write() == 0
    heard.hear(order(who, 1), PointsMissing(missing_yen=1))
    assert await heard.write() == 0
    town.clock.advance(timedelta(days=1, seconds=1))
    heard.hear(order(who, 1), PointsMissing(missing_yen=1))
    assert await heard.write() == 1


async def test_whoever_writes_goes_on_after_a_failure(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, written, tries = Declines(town.database, lambda _: None), asyncio.Event(), 0

    async def write() -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Busy(retry_after_seconds=1)
        written.set()
        return 0

    monkeypatch.setattr(keep_declines, "WRITTEN_EVERY_S", 0.0)
    monkeypatch.setattr(heard, "write", write)
    writing = asyncio.create_task(heard.keep_writing())
    await asyncio.wait_for(written.wait(), 30)
    writing.cancel()
    assert isinstance((await asyncio.gather(writing, return_exceptions=True))[0], asyncio.CancelledError)


def test_a_busy_database_is_nobodys_declined_payment() -> None:
    asked = PayStore(OFFICER, OFFICER, "S0000000", 1)
    assert declined(asked, Busy(retry_after_seconds=1), NOON) is None
    assert declined(asked, Missing(), NOON) is None
    assert declined(asked, PointsMissing(missing_yen=1), NOON) is not None


async def test_declines_are_forgotten_after_ninety_days_and_nothing_younger_whatever_the_program_says(
    town: HttpTown,
) -> None:
    who = await town.resident()
    long_ago = datetime(2001, 4, 1, tzinfo=UTC)
    told = [long_ago, long_ago + timedelta(days=1), datetime.now(UTC)]
    params: dict[str, object] = {"missing_yen": 1}
    given = [Declined(who.wallet.id, "points_missing", params, Mode.MPM, 1, each) for each in told]

    async def keep(tx: Tx, _: None) -> int:
        return await rows.insert_declines(tx, given)

    assert await town.do(keep, None) == 3
    town.go_to(long_ago + timedelta(days=90))
    assert await town.do(forget_declines, None) == 1
    town.go_to(datetime(2099, 1, 1, tzinfo=UTC))
    assert await town.do(forget_declines, None) == 1
    assert await town.do(forget_declines, None) == 0


@pytest.mark.parametrize("signature", ["", "A", "AAAA", "\u00e9"])
async def test_of_a_blocked_phones_code_without_a_signature_nothing_is_kept_and_nothing_breaks(
    town: HttpTown, signature: str, caplog: pytest.LogCaptureFixture
) -> None:
    who, shop = await town.resident(), await town.shop()
    problem(await by_code(town, who, shop, 700), 409, "points_missing")  # the phone's key is known from here on
    await town.do(block_phones, BlockPhones(OFFICER, who.wallet.number, "birth date", "lost"))
    unsigned = town.code_of(who).rpartition(".")[0]
    problem(await by_code(town, who, shop, 700, f"{unsigned}.{signature}"), 403, "device_blocked")
    assert [line["code"] for line in await shown(town, who)] == ["points_missing"]
    assert [record.message for record in caplog.records if record.exc_info] == []
