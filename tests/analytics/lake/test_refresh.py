"""A refresh reads what is new, corrects what is past, repairs what is broken, and agrees with the ledger or says no."""

import asyncio
import fcntl
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.lake.agree import LakeDisagrees
from analytics.lake.lake import Lake
from analytics.lake.live import open_live
from analytics.lake.manifest import LakeCorrupt, LakeMissing, Manifest, read_manifest
from analytics.lake.refresh import LakeBusy, horizon_of, open_from
from analytics.measures.ask import ask
from analytics.measures.question import Question
from services.campaigns.draft import Propose, propose
from services.kit.clock import TOKYO
from services.kit.db import Tx
from services.kit.horizon import CLOCK_MARGIN, Horizon
from services.payments.order import PayStore
from services.payments.pay import pay_store
from services.payments.payment import Receipt
from services.wallets.buy import Undo, undo
from tests.analytics.hand import april
from tests.analytics.lake.conftest import Refresh, total
from tests.town import CODE, NOON, OFFICER, Resident, Shop, Town, town_terms

FAR = date(2026, 12, 1)


def days(root: Path, frame: str) -> dict[date | None, int]:
    return {part.day: part.rows for part in read_manifest(root).parts(frame)}


async def small_town(engine: AsyncEngine) -> tuple[Town, Resident, Shop]:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    return town, who, shop


async def test_an_empty_city_has_an_empty_lake(root: Path, again: Refresh) -> None:
    done = await again(FAR)
    assert (done.parts, done.rows, done.end) == (0, 0, FAR)
    assert total(root, "sales") == total(root, "issued") == total(root, "active_residents") == 0
    with Lake(root) as lake:
        assert lake.frame("stores").empty


async def test_a_lake_is_what_the_books_say(engine: AsyncEngine, root: Path, again: Refresh) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 5_001)  # from both purses
    receipt = await town.pay_store(who, shop, 300)
    await town.refund(shop, receipt, 100)
    await again(FAR)
    assert total(root, "sales") == 5_201
    assert total(root, "payments") == 2
    assert total(root, "issued") == 13_000
    assert total(root, "sold") == 10_000
    assert total(root, "remaining") == await town.points(who) == 7_799
    with Lake(root) as lake:
        spending, lots, stores = (lake.frame(name) for name in ("spending", "lots", "stores"))
        [programme] = lake.frame("programmes").to_dict("records")
    assert set(spending["mode"]) == {"cpm", "mpm"}
    assert set(spending["resident"]) == set(lots["resident"])
    assert not spending["emptied"].any()
    assert list(stores["category"]) == ["supermarket"]
    assert (programme["programme"], programme["unit_points"], programme["cap_yen"]) == (CODE, 13_000, 30_000)


async def test_a_lake_tells_what_the_published_terms_call_things(
    engine: AsyncEngine, root: Path, uri: str, again: Refresh
) -> None:
    town, given = Town(engine), town_terms()
    await town.programme(given)
    purses = {purse.code: purse.name for purse in given.purses}
    await again(FAR)
    with Lake(root) as lake:
        assert titles(lake) == {"": given.name, **purses}
    await town.do(propose, Propose(CODE, replace(given, name="まだ誰も認めていない名"), "a wish", OFFICER))
    with open_live(root, uri) as live:
        assert titles(live) == {"": given.name, **purses}
    await town.correct(replace(given, name="星見ポイント"))
    with open_live(root, uri) as live:
        assert titles(live) == {"": "星見ポイント", **purses}
    await again(FAR)
    with Lake(root) as lake:
        assert titles(lake) == {"": "星見ポイント", **purses}


def titles(lake: Lake) -> dict[str, str]:
    """By purse, of the one programme there is."""
    told = lake.frame("titles")
    assert set(told["programme"]) == {CODE}
    return dict(zip(told["purse"], told["title"], strict=True))


async def test_days_end_at_midnight_in_japan_and_the_last_is_not_in_the_lake(
    engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town, who, shop = await small_town(engine)
    town.go_to(NOON.replace(hour=23, minute=59, second=59, microsecond=999_999))
    await town.pay(who, shop, 1)
    town.wait(microseconds=1)
    await town.pay(who, shop, 20)
    town.go_to(NOON + timedelta(days=2, hours=-3, minutes=-30))  # 08:30 in Japan, the day before in UTC
    await town.pay(who, shop, 300)
    await again(april(8))
    assert days(root, "spending") == {april(6): 1, april(7): 1}
    assert total(root, "sales", first=april(7), last=april(7)) == 20
    await again(april(9))
    assert days(root, "spending") == {april(6): 1, april(7): 1, april(8): 1}


async def test_a_payment_that_emptied_the_wallet_is_told(engine: AsyncEngine, root: Path, again: Refresh) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 13_000)
    await again(FAR)
    with Lake(root) as lake:
        assert lake.frame("spending")["emptied"].all()


