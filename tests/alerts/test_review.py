"""Alerts from payments to an officer's judgement: found in a lake, kept once, reviewed, named with a reason."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.lake.refresh import LakeNotOfBooks, refresh
from analytics.lake.write import write_frames
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan
from infra.database.provision import DatabaseHandle
from infra.insight.alerts import line_of, look_and_keep
from services.alerts.alert import Tally
from services.alerts.keep import Kept
from services.identity.people import Role
from services.kit.audit import AuditFilter, entries
from services.wallets.open import RegisterDevice, register_device
from tests.http_town import Client, HttpTown, done
from tests.merging.two_wallets import two_wallets
from tests.town import Resident, Shop, town_terms

WHY = "a ring is suspected"


class Look(Protocol):
    """Refresh the lake up to before a day of April, and look for misuse in its last days."""

    def __call__(self, day: int, *, days: int = 60) -> Awaitable[Kept]: ...


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    made = HttpTown(engine)
    await made.programme(replace(town_terms(), cap_yen=1_000_000))
    return made


@pytest.fixture
def look(database: DatabaseHandle, tmp_path: Path) -> Look:
    async def run(day: int, *, days: int = 60) -> Kept:
        root = tmp_path / "lake"
        await asyncio.to_thread(refresh, root, database.insight_uri(), end=date(2026, 4, day))
        kept, _ = await look_and_keep(database, root, days)
        return kept

    return run


async def split(town: HttpTown, who: Resident, shop: Shop, parts: int = 3) -> None:
    """One purchase in equal parts, a minute apart."""
    for _ in range(parts):
        await town.pay(who, shop, 1_700)
        town.wait(minutes=1)


async def listed(client: Client, **query: str) -> dict[str, Any]:
    return done(await client.get("/insight/alerts", params=query))


async def test_what_is_found_again_is_kept_once_and_told_anew_only_when_it_has_doubled(
    town: HttpTown, look: Look
) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 4)
    await split(town, who, shop)
    assert (await look(7)) == Kept(new=1, anew=0, again=0, judged=0)
    assert (await look(7)) == Kept(new=0, anew=0, again=1, judged=0)
    officer = await town.as_staff(Role.OFFICER)
    [alert] = (await listed(officer))["alerts"]
    assert (alert["rule"], alert["subject"], alert["round"]) == ("split_payment", f"store:{shop.code}", 1)
    assert alert["parameters"] == {"parts": 3, "minutes": 15, "amount_yen": 5_100}
    assert alert["payments"] == 3
    body = {"verdict": "harmless", "note": "three tickets for a family"}
    reviewed = done(await officer.command(f"/insight/alerts/{alert['id']}/review", body))
    assert (await listed(officer))["alerts"] == []
    assert (await listed(officer, show="reviewed"))["alerts"][0]["review"] == reviewed
    assert (await look(7)) == Kept(new=0, anew=0, again=0, judged=1)
    town.wait(hours=24)
    await split(town, who, shop, 6)
    assert (await look(8)) == Kept(new=0, anew=1, again=0, judged=0)
    told = await listed(await town.as_staff(Role.OFFICER))
    assert [each["round"] for each in told["alerts"]] == [2]
    assert told["rules"] == [
        {"rule": "split_payment", "open": 1, "misuse": 0, "harmless": 1, "unclear": 0, "precision_permille": 0}
    ]


async def test_a_review_is_one_deed_stays_written_and_a_later_one_counts(
    town: HttpTown, look: Look, engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 2)
    await split(town, who, shop)
    await look(7)
    officer = await town.as_staff(Role.OFFICER)
    [alert] = (await listed(officer))["alerts"]
    path, key = f"/insight/alerts/{alert['id']}/review", town.new_key()
    first = await officer.command(path, {"verdict": "unclear", "note": "asked the store"}, key=key)
    again = await officer.command(path, {"verdict": "unclear", "note": "asked the store"}, key=key)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json() == first.json()
    other = await officer.command(path, {"verdict": "misuse", "note": "asked the store"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    town.wait(seconds=1)
    done(await officer.command(path, {"verdict": "misuse", "note": "the till's list shows one sale"}))
    told = await listed(officer, show="all")
    assert [each["review"]["verdict"] for each in told["alerts"]] == ["misuse"]
    assert told["rules"][0]["precision_permille"] == 1_000
    async with town.database.begin() as tx:
        log = await entries(tx, AuditFilter(action="alert.reviewed"))
    assert [(str(each.subject_id), each.detail["verdict"]) for each in log] == [
        (alert["id"], "misuse"),
        (alert["id"], "unclear"),
    ]
    for rights in (engine, migrator_engine):
        with pytest.raises(DBAPIError):
            async with rights.begin() as connection:
                await connection.execute(text("UPDATE alert_review SET verdict = 'harmless'"))
    missing = await officer.command(f"/insight/alerts/{shop.id}/review", {"verdict": "misuse", "note": "-"})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_a_pseudonym_is_named_only_to_an_officer_with_a_reason_and_only_if_the_alert_names_it(
    town: HttpTown, look: Look
) -> None:
    who, other, shop = await town.resident(), await town.resident(), await town.shop()
    for each in (who, other):
        await town.buy(each, 2)
        await split(town, each, shop)
    await look(7)
    officer, auditor = await town.as_staff(Role.OFFICER), await town.as_staff(Role.AUDITOR)
    alerts = (await listed(auditor))["alerts"]
    assert len(alerts) == 2
    numbers = [each["residents"][0] for each in alerts]
    named = set()
    for alert, number in zip(alerts, numbers, strict=True):
        answer = await officer.get(f"/insight/alerts/{alert['id']}/people/{number}", params={"reason": WHY})
        named.add(done(answer)["number"])
    assert named == {who.wallet.number, other.wallet.number}
    strange = await officer.get(f"/insight/alerts/{alerts[0]['id']}/people/{numbers[1]}", params={"reason": WHY})
    assert (strange.status_code, strange.json()["code"]) == (404, "not_found")
    path = f"/insight/alerts/{alerts[0]['id']}/people/{numbers[0]}"
    assert (await officer.get(path)).status_code == 422
    assert (await auditor.get(path, params={"reason": WHY})).status_code == 403
    async with town.database.begin() as tx:
        log = await entries(tx, AuditFilter(action="alert.person_named"))
    assert {each.subject_id for each in log} == {who.wallet.id, other.wallet.id}
    assert {each.detail["reason"] for each in log} == {WHY}
    assert {each.actor_id for each in log} == {town.account_of(Role.OFFICER)}


async def test_a_number_from_before_a_merge_leads_to_the_wallet_that_stays(town: HttpTown, look: Look) -> None:
    two = await two_wallets(town, kept=0)
    await split(town, two.other, two.shop)
    await look(7)
    [alert] = (await listed(await town.as_staff(Role.AUDITOR)))["alerts"]
    await two.merge()
    path = f"/insight/alerts/{alert['id']}/people/{alert['residents'][0]}"
    answer = await (await town.as_staff(Role.OFFICER)).get(path, params={"reason": WHY})
    assert done(answer)["number"] == two.kept.wallet.number


async def test_the_application_reads_no_number_but_by_an_alert(town: HttpTown, engine: AsyncEngine) -> None:
    await town.resident()
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text("SELECT number FROM tanabata_insight.resident"))


async def test_an_owner_s_family_and_whoever_shares_their_phone_stand_near_to_the_store(
    town: HttpTown, look: Look, migrator_engine: AsyncEngine
) -> None:
    owner, child, tenant, stranger, shop = *[await town.resident() for _ in range(4)], await town.shop()
    officer = await town.as_staff(Role.OFFICER)
    said = {"wallet_number": owner.wallet.number, "reason": "came to the counter"}
    done(await officer.command(f"/stores/{shop.id}/members/{shop.clerk_id}/wallet", said))
    async with migrator_engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO account_acts_for (account_id, person_id, relation) VALUES (:a, :p, 'guardian')"),
            {"a": owner.account_id, "p": child.person_id},
        )
    await town.do(
        register_device, RegisterDevice(tenant.wallet.id, tenant.account_id, "shared", owner.phone.public_jwk())
    )
    for each in (child, tenant, stranger):
        await town.buy(each)
        await town.pay(each, shop, 900)
    await look(7)
    near = [each for each in (await listed(officer))["alerts"] if each["rule"] == "related_payer"]
    told = {}
    for alert in near:
        [number] = alert["residents"]
        answer = await officer.get(f"/insight/alerts/{alert['id']}/people/{number}", params={"reason": WHY})
        told[alert["parameters"]["relation"]] = done(answer)["number"]
    assert told == {"household": child.wallet.number, "device": tenant.wallet.number}


async def test_an_open_alert_never_comes_to_say_less(town: HttpTown, look: Look) -> None:
    """The first payments have left the stretch that is looked at: only the new and fewer ones are found."""
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 8)
    await split(town, who, shop, 4)
    assert (await look(7)).new == 1
    [before] = (await listed(await town.as_staff(Role.OFFICER)))["alerts"]
    assert (before["payments"], before["last_day"]) == (4, "2026-04-06")
    town.go_to(town.clock.now() + timedelta(days=1))
    await split(town, who, shop, 3)
    assert await look(8, days=1) == Kept(new=0, anew=0, again=1, judged=0)
    [after] = (await listed(await town.as_staff(Role.OFFICER)))["alerts"]
    assert after.pop("seen_at") > before.pop("seen_at")
    assert after == before


def test_a_rule_s_tally_is_told_in_words() -> None:
    assert line_of(Tally("night", 1, 2, 1, 0)) == "night: 1 open, 2 misuse, 1 harmless, 0 unclear; right in 66.6 %"
    assert line_of(Tally("night", 1, 0, 0, 0)).endswith("right in none judged yet")


async def test_of_a_lake_that_is_not_of_the_books_no_alert_is_kept(database: DatabaseHandle, tmp_path: Path) -> None:
    """Its residents are numbers, as ours are: whoever looked behind one would find somebody of this city."""
    frames = make(CityPlan(residents=60, stores=20), np.random.default_rng(4)).frames
    write_frames(tmp_path / "lake", frames, datetime(2026, 2, 18, tzinfo=UTC))
    with pytest.raises(LakeNotOfBooks):
        await look_and_keep(database, tmp_path / "lake", 60)
