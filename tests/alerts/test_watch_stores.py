"""Stores are counted behind the payments: an alert once a store and window, over restarts, late payments and races."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import locales
from infra import store_watch
from infra.store_watch import StoreWatch
from infra.worker import jobs
from services.alerts.watch_stores import watch_stores
from services.identity.people import Role
from services.kit.audit import AuditFilter, entries
from services.kit.db import Tx
from services.payments.count_stores import CountDay
from services.payments.store_velocity import USUAL_STORES, Bounds, ReturnBounds, StoreLimits
from services.payments.velocity import Most
from tests.http_town import HttpTown, done
from tests.town import NOON, Resident, Shop

LIMITS = StoreLimits(
    Bounds(Most(3, 50_000), Most(6, 90_000)), Bounds(Most(4, 50_000), Most(8, 90_000)), ReturnBounds(2, 20, 50)
)
Scene = tuple[HttpTown, Resident, Shop]


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    """A shop, and somebody who has enough to pay there all day."""
    town = HttpTown(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 2)
    return town, who, shop


async def pay(scene: Scene, times: int, yen: int = 10, *, at: datetime | None = None) -> None:
    town, who, shop = scene
    if at is not None:
        town.go_to(at)
    for _ in range(times):
        await town.pay(who, shop, yen)


async def watch(scene: Scene) -> int:
    """By a worker that was started just now."""
    return await StoreWatch(scene[0].database, LIMITS).watch()


async def alerts(scene: Scene, show: str = "all") -> list[dict[str, Any]]:
    officer = await scene[0].as_staff(Role.OFFICER)
    found: list[dict[str, Any]] = done(await officer.get("/insight/alerts", params={"show": show}))["alerts"]
    return sorted(found, key=lambda each: (each["rule"], each["parameters"]["began"], each["round"]))


async def test_a_store_beyond_its_level_is_told_of_once_a_window_in_three_languages(scene: Scene) -> None:
    town, _, shop = scene
    await pay(scene, 5)
    assert await watch(scene) == 0
    assert await alerts(scene) == []
    await pay(scene, 1, 20)
    assert await watch(scene) == 1
    assert await watch(scene) == 0
    [alert] = await alerts(scene, "open")
    assert (alert["rule"], alert["subject"], alert["payments"]) == ("store_hour", f"store:{shop.code}", 6)
    assert (alert["first_day"], alert["last_day"], alert["residents"]) == ("2026-04-06", "2026-04-06", [])
    said = {"began": "2026-04-06 12:00", "payments": 6, "amount_yen": 70, "level_payments": 6, "level_yen": 90_000}
    assert alert["parameters"] == said | {"usual_payments": 0, "usual_yen": 0, "usual_days": 0}
    for language in ("ja", "en", "ja-simple"):
        told = locales.text(language, "alert.store_hour", **alert["parameters"])
        assert "2026-04-06 12:00" in told
        assert "70" in told
    async with town.database.begin() as tx:
        log = await entries(tx, AuditFilter(action="alerts.found"))
    assert [(each.detail["new"], each.detail["anew"]) for each in log] == [(1, 0)]


async def test_a_days_sum_is_told_of_and_a_judged_alert_comes_back_when_it_has_doubled(scene: Scene) -> None:
    town, _, shop = scene
    for hour in range(12, 16):
        await pay(scene, 2, at=NOON.replace(hour=hour))
    assert await watch(scene) == 1
    [alert] = await alerts(scene)
    assert (alert["rule"], alert["payments"], alert["parameters"]["began"]) == ("store_day", 8, "2026-04-06")
    officer = await town.as_staff(Role.OFFICER)
    body = {"verdict": "harmless", "note": f"{shop.code} holds a festival"}
    done(await officer.command(f"/insight/alerts/{alert['id']}/review", body))
    for hour in range(16, 19):
        await pay(scene, 2, at=NOON.replace(hour=hour))
        assert await watch(scene) == 0
    await pay(scene, 2, at=NOON.replace(hour=19))
    assert await watch(scene) == 1
    assert [(each["round"], each["payments"]) for each in await alerts(scene, "open")] == [(2, 16)]


async def test_what_is_usual_for_the_store_itself_lowers_its_level_and_a_short_past_does_not(scene: Scene) -> None:
    for day in range(7):
        await pay(scene, 1, 40, at=NOON + timedelta(days=day))
    await pay(scene, 2, at=NOON + timedelta(days=6))
    assert await watch(scene) == 0  # six days are behind it
    await pay(scene, 3, at=NOON + timedelta(days=7))
    assert await watch(scene) == 1
    [alert] = await alerts(scene)
    told = alert["parameters"]
    assert (alert["rule"], told["level_payments"], told["usual_payments"], told["usual_days"]) == (
        "store_hour",
        3,
        1,
        7,
    )
    assert (told["level_yen"], told["usual_yen"]) == (50_000, 40)


async def test_refunds_and_cancels_are_told_of_by_their_share_and_what_is_cancelled_stays_counted(scene: Scene) -> None:
    town, who, shop = scene
    first, second, third = [await town.pay(who, shop, 100) for _ in range(3)]
    await town.cancel(shop, first)
    await town.refund(shop, second, 49)
    assert await watch(scene) == 0  # 149 of 300 yen
    await town.refund(shop, third, 1)
    assert await watch(scene) == 1
    [alert] = await alerts(scene)
    assert (alert["rule"], alert["payments"]) == ("store_returns", 3)
    told = alert["parameters"]
    assert (told["returns"], told["returned_yen"], told["amount_yen"], told["level_percent"]) == (3, 150, 300, 50)


async def test_one_payment_from_two_programmes_is_one_payment(scene: Scene) -> None:
    town, who, shop = scene
    await town.programme(code="moonlight")
    await town.grant(who, 50, code="moonlight")
    await town.pay(who, shop, 26_040)
    await watch(scene)
    async with town.database.begin() as tx:
        counted = (await tx.connection.execute(text("SELECT payments, paid_yen FROM store_hour"))).all()
        legs = (await tx.connection.execute(text("SELECT count(*) FROM payment_leg"))).scalar_one()
    assert [tuple(each) for each in counted] == [(1, 26_040)]
    assert legs == 2


async def test_what_was_paid_while_no_worker_ran_is_told_of_when_one_runs_again(scene: Scene) -> None:
    await pay(scene, 1)
    await watch(scene)
    for day in (1, 2):
        await pay(scene, 6, at=NOON + timedelta(days=day))
    scene[0].go_to(NOON + timedelta(days=40))
    assert await watch(scene) == 2
    assert [each["first_day"] for each in await alerts(scene)] == ["2026-04-07", "2026-04-08"]


async def test_a_worker_that_dies_between_two_days_goes_on_where_it_left_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(3):
        await pay(scene, 6, at=NOON + timedelta(days=day))
    counted: list[CountDay] = []

    async def dies(tx: Tx, command: CountDay) -> int:
        counted.append(command)
        done = await watch_stores(tx, command)
        if len(counted) == 2:
            raise RuntimeError("the power is gone")
        return done

    watcher = StoreWatch(scene[0].database, LIMITS)
    with monkeypatch.context() as patched:
        patched.setattr(store_watch, "watch_stores", dies)
        with pytest.raises(RuntimeError):
            await watcher.watch()
    assert len(await alerts(scene)) == 1
    assert await StoreWatch(scene[0].database, LIMITS).watch() == 2
    assert await watcher.watch() == 0
    assert len(await alerts(scene)) == 3


async def test_a_payment_that_commits_after_its_hour_was_counted_is_counted(scene: Scene) -> None:
    watcher = StoreWatch(scene[0].database, LIMITS)
    await pay(scene, 5, at=NOON.replace(minute=59))
    scene[0].go_to(NOON.replace(hour=13, minute=30))
    assert await watcher.watch() == 0
    await pay(scene, 1, at=NOON.replace(minute=59, second=59))
    scene[0].go_to(NOON.replace(hour=13, minute=59))
    assert await watcher.watch() == 1
    assert [each["parameters"]["began"] for each in await alerts(scene)] == ["2026-04-06 12:00"]


async def test_workers_at_once_count_once_within_the_operators_limits(scene: Scene) -> None:
    town, _, _ = scene
    await pay(scene, 6)
    both = [jobs(town.database, town.built.checkout, stores=limits) for limits in (LIMITS, LIMITS, USUAL_STORES)]
    running = [job.run(lambda _: None) for every in both for job in every if job.name == "watch stores"]
    assert sum(await asyncio.gather(*running)) >= 1
    assert [(each["rule"], each["payments"]) for each in await alerts(scene)] == [("store_hour", 6)]
    assert await watch(scene) == 0


async def test_hours_are_forgotten_after_sixty_days_but_for_the_latest(
    scene: Scene, migrator_engine: AsyncEngine
) -> None:
    town, _, _ = scene
    await pay(scene, 1)
    await watch(scene)
    town.go_to(NOON + timedelta(days=61))
    forget = StoreWatch(town.database, LIMITS).forget
    assert await forget() == 0
    async with migrator_engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO store_hour SELECT store_id, began_at - interval '1 hour', 1, 1, 0, 0 FROM store_hour")
        )
    assert await forget() == 1
    assert await forget() == 0