async def test_a_second_refresh_changes_nothing(engine: AsyncEngine, root: Path, again: Refresh) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 500)
    await again(FAR)
    before = read_manifest(root).frames
    await again(FAR)
    assert read_manifest(root).frames == before


async def test_a_late_refund_corrects_its_own_day_and_leaves_the_sale(
    engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town, who, shop = await small_town(engine)
    receipt = await town.pay(who, shop, 900)
    await again(april(7))
    assert total(root, "sales") == 900
    town.wait(days=3)
    await town.refund(shop, receipt, 900)
    await again(april(10))
    assert total(root, "sales", last=april(8)) == 900
    assert total(root, "sales", first=april(9)) == -900
    with Lake(root) as lake:
        spending = lake.frame("spending")
    assert spending["payment"].nunique() == 1
    assert spending["deed"].nunique() == 2


async def test_the_horizon_stays_before_what_a_refresh_could_not_see(
    engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    """However late a payment commits: until a refresh has seen it, its time is read again."""
    town, who, shop = await small_town(engine)
    paid, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx, order: PayStore) -> Receipt:
        receipt = await pay_store(tx, order)
        paid.set()
        await go_on.wait()
        return receipt

    await again(april(7))
    task = asyncio.create_task(town.do(slowly, PayStore(who.account_id, who.wallet.id, shop.code, 70)))
    await paid.wait()
    began = datetime.now(UTC)
    for _ in range(2):
        await again(april(7))
        since = horizon_of(read_manifest(root)).since
        assert since is not None
        assert since < began
    go_on.set()
    await task
    for _ in range(2):  # the first cannot know yet that nothing older was open
        await again(april(7))
    since = horizon_of(read_manifest(root)).since
    assert since is not None
    assert since > began - CLOCK_MARGIN


def test_what_a_horizon_leaves_open_is_read_by_whole_days() -> None:
    def lake(since: datetime | None) -> Manifest:
        marks = {"horizon": msgspec.json.encode(Horizon(since)).decode(), "end": "2026-04-08"}
        return Manifest(NOON, {}, marks=marks)

    midnight = datetime(2026, 4, 7, tzinfo=TOKYO)
    assert open_from(lake(midnight + timedelta(minutes=15))) == april(7)
    assert open_from(lake(midnight + timedelta(minutes=14))) == april(6)
    assert open_from(lake(midnight + timedelta(days=30))) == april(8), "nor is a day skipped that was not read yet"
    assert open_from(lake(None)) is None
    assert open_from(Manifest(NOON, {})) is None


async def test_a_purchase_that_was_undone_was_never_sold(engine: AsyncEngine, root: Path, again: Refresh) -> None:
    town, who, _ = await small_town(engine)
    purchase = await town.buy(who)
    await again(april(7))
    assert total(root, "issued") == 26_000
    town.wait(days=1)
    await town.do(undo, Undo(purchase.number, "a mistake", OFFICER))
    await again(april(9))
    assert total(root, "issued") == 13_000
    assert total(root, "remaining", last=april(6)) == 13_000


async def test_points_that_expired_are_no_longer_there(engine: AsyncEngine, root: Path, again: Refresh) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 1_000)
    town.go_to(NOON.replace(month=10))
    await town.expire()
    await again(FAR)
    assert total(root, "expired") == 12_000
    assert total(root, "remaining") == 0
    assert total(root, "expired_paid") + total(root, "premium_released") == 12_000


@pytest.mark.parametrize("harm", ["cut", "gone", "altered"])
async def test_a_damaged_partition_is_found_and_rebuilt(
    harm: str, engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 500)
    await again(april(7))
    whole = read_manifest(root)
    file = root / whole.parts("spending")[0].file
    data = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "gone":
            file.unlink()
        case "altered":
            file.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    if harm != "altered":  # a byte that changed is found by its checksum, which a reader does not compute
        with pytest.raises(LakeCorrupt):
            Lake(root)
    # The present day is far from this one: nothing but the damage makes a refresh read it again.
    done = await again(april(7))
    assert read_manifest(root).frames == whole.frames
    assert total(root, "sales") == 500
    assert done.damaged == 1


async def test_a_refresh_that_ended_half_way_is_done_again(
    engine: AsyncEngine, root: Path, again: Refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 500)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("analytics.lake.refresh.publish", killed)
        with pytest.raises(KeyboardInterrupt):
            await again(april(7))
    with pytest.raises(LakeMissing):
        Lake(root)
    await again(april(7))
    assert total(root, "sales") == 500
    assert not list(root.rglob("*.unfinished"))


async def test_two_refreshes_at_once_are_one(root: Path, again: Refresh) -> None:
    root.mkdir()
    with (root / "refresh.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LakeBusy):
            await again(FAR)
    await again(FAR)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE payment_allocation SET paid_yen = paid_yen + 1",
        "UPDATE lot SET premium_issued_yen = premium_issued_yen + 1",
        "DELETE FROM payment_allocation",
        "DELETE FROM tanabata_insight.resident",
    ],
)
async def test_a_lake_that_would_not_agree_with_the_ledger_is_not_published(
    harm: str, engine: AsyncEngine, migrator_engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 500)
    await again(april(6))
    before = read_manifest(root)
    async with migrator_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE payment_allocation DISABLE TRIGGER USER"))
        await connection.execute(text("ALTER TABLE lot DISABLE TRIGGER USER"))
        await connection.execute(text(harm))
    with pytest.raises(LakeDisagrees) as refused:
        await again(april(7))
    assert refused.value.params["lake_yen"] != refused.value.params["ledger_yen"]
    assert read_manifest(root) == before


async def test_several_connections_read_the_lake_that_one_reads(
    engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town, who, shop = await small_town(engine)
    for _ in range(3):
        await town.pay(who, shop, 100)
        town.wait(days=5)
    steps: list[tuple[int, int]] = []
    await again(april(30))
    one = read_manifest(root).frames
    (root / "manifest.json").unlink()
    opened: list[tuple[int, str]] = []
    await again(
        april(30),
        connections=2,
        told=lambda done, of: steps.append((done, of)),
        opened=lambda pid, name: opened.append((pid, name)),
    )
    assert read_manifest(root).frames == one
    assert len({pid for pid, _ in opened}) == len(opened) == 4, "a look, the one that plans, and two that read"
    assert {name for _, name in opened} == {engine.url.database}
    assert sorted(steps) == [(n, len(steps)) for n in range(1, len(steps) + 1)]


async def test_today_is_read_from_the_views(engine: AsyncEngine, root: Path, uri: str, again: Refresh) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 500)
    await again(april(7))
    town.wait(days=1)
    await town.pay(who, shop, 40)

    def live() -> int:
        with open_live(root, uri) as lake:
            by_hand = lake.frame("spending")["amount_yen"].sum()
            value: int = ask(lake, Question("sales"))["value"].item()
            assert by_hand == value
            return value

    assert await asyncio.to_thread(live) == 540
    assert total(root, "sales") == 500


async def test_what_was_undone_today_is_not_there_today(
    engine: AsyncEngine, root: Path, uri: str, again: Refresh
) -> None:
    """The day of the sale is long in the lake; of what was undone before, the lake's own days tell."""
    town, who, shop = await small_town(engine)
    first, second = await town.buy(who), await town.buy(who)
    await town.do(undo, Undo(first.number, "a mistake", OFFICER))
    town.wait(days=1)
    await again(april(7))
    await town.do(undo, Undo(second.number, "a mistake", OFFICER))
    await town.pay(who, shop, 40)

    def live() -> tuple[int, int]:
        with open_live(root, uri) as lake:
            issued, remaining = (ask(lake, Question(name))["value"].item() for name in ("issued", "remaining"))
            assert lake.frame("lots")["lot"].is_unique
            return issued, remaining

    assert total(root, "issued") == 26_000
    assert await asyncio.to_thread(live) == (13_000, await town.points(who)) == (13_000, 12_960)


async def test_a_store_that_moved_or_changed_its_trade_keeps_its_past(
    engine: AsyncEngine, migrator_engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town, who, shop = await small_town(engine)
    await town.pay(who, shop, 500)
    async with migrator_engine.begin() as connection:
        await connection.execute(text("UPDATE store SET mcc = '5812', postal_code = '2540002'"))
        await connection.execute(text("UPDATE store SET name_latin = 'ELSEWHERE'"))
    await again(FAR)
    with Lake(root) as lake:
        stores = lake.frame("stores")
    assert list(stores["category"]) == ["supermarket", "restaurant"]
    assert stores["to_day"].iloc[0] == stores["from_day"].iloc[1]
    with Lake(root) as lake:
        sales = ask(lake, Question("sales", ("category",)))
    assert list(sales["category"]) == ["supermarket"]
